"""Plugins that follow none of this repository's habits go the whole way, from an empty folder to a run."""

from __future__ import annotations

import shutil
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

if TYPE_CHECKING:
    from conftest import Desk

PLUGINS = Path(__file__).parent / "plugins"
KINDS = {"flat": "secrets", "twins": "sink", "heavy": "storage"}
LEVELS = {"flat": "0.1.0", "twins": "2.1", "heavy": "0.3.0"}
APP = """import kindling as k

app = k.App("shop", storage=k.storage("heavy"))


@app.pipe(name="silver.orders", context=True)
def orders(context: k.Context) -> k.DataFrame:
    word = context.secret("secret://flat/demo/key").reveal()
    return context.frame([(1, word), (2, word)], "id int, word string")


@app.pipe(orders, name="gold.orders")
def gold(df: k.DataFrame) -> k.DataFrame:
    return df.where("id > 1")
"""
SETTINGS = """app = "shop:app"
platform.default = "duckdb"
run.sinks = ["twins"]

[locations.lake]
uri = "lake"

[plugins.registry.shop]
url = "{top}/registry/dist"
root = "{top}/registry/keys/1.root.json"
"""


def make(desk: Desk, name: str) -> Path:
    """Begin with `kindling plugins new`, then put the stranger's own files in place of all that it made."""
    project = desk.folder / f"kindling-plugin-{name}"
    desk.run(f"kindling plugins new {name} --kind {KINDS[name]}")
    for path in ("src", "tests"):
        shutil.rmtree(project / path)
    shutil.copytree(PLUGINS / name, project, dirs_exist_ok=True, ignore=shutil.ignore_patterns("__pycache__"))
    return project


@pytest.mark.timeout(600)
def test_strangers_plugins_go_from_an_empty_folder_to_a_run(desk: Desk) -> None:
    top = desk.folder
    desk.run("kindling registry init registry --keys ../keys --name shop --threshold 1 --root-keys 1")
    desk.run("git init -q; git add registry; git commit -qm registry")
    for name in KINDS:
        project = make(desk, name)
        desk.run("kindling plugins check .", at=project)
        desk.run("uv build -q", at=project)
        desk.run(f"kindling registry add {project}/dist/*.whl -r registry")
        shutil.rmtree(project)
    asked = desk.ended("kindling registry review -r registry --approved --apply")
    assert asked.stdout.endswith("accepted\n"), asked
    for name, version in LEVELS.items():
        assert f"kindling-plugin-{name} {version}: conformant\n" in asked.stdout
    desk.run("kindling registry validate -r registry")
    desk.run("kindling registry build -r registry")
    desk.run("kindling registry sign -r registry --keys ../keys")

    project = top / "project"
    project.mkdir()
    (project / "kindling.toml").write_text(SETTINGS.format(top=top))
    (project / "shop.py").write_text(APP)
    found = desk.run("kindling plugins search parquet", at=project)
    assert "kindling-plugin-heavy" in found
    assert "kindling-plugin-flat" not in found
    desk.run("kindling plugins install --needed twins flat --no-cooldown --yes", at=project)
    desk.run("kindling run", at=project)
    assert "yek/omed" in desk.run("kindling show gold.orders", at=project)
    assert sorted(path.name for path in (project / "lake").rglob("*.parquet")) == ["1.parquet", "1.parquet"]
    assert "TaskFinished 2\n" in desk.run("kindling twins", at=project)
