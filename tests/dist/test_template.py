"""A copy of plugins/_template, with a name of its own, is a working plugin."""

from __future__ import annotations

import shutil
from pathlib import Path
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from conftest import Built, Installed

TEMPLATE = Path(__file__).parent.parent.parent / "plugins" / "_template"
LEAVE = shutil.ignore_patterns(".*", "__pycache__", "*.egg-info")
PLACES = (("plugin-name", "plugin-{}"), ("plugin_name", "plugin_{}"), (":name", ":{}"), ('"name"', '"{}"'))
"""Where the template has a name, as in "Write a plugin" in CONTRIBUTING.md."""


def copy_template(target: Path, name: str) -> None:
    """Copy the template into a new folder and put the name of a plugin into texts and paths."""
    shutil.copytree(TEMPLATE, target, ignore=LEAVE)
    for path in sorted(target.rglob("*"), reverse=True):
        if path.is_file():
            text = path.read_text(encoding="utf-8")
            for old, new in PLACES:
                text = text.replace(old, new.format(name))
            path.write_text(text, encoding="utf-8")
        path.rename(path.with_name(path.name.replace("plugin_name", f"plugin_{name}")))


def test_a_copy_with_another_name_installs_and_passes_its_tests(
    built: dict[str, Built], installed: Installed, tmp_path: Path
) -> None:
    copy = tmp_path / "kindling-plugin-attic"
    copy_template(copy, "attic")
    made = installed([built["kindling-core"].requirement("[testing]"), "polars", str(copy)])
    assert "storage:attic" in made.done("kindling", "plugins", "list", cwd=tmp_path)
    assert " passed" in made.done("python", "-m", "pytest", "-q", "-W", "error", cwd=copy)
