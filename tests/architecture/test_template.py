"""Plugins and their template drift apart together or not at all."""

from __future__ import annotations

import tomllib
from pathlib import Path

import pytest

from kindling.plugins.manifest import Distribution, parse_manifest

ROOT = Path(__file__).parent.parent.parent
TEMPLATE = ROOT / "plugins" / "_template"
PLUGINS = sorted(ROOT.glob("plugins/kindling-plugin-*"))
OWN = ("storage.py", "test_storage.py", "+name.added.md")
"""Files of the template that only its own kind of plugin has."""

each_plugin = pytest.mark.parametrize("plugin", PLUGINS, ids=lambda path: path.name)


def named(text: str, plugin: Path) -> str:
    """Return a text of the template for a plugin."""
    name = plugin.name.removeprefix("kindling-plugin-")
    return text.replace("plugin-name", f"plugin-{name}").replace("plugin_name", f"plugin_{name}")


def project(folder: Path) -> dict[str, dict[str, object]]:
    found: dict[str, dict[str, object]] = tomllib.loads(
        (folder / "pyproject.toml").read_text(encoding="utf-8")
    )
    return found


def shape() -> list[str]:
    """Return the files that every plugin has, with the template's name."""
    files = (path for path in TEMPLATE.rglob("*") if path.is_file() and path.name not in OWN)
    return sorted(
        path.relative_to(TEMPLATE).as_posix()
        for path in files
        if not {part for part in path.parts if part.startswith((".", "__pyc")) or part.endswith(".egg-info")}
    )


@each_plugin
def test_a_plugin_has_every_file_of_the_template(plugin: Path) -> None:
    assert len(shape()) == 9
    assert [name for name in shape() if not (plugin / named(name, plugin)).is_file()] == []


@each_plugin
def test_tools_are_set_as_in_the_template(plugin: Path) -> None:
    template, own = project(TEMPLATE), project(plugin)
    assert named(repr(template["tool"]["towncrier"]), plugin) == repr(own["tool"]["towncrier"])
    assert template["build-system"] == own["build-system"]
    assert set(own) - {"dependency-groups"} == set(template) - {"dependency-groups"}
    assert set(own["project"]) - {"optional-dependencies"} == set(template["project"])
    for key in ("version", "readme", "requires-python", "license", "license-files", "authors"):
        assert own["project"][key] == template["project"][key], key


@each_plugin
def test_a_plugin_is_said_to_be_tested_by_a_contract(plugin: Path) -> None:
    text = (plugin / "tests" / "test_conformance.py").read_text(encoding="utf-8")
    assert f'plugin = "{plugin.name.replace("-", "_")}"' in text


@pytest.mark.parametrize("folder", [*PLUGINS, TEMPLATE], ids=lambda path: path.name)
def test_licences_are_copies_of_the_one_at_the_top(folder: Path) -> None:
    assert (folder / "LICENSE").read_bytes() == (ROOT / "LICENSE").read_bytes()


def test_the_manifest_of_the_template_has_no_faults() -> None:
    place = TEMPLATE / "src" / "kindling_plugin_name" / "kindling.json"
    owner = Distribution("kindling-plugin-name", "0.1.0", "kindling_plugin_name", str(place))
    modules = {"storage:name": "kindling_plugin_name.plugin"}
    _, capabilities = parse_manifest(place.read_text(encoding="utf-8"), owner, modules)
    assert [(item.id, item.probe) for item in capabilities] == [("storage:name", "none")]
