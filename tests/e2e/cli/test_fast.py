"""The fast path: what it may import, and that it says the same as the ordinary commands."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

if TYPE_CHECKING:
    from terminal import Terminal

FORBIDDEN = (
    "click", "pluggy", "msgspec", "dataclasses", "typing", "tomllib", "importlib.metadata",
    "importlib_metadata", "pathlib", "logging", "inspect", "dynaconf", "structlog", "rich", "sqlglot",
    "asyncio", "pyarrow", "duckdb", "sqlframe", "deltalake", "pyspark", "pysail", "pandas",
)  # fmt: skip


def plugins_in(names: set[str]) -> set[str]:
    return {name for name in names if name.startswith("kindling_plugin_")}


def test_a_warm_list_of_plugins_imports_no_plugin_and_nothing_heavy(shop: Terminal) -> None:
    for arguments in (("plugins", "list"), ("plugins", "list", "--json")):
        shop.imports(*arguments)
        names = shop.imports(*arguments)
        assert not names.intersection(FORBIDDEN)
        assert not plugins_in(names)


@pytest.mark.parametrize(
    "arguments", [("run",), ("run", "--env", "dev"), ("run", "-e", "dev"), ("run", "-w", "2")]
)
def test_a_run_in_which_nothing_changed_imports_probes_and_nothing_heavy(
    made_shop: Terminal, arguments: tuple[str, ...]
) -> None:
    made_shop.imports(*arguments)
    names = made_shop.imports(*arguments)
    assert not names.intersection(FORBIDDEN)
    assert {"kindling_plugin_delta.probe", "kindling_plugin_files.probe"} <= names
    assert not {name for name in plugins_in(names) if name.endswith((".plugin", ".storage", ".engine"))}


def test_the_ordinary_command_says_the_same_of_a_run_in_which_nothing_changed(made_shop: Terminal) -> None:
    fast, ordinary = made_shop.process("run"), made_shop.process("-C", ".", "run")
    assert fast == ordinary
    assert fast.err == "nothing changed: 3 entities of shop in dev are up to date\n"
