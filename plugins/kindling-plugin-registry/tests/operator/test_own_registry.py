"""The public registry's source, `registry/`, says what the plugins beside it say.

Hashes of wheels are not compared: they change with every line of code, and are written anew before a
release. Everything else that a record says must be so already.
"""

from __future__ import annotations

import json
import tomllib
from pathlib import Path
from typing import Any

import pytest
from kindling_plugin_registry.formats import SCHEMA_NAMES, SUFFIX, schema_text, sha256_of
from kindling_plugin_registry.operator.adding import provides_of
from kindling_plugin_registry.operator.source import Source
from kindling_plugin_registry.operator.validation import validate
from kindling_plugin_registry.wheels import KERNEL, ordered
from packaging.requirements import Requirement

ROOT = Path(__file__).resolve().parents[4]
REGISTRY = ROOT / "registry"
PROJECTS = sorted(path.parent for path in ROOT.glob("plugins/kindling-plugin-*/pyproject.toml"))
REFRESH = "run: python requirements/registry.py"

pytestmark = pytest.mark.skipif(not REGISTRY.is_dir(), reason="tested outside of the repository")


def said(project: Path) -> dict[str, Any]:
    """Return what a record must say of a project in the tree."""
    head = tomllib.loads((project / "pyproject.toml").read_text(encoding="utf-8"))["project"]
    entries = head["entry-points"]
    modules = {
        f"{group.removeprefix('kindling.')}:{name}": module
        for group, found in entries.items()
        if group.startswith("kindling.") and group != "kindling.manifest"
        for name, module in found.items()
    }
    (package,) = entries["kindling.manifest"].values()
    content = (project / "src" / package / "kindling.json").read_bytes()
    requirements = [Requirement(text) for text in head["dependencies"]]
    return {
        "name": head["name"],
        "version": head["version"],
        "summary": head["description"],
        "requires_python": ordered(head["requires-python"]),
        "requires_kernel": ordered(next(str(r.specifier) for r in requirements if r.name == KERNEL)),
        "requires_dist": sorted(str(r) for r in requirements if r.name != KERNEL),
        "manifest_sha256": sha256_of(content),
        "provides": provides_of(json.loads(content), modules),
    }


@pytest.mark.parametrize("project", PROJECTS, ids=lambda path: path.name)
def test_records_say_what_the_plugins_say(project: Path) -> None:
    expected = said(project)
    path = REGISTRY / "plugins" / expected["name"] / "releases" / f"{expected['version']}.json"
    assert path.exists(), REFRESH
    found = json.loads(path.read_bytes())
    assert {key: found[key] for key in expected} == expected, REFRESH


def test_the_public_registry_is_sound() -> None:
    # A record of a version that was never published may be written anew: KDL-REG-023 is for others.
    faults = [fault for fault in validate(Source(REGISTRY)).faults if fault.code != "KDL-REG-023"]
    assert [str(fault) for fault in faults] == []


def test_its_schemas_are_those_of_the_plugin() -> None:
    for name in SCHEMA_NAMES:
        text = (REGISTRY / "schema" / f"{name}{SUFFIX}").read_text(encoding="utf-8")
        assert text == schema_text(name), name


def test_no_private_key_stands_in_it() -> None:
    assert not [path for path in REGISTRY.rglob("*") if path.suffix == ".pem"]
