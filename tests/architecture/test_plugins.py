"""Every plugin has one shape, so that who knows one knows all."""

from __future__ import annotations

import importlib
import json
import re
import tomllib
from pathlib import Path

import pytest

ROOT = Path(__file__).parent.parent.parent
PLUGINS = sorted(ROOT.glob("plugins/kindling-plugin-*"))
KEYS = {
    "name",
    "version",
    "description",
    "readme",
    "requires-python",
    "license",
    "license-files",
    "authors",
    "dependencies",
    "entry-points",
}
SECTIONS = ["What it offers", "Install", "Example", "Limits"]
PERMISSIONS = {"files", "network", "process"}

each_plugin = pytest.mark.parametrize("plugin", PLUGINS, ids=lambda path: path.name)


def package(plugin: Path) -> Path:
    return plugin / "src" / plugin.name.replace("-", "_")


def project(plugin: Path) -> dict[str, object]:
    found: dict[str, object] = tomllib.loads((plugin / "pyproject.toml").read_text(encoding="utf-8"))
    return found


def manifest(folder: Path) -> dict[str, dict[str, dict[str, object]]]:
    found: dict[str, dict[str, dict[str, object]]] = json.loads(
        (folder / "kindling.json").read_text(encoding="utf-8")
    )
    return found


def offered(pyproject: Path) -> set[str]:
    """Return the capabilities that entry points name."""
    groups = tomllib.loads(pyproject.read_text(encoding="utf-8"))["project"]["entry-points"]
    return {
        f"{group.removeprefix('kindling.')}:{name}"
        for group, entries in groups.items()
        if group not in ("kindling.manifest", "pytest11")
        for name in entries
    }


def test_there_are_plugins() -> None:
    assert len(PLUGINS) >= 6


@each_plugin
def test_a_plugin_has_the_files_of_its_shape(plugin: Path) -> None:
    missing = [
        name
        for name in ("pyproject.toml", "LICENSE", "README.md", "CHANGELOG.md", "changes", "src", "tests")
        if not (plugin / name).exists()
    ]
    missing += [
        name
        for name in ("__init__.py", "py.typed", "kindling.json", "plugin.py")
        if not (package(plugin) / name).exists()
    ]
    assert missing == []
    assert [path.name for path in (plugin / "src").iterdir() if path.suffix != ".egg-info"] == [
        package(plugin).name
    ]


@each_plugin
def test_a_project_file_has_the_common_keys(plugin: Path) -> None:
    found = project(plugin)
    section = found["project"]
    assert isinstance(section, dict)
    assert set(section) - {"optional-dependencies"} == KEYS
    assert section["name"] == plugin.name
    assert (section["version"], section["requires-python"], section["license"]) == (
        "0.1.0",
        ">=3.11",
        "Apache-2.0",
    )
    assert section["dependencies"][0] == "kindling-core>=0.1,<0.2"
    assert section["entry-points"]["kindling.manifest"] == {plugin.name: package(plugin).name}
    assert found["build-system"] == {"requires": ["uv_build>=0.9,<1"], "build-backend": "uv_build"}


@each_plugin
def test_entry_points_and_the_manifest_name_the_same_capabilities(plugin: Path) -> None:
    stated = manifest(package(plugin))
    assert set(stated["capabilities"]) == offered(plugin / "pyproject.toml")
    assert str(stated["schema"]) == "kindling.manifest/1"
    assert str(stated["distribution"]) == plugin.name
    assert set(stated) == {"schema", "distribution", "capabilities", "permissions", "conflicts"}
    assert set(stated["permissions"]) <= PERMISSIONS


def test_the_kernel_states_its_own_capabilities_in_the_same_way() -> None:
    stated = manifest(ROOT / "kindling")
    assert set(stated["capabilities"]) == offered(ROOT / "pyproject.toml")


@each_plugin
def test_features_are_on_the_closed_list_of_their_kind(plugin: Path) -> None:
    for capability, stated in manifest(package(plugin))["capabilities"].items():
        kind = importlib.import_module(f"kindling.hooks.{capability.partition(':')[0]}")
        features = stated["features"]
        assert isinstance(features, list)
        unknown = [
            item for item in features if item not in kind.FEATURES and not item.startswith(("x-", "catalog:"))
        ]
        assert (unknown, stated["api"]) == ([], kind.API)


@each_plugin
def test_a_readme_has_four_sections(plugin: Path) -> None:
    text = (plugin / "README.md").read_text(encoding="utf-8")
    assert text.startswith(f"# {plugin.name}\n")
    assert re.findall(r"^## (.+)$", text, re.MULTILINE) == SECTIONS


@each_plugin
def test_the_package_holds_a_docstring_and_a_version_only(plugin: Path) -> None:
    text = (package(plugin) / "__init__.py").read_text(encoding="utf-8")
    code = [line for line in text.partition('"""\n')[2].splitlines() if line]
    assert text.startswith('"""')
    assert code == ["from __future__ import annotations", '__version__ = "0.1.0"']


@each_plugin
def test_the_plugin_module_holds_offers_only(plugin: Path) -> None:
    assert len((package(plugin) / "plugin.py").read_text(encoding="utf-8").splitlines()) <= 60


@each_plugin
def test_a_plugin_has_fragments_of_its_changelog(plugin: Path) -> None:
    kinds = "removed|deprecated|added|changed|fixed|security"
    wrong = [
        path.name
        for path in (plugin / "changes").iterdir()
        if not re.fullmatch(rf"\+[a-z0-9-]+\.({kinds})\.md|\.gitkeep", path.name)
    ]
    assert wrong == []


@each_plugin
def test_every_module_of_a_plugin_has_tests(plugin: Path) -> None:
    assert (plugin / "tests" / "test_conformance.py").exists()
