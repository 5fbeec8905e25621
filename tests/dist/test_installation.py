"""What an installation of wheels can do, without checkout and without network."""

from __future__ import annotations

import json
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

if TYPE_CHECKING:
    from conftest import Built, Environment, Installed

ROOT = Path(__file__).parent.parent.parent
PLUGINS = [folder.name for folder in sorted(ROOT.glob("plugins/kindling-plugin-*"))]
CHOSEN_ENGINE = ("kindling-plugin-sail", "kindling-plugin-spark")
"""Their engine is chosen by an extra, or is large (`tox -e spark` installs it): loaded are their offers."""
LEFT_OUT = ("kindling.testing", "kindling.signatures")
"""What needs the extra `testing`, and what only type checkers read."""
IMPORT_ALL = """
import importlib, pkgutil, sys
package = importlib.import_module(sys.argv[1])
left_out = tuple(sys.argv[2:])
for module in pkgutil.walk_packages(package.__path__, package.__name__ + "."):
    if not module.name.startswith(left_out or "."):
        importlib.import_module(module.name)
print(package.__file__)
"""


@pytest.fixture(scope="session")
def kernel(built: dict[str, Built], installed: Installed) -> Environment:
    return installed([built["kindling-core"].requirement()])


def test_the_kernel_works_alone(kernel: Environment, tmp_path: Path) -> None:
    assert kernel.done("kindling", "--version", cwd=tmp_path) == "kindling 0.1.0\n"
    assert "site-packages" in kernel.done("python", "-c", IMPORT_ALL, "kindling", *LEFT_OUT, cwd=tmp_path)
    assert "state:sqlite" in kernel.done("kindling", "plugins", "list", cwd=tmp_path)
    assert "# KDL-DECL-001" in kernel.done("kindling", "explain", "KDL-DECL-001", cwd=tmp_path)


@pytest.mark.parametrize("name", [name for name in PLUGINS if name not in CHOSEN_ENGINE])
def test_a_plugin_works_with_what_it_declares(
    built: dict[str, Built], installed: Installed, tmp_path: Path, name: str
) -> None:
    alone = installed([built["kindling-core"].requirement(), built[name].requirement()])
    assert "site-packages" in alone.done("python", "-c", IMPORT_ALL, built[name].package, cwd=tmp_path)


@pytest.mark.parametrize("name", CHOSEN_ENGINE)
def test_an_offer_loads_without_its_engine(
    built: dict[str, Built], installed: Installed, tmp_path: Path, name: str
) -> None:
    own = built[name]
    bare = installed([built["kindling-core"].requirement()])
    bare.add("--no-deps", own.requirement())
    bare.done("python", "-c", f"import {own.package}.plugin as p; p.kindling_platform_offers()", cwd=tmp_path)
    assert name in bare.done("kindling", "plugins", "list", cwd=tmp_path)


def test_sail_works_with_its_client(everything: Environment, tmp_path: Path) -> None:
    script = tmp_path / "imports.py"  # pyspark takes a process without a file for a doctest of its own
    script.write_text(IMPORT_ALL)
    everything.done("python", str(script), "kindling_plugin_sail", cwd=tmp_path)


def test_all_plugins_are_listed_without_faults(everything: Environment, tmp_path: Path) -> None:
    listed = json.loads(everything.done("kindling", "plugins", "list", "--json", cwd=tmp_path))
    found = {item["distribution"] for item in listed["capabilities"]}
    assert found == {"kindling-core", *PLUGINS} - {"kindling-plugin-spark"}
    assert {item["state"] for item in listed["capabilities"]} == {"ready"}
    assert (listed["faults"], listed["conflicts"]) == ([], [])


@pytest.mark.parametrize("platform", ["duckdb", "sail"])
def test_a_new_project_is_tested_and_run_offline(
    everything: Environment, tmp_path: Path, platform: str
) -> None:
    everything.done("kindling", "init", "demo", "--platform", platform, cwd=tmp_path)
    demo = tmp_path / "demo"
    assert "nothing is wrong" in everything.done("kindling", "doctor", cwd=demo)
    assert "2 passed" in everything.done("kindling", "test", cwd=demo)
    everything.done("kindling", "run", cwd=demo)
    shown = json.loads(everything.done("kindling", "show", "gold.revenue", "--json", cwd=demo))
    assert shown["rows"] == [["2026-01-01", 2, 11.25], ["2026-01-02", 1, 15.0], ["2026-01-03", 1, 5.0]]
