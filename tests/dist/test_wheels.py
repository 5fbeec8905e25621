"""What the built files hold: all that the sources have, and nothing else."""

from __future__ import annotations

import tarfile
from configparser import ConfigParser
from email import message_from_string
from fnmatch import fnmatch
from pathlib import Path
from typing import TYPE_CHECKING
from zipfile import ZipFile

import pytest
from packaging.requirements import Requirement

if TYPE_CHECKING:
    from conftest import Built

ROOT = Path(__file__).parent.parent.parent
NAMES = ["kindling-core", *(folder.name for folder in sorted(ROOT.glob("plugins/kindling-plugin-*")))]
SHAPE = {"__init__.py", "py.typed", "kindling.json"}
KERNEL = {"pages/KDL-DECL-001.md", "cli/schemas/plan.json", "cli/templates/project/kindling.toml.txt"}

each = pytest.mark.parametrize("name", NAMES)


def metadata_file(built: Built, name: str) -> str:
    stem = built.wheel.name.split("-py3")[0]
    with ZipFile(built.wheel) as wheel:
        return wheel.read(f"{stem}.dist-info/{name}").decode("utf-8")


@each
def test_a_wheel_holds_its_package_and_metadata_only(built: dict[str, Built], name: str) -> None:
    own = built[name]
    stem = own.wheel.name.split("-py3")[0]
    sources = {
        f"{own.package}/{path.relative_to(own.source).as_posix()}"
        for path in own.source.rglob("*")
        if path.is_file() and "__pycache__" not in path.parts
    }
    described = {"METADATA", "RECORD", "WHEEL", "entry_points.txt", "licenses/LICENSE"}
    with ZipFile(own.wheel) as wheel:
        files = {entry for entry in wheel.namelist() if not entry.endswith("/")}
    assert files == sources | {f"{stem}.dist-info/{entry}" for entry in described}
    assert {f"{own.package}/{entry}" for entry in SHAPE} <= files
    assert not [entry for entry in files if entry.endswith(".pth") or fnmatch(entry, "*/test_*.py")]


def test_pages_schemas_and_templates_are_in_the_kernels_wheel(built: dict[str, Built]) -> None:
    with ZipFile(built["kindling-core"].wheel) as wheel:
        assert {f"kindling/{entry}" for entry in KERNEL} <= set(wheel.namelist())


@each
def test_a_source_archive_holds_what_a_build_needs_and_no_tests(built: dict[str, Built], name: str) -> None:
    own = built[name]
    stem = own.sdist.name.removesuffix(".tar.gz")
    with tarfile.open(own.sdist) as archive:
        files = {member.name.removeprefix(f"{stem}/") for member in archive.getmembers() if member.isfile()}
    prefix = own.package if name == "kindling-core" else f"src/{own.package}"
    rest = {entry for entry in files if not entry.startswith(f"{prefix}/")}
    # Newer versions of uv_build keep the project file as it was, too.
    assert rest - {"pyproject.toml.orig"} == {"LICENSE", "PKG-INFO", "README.md", "pyproject.toml"}


@each
def test_metadata_is_complete(built: dict[str, Built], name: str) -> None:
    own = built[name]
    found = message_from_string(metadata_file(own, "METADATA"))
    assert (found["Name"], found["Version"]) == (name, own.project["version"])
    assert found["Summary"] == own.project["description"]
    assert (found["License-Expression"], found["License-File"]) == ("Apache-2.0", "LICENSE")
    assert found["Requires-Python"] == ">=3.11"
    assert found["Description-Content-Type"] == "text/markdown"
    assert found.get_payload().startswith("# ")  # type: ignore[union-attr]  # a text, as it is not multipart


@each
def test_the_wheel_requires_what_the_project_says(built: dict[str, Built], name: str) -> None:
    own = built[name]
    found = message_from_string(metadata_file(own, "METADATA"))
    required = [Requirement(text) for text in found.get_all("Requires-Dist") or []]
    assert [item.url for item in required if item.url] == []
    always = {str(item) for item in required if item.marker is None}
    assert always == {str(Requirement(text)) for text in own.project["dependencies"]}  # type: ignore[attr-defined]  # a list
    extras = own.project.get("optional-dependencies", {})
    assert set(found.get_all("Provides-Extra") or []) == set(extras)  # type: ignore[call-overload]  # a table


@each
def test_entry_points_are_those_of_the_project(built: dict[str, Built], name: str) -> None:
    own = built[name]
    found = ConfigParser()
    found.optionxform = str  # type: ignore[assignment, method-assign]  # names keep their case
    found.read_string(metadata_file(own, "entry_points.txt"))
    stated = dict(own.project["entry-points"])  # type: ignore[call-overload]  # a table
    if "scripts" in own.project:
        stated["console_scripts"] = own.project["scripts"]
    assert {section: dict(found[section]) for section in found.sections()} == stated
