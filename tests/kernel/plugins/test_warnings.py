"""Revoked and vulnerable plugins before a run."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from kindling.errors import PolicyError
from kindling.plugins.manifest import Distribution
from kindling.plugins.warnings import NAME, SCHEMA, enforce_warnings, warned

INSTALLED = (Distribution("kindling-plugin-ore", "1.2.0", "ore", ""),)


def _write(folder: Path, **changes: object) -> None:
    row = {
        "name": "kindling-plugin-ore",
        "kind": "revoked",
        "id": "",
        "specifiers": [">=1,<1.3"],
        "versions": [],
        "why": "stolen key",
        **changes,
    }
    (folder / NAME).write_text(json.dumps({"schema": SCHEMA, "warnings": [row]}))


def test_a_revoked_plugin_is_refused_and_a_vulnerable_one_told(tmp_path: Path) -> None:
    _write(tmp_path)
    with pytest.raises(PolicyError) as caught:
        enforce_warnings(warned(str(tmp_path), INSTALLED, {}))
    assert str(caught.value) == (
        "KDL-POL-032: the plugin 'kindling-plugin-ore' 1.2.0 is revoked\n"
        "  why: stolen key\n"
        "  do: kindling plugins update kindling-plugin-ore, or kindling plugins uninstall kindling-plugin-ore"
    )
    told = warned(str(tmp_path), INSTALLED, {"revoked": "warn"})
    enforce_warnings(told)
    assert [str(item) for item in told] == ["kindling-plugin-ore 1.2.0 is revoked: stolen key"]
    _write(tmp_path, kind="vulnerable", id="KINDSA-2026-0001", specifiers=[], versions=["1.2.0"], why="leaks")
    told = warned(str(tmp_path), INSTALLED, {})
    assert [str(item) for item in told] == [
        "kindling-plugin-ore 1.2.0 is vulnerable: KINDSA-2026-0001: leaks"
    ]
    assert not told[0].is_refused


def test_other_versions_other_plugins_and_broken_files_say_nothing(tmp_path: Path) -> None:
    assert warned(str(tmp_path), INSTALLED, {}) == ()
    _write(tmp_path, specifiers=["<1"])
    assert warned(str(tmp_path), INSTALLED, {}) == ()
    _write(tmp_path, name="kindling-plugin-other")
    assert warned(str(tmp_path), INSTALLED, {}) == ()
    (tmp_path / NAME).write_text("{")
    assert warned(str(tmp_path), INSTALLED, {}) == ()
