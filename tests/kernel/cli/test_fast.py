"""The fast path: what it may import, and that it says the same as the ordinary commands."""

from __future__ import annotations

import subprocess
import sys
from typing import TYPE_CHECKING

import pytest

if TYPE_CHECKING:
    from tests.kernel.cli.conftest import Project

FORBIDDEN = (
    "click", "pluggy", "msgspec", "dataclasses", "typing", "tomllib", "importlib.metadata",
    "importlib_metadata", "pathlib", "logging", "inspect", "dynaconf", "structlog", "rich", "sqlglot",
    "asyncio", "pyarrow", "duckdb", "sqlframe", "deltalake", "pyspark", "pysail", "pandas",
)  # fmt: skip
PROGRAM = """
import sys
before = set(sys.modules)
from kindling.__main__ import main

try:
    main()
except SystemExit as end:
    code = end.code or 0
print("modules", code, *sorted(set(sys.modules) - before))
"""


def modules_of(project: Project, *arguments: str) -> set[str]:
    """Return the modules that a command imports beyond those of the interpreter's start."""
    done = subprocess.run(
        [sys.executable, "-c", PROGRAM, *arguments],
        cwd=project.path,
        env=project.environment(),
        capture_output=True,
        text=True,
        check=True,
    )
    word, code, *names = done.stdout.splitlines()[-1].split()
    assert (word, code) == ("modules", "0"), done.stderr
    return set(names)


def plugins_in(names: set[str]) -> set[str]:
    return {name for name in names if name.startswith("kindling_plugin_")}


def test_the_version_imports_nearly_nothing(folder: Project) -> None:
    names = modules_of(folder, "--version")
    assert names == {"__future__", "kindling", "kindling.__main__"}


def test_a_warm_list_of_plugins_imports_no_plugin_and_nothing_heavy(shop: Project) -> None:
    for arguments in (("plugins", "list"), ("plugins", "list", "--json")):
        modules_of(shop, *arguments)
        names = modules_of(shop, *arguments)
        assert not names.intersection(FORBIDDEN)
        assert not plugins_in(names)


@pytest.mark.parametrize("arguments", [("run",), ("run", "--env", "dev"), ("run", "-e", "dev")])
def test_a_run_in_which_nothing_changed_imports_probes_and_nothing_heavy(
    made_shop: Project, arguments: tuple[str, ...]
) -> None:
    modules_of(made_shop, *arguments)
    names = modules_of(made_shop, *arguments)
    assert not names.intersection(FORBIDDEN)
    assert {"kindling_plugin_delta.probe", "kindling_plugin_files.probe"} <= names
    assert not {name for name in plugins_in(names) if name.endswith((".plugin", ".storage", ".engine"))}


def test_the_ordinary_command_says_the_same_of_a_run_in_which_nothing_changed(made_shop: Project) -> None:
    fast, ordinary = made_shop("run"), made_shop("-C", ".", "run")
    assert fast == ordinary
    assert fast.err == "nothing changed: 3 entities of shop in dev are up to date\n"


def test_what_is_unusual_goes_to_the_ordinary_command(shop: Project) -> None:
    done = shop("run", "--env", "nowhere")
    assert done.code == 2
    assert done.err.startswith("KDL-CONF-")
    assert "No such option" in shop("run", "--no-such-option").err
    assert "No such option" in shop("plugins", "list", "--no-such-option").err
