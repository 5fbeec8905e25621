from __future__ import annotations

import json
import os
import shutil
import subprocess
import sys
import tomllib
from pathlib import Path
from typing import TYPE_CHECKING

import jsonschema
import pytest
from click.testing import CliRunner
from kindling_plugin_registry.check import scaffold
from kindling_plugin_registry.check.manifest_schema import manifest_schema, schema_text
from kindling_plugin_registry.check.scaffold import KINDS, TEMPLATES, new_plugin, plugin_name, update_plugin
from kindling_plugin_registry.client.commands.new import command
from packaging.version import Version

from kindling.errors import UsageError

if TYPE_CHECKING:
    from collections.abc import Callable

ROOT = Path(__file__).parents[4]
OURS = ROOT / "plugins" / "_template"
NEWEST = max(TEMPLATES.iterdir(), key=lambda item: Version(item.name))
MANIFESTS = sorted(ROOT.glob("plugins/*/src/*/kindling.json"))


@pytest.mark.parametrize("kind", KINDS)
def test_a_new_plugin_of_each_kind_passes_its_tests_at_once(tmp_path: Path, kind: str) -> None:
    project = tmp_path / "p"
    new_plugin("red-attic", kind, project)
    variables = {**os.environ, "PYTHONPATH": str(project / "src"), "KINDLING_FEATURE_TABLE": ""}
    done = subprocess.run(
        [
            sys.executable,
            "-m",
            "pytest",
            "-q",
            "-W",
            "error",
            "-p",
            "no:cacheprovider",
            "-c",
            os.devnull,
            "tests",
        ],
        cwd=project,
        env=variables,
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 0, done.stdout


def files_of(folder: Path) -> dict[str, str]:
    """Return text by path, without what tools leave behind."""
    found = [path for path in folder.rglob("*") if path.is_file()]
    kept = [
        p for p in found if not {x for x in p.parts if x.startswith((".pytest", "__pyc")) or "egg-info" in x}
    ]
    return {path.relative_to(folder).as_posix(): path.read_text(encoding="utf-8") for path in kept}


def test_our_own_template_is_the_storage_of_the_template_for_others(tmp_path: Path) -> None:
    new_plugin("name", "storage", tmp_path / "p", author="Kindling developers")
    made, ours = files_of(tmp_path / "p"), files_of(OURS)
    place = "src/kindling_plugin_name/kindling.json"
    theirs = json.loads(made.pop(place))
    assert theirs.pop("$schema") == "../../kindling.schema.json"
    assert theirs == json.loads(ours.pop(place))
    project, own = (tomllib.loads(files.pop("pyproject.toml")) for files in (made, ours))
    assert project["tool"].pop("uv") == {"build-backend": {"source-include": ["tests/**"]}}
    assert {**project["project"], "description": ""} == {**own["project"], "description": ""}
    assert {**project, "project": {}} == {**own, "project": {}}
    assert {name: made[name] for name in ours} == ours
    assert sorted(set(made) - set(ours)) == [
        ".copier-answers.yml",
        ".github/workflows/publish.yml",
        ".github/workflows/test.yml",
        ".gitignore",
        "kindling.schema.json",
    ]


def test_nothing_is_written_into_a_folder_with_something_in_it(tmp_path: Path) -> None:
    (tmp_path / "mine.txt").write_text("mine")
    with pytest.raises(UsageError) as caught:
        new_plugin("attic", "sink", tmp_path)
    assert str(caught.value) == (
        f"KDL-REG-240: no plugin is made in {str(tmp_path)!r}\n"
        "  why: it is not an empty folder\n"
        "  do: kindling plugins new NAME --into NEW_FOLDER"
    )
    assert [path.name for path in tmp_path.iterdir()] == ["mine.txt"]


def test_a_name_that_is_none_is_refused() -> None:
    assert plugin_name("kindling-plugin-red-attic") == "red-attic"
    with pytest.raises(UsageError) as caught:
        plugin_name("My Plugin")
    assert str(caught.value) == (
        "KDL-REG-242: 'My Plugin' cannot be a plugin's name\n"
        "  why: expected small letters, digits and single hyphens, a letter first\n"
        "  do: kindling plugins new my-store --kind storage"
    )


def test_nothing_is_asked_without_a_terminal(tmp_path: Path) -> None:
    done = CliRunner().invoke(command, ["attic", "--into", str(tmp_path / "p")])
    assert done.exit_code == 2
    assert f"kindling plugins new NAME --kind {'|'.join(KINDS)}" in done.output
    done = CliRunner().invoke(command, ["attic", "--kind", "sink", "--into", str(tmp_path / "p"), "--json"])
    assert "pyproject.toml" in json.loads(done.output)["files"]


@pytest.fixture
def newer(tmp_path: Path) -> Path:
    """Give templates with one version more, in which a line of the workflow and a new file differ."""
    folder = tmp_path / "templates"
    shutil.copytree(TEMPLATES, folder)
    made = folder / "99.0.0"
    shutil.copytree(NEWEST, made)
    workflow = made / "project" / "{{ dot }}github" / "workflows" / "test.yml"
    workflow.write_text(workflow.read_text().replace("timeout-minutes: 30", "timeout-minutes: 45"))
    (made / "project" / "SECURITY.md").write_text("Write to us.\n")
    return folder


@pytest.fixture
def home(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """Give a home of its own, where the template's repository is kept."""
    monkeypatch.setenv("HOME", str(tmp_path / "home"))
    return tmp_path / "home"


def test_an_update_keeps_the_authors_changes(
    tmp_path: Path, newer: Path, home: Path, git: Callable[..., str]
) -> None:
    project = tmp_path / "p"
    new_plugin("attic", "sink", project)
    (project / "README.md").write_text("# mine\n")
    git("init", "--quiet", at=project)
    git("add", "--all", at=project)
    git("commit", "--quiet", "-m", "mine", at=project)
    assert update_plugin(project, templates=newer) == (NEWEST.name, "99.0.0")
    assert (project / "README.md").read_text() == "# mine\n"
    assert "timeout-minutes: 45" in (project / ".github/workflows/test.yml").read_text()
    assert (project / "SECURITY.md").read_text() == "Write to us.\n"
    assert f"_src_path: {scaffold.PLACE}\n" in (project / ".copier-answers.yml").read_text()
    with pytest.raises(UsageError, match=r"KDL-REG-243: .*\n  why: Destination repository is dirty"):
        update_plugin(project, templates=newer)


def test_copier_itself_updates_once_the_repository_is_there(
    tmp_path: Path, newer: Path, home: Path, git: Callable[..., str]
) -> None:
    project = tmp_path / "p"
    new_plugin("attic", "sink", project)
    git("init", "--quiet", at=project)
    git("add", "--all", at=project)
    git("commit", "--quiet", "-m", "mine", at=project)
    scaffold.refresh_repository(newer)
    subprocess.run(
        [sys.executable, "-m", "copier", "update", "--defaults", "--quiet", str(project)],
        check=True,
        capture_output=True,
    )
    assert (project / "SECURITY.md").is_file()


def test_what_was_not_made_so_is_not_updated(tmp_path: Path) -> None:
    with pytest.raises(UsageError) as caught:
        update_plugin(tmp_path)
    assert str(caught.value) == (
        f"KDL-REG-243: {str(tmp_path)!r} cannot be updated\n"
        "  why: it has no .copier-answers.yml\n"
        "  do: in a project of `kindling plugins new`: git init; git add -A; git commit -m before; then again"
    )


@pytest.mark.parametrize(
    "place", [ROOT / "docs/registry/kindling.schema.json", NEWEST / "project/kindling.schema.json"], ids=str
)
def test_the_published_schema_is_made_from_the_kernels_rules(place: Path) -> None:
    assert place.read_text(encoding="utf-8") == schema_text()


@pytest.mark.parametrize("place", MANIFESTS, ids=lambda path: path.parent.name)
def test_every_manifest_of_ours_fits_the_schema(place: Path) -> None:
    jsonschema.Draft202012Validator(manifest_schema()).validate(json.loads(place.read_text(encoding="utf-8")))


WRONG = {
    "an unknown key": {"capability": {}},
    "an unknown permission": {"permissions": ["camera"]},
    "an unknown feature": {"capabilities": {"sink:x": {"api": "1.0", "features": ["durabel"]}}},
    "an unknown kind": {"capabilities": {"sing:x": {"api": "1.0"}}},
    "no version": {"capabilities": {"sink:x": {"api": "one"}}},
    "a storage without a probe": {"capabilities": {"storage:x": {"api": "1.0"}}},
    "a probe of no storage": {"capabilities": {"sink:x": {"api": "1.0", "probe": "none"}}},
}


@pytest.mark.parametrize("case", WRONG)
def test_the_schema_refuses_what_the_kernel_refuses(case: str) -> None:
    plain = {"schema": "kindling.manifest/1", "distribution": "x", "capabilities": {}, **WRONG[case]}
    assert list(jsonschema.Draft202012Validator(manifest_schema()).iter_errors(plain))
