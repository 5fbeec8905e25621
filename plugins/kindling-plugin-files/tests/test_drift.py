from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
from kindling_plugin_files.drift import widened

from kindling.errors import StoreError
from kindling.schemas import parse_schema

STORAGES = ["csv", "json", "parquet"]


@pytest.mark.parametrize("storage", STORAGES)
def test_appending_other_columns_fails_by_default(files: Any, tmp_path: Path, storage: str) -> None:
    store = files.store(storage, tmp_path / "out")
    files.append(store, {"a": [1], "b": ["x"]}, "r1")
    with pytest.raises(StoreError) as caught:
        files.append(store, {"a": [1.5], "c": [1]}, "r2")
    assert str(caught.value) == (
        "KDL-STORE-210: 'silver.x' has other columns than its table\n"
        "  why: column 'c' is new; column 'b' is missing; column 'a' is double, and bigint in the table\n"
        '  do: change the pipe, declare drift="evolve" or drift="warn", or run with --full-refresh'
    )
    assert files.rows(store) == [(1, "x")]


@pytest.mark.parametrize("storage", STORAGES)
def test_other_order_and_letter_case_are_no_drift(files: Any, tmp_path: Path, storage: str) -> None:
    store = files.store(storage, tmp_path / "out")
    files.append(store, {"a": [1], "b": ["x"]}, "r1")
    files.append(store, {"B": ["y"], "A": [2]}, "r2")
    assert files.rows(store) == [(1, "x"), (2, "y")]


@pytest.mark.parametrize("storage", STORAGES)
def test_warn_writes_the_common_columns_and_says_what_differed(
    files: Any, tmp_path: Path, storage: str
) -> None:
    store = files.store(storage, tmp_path / "out")
    files.append(store, {"a": [1], "b": ["x"]}, "r1")
    commit = files.append(store, {"a": [2], "c": [True]}, "r2", drift="warn")
    assert commit.warnings == ("column 'c' is new", "column 'b' is missing")
    assert files.rows(store) == [(1, "x"), (2, None)]


@pytest.mark.parametrize("storage", STORAGES)
def test_evolve_adds_columns_and_widens_types(files: Any, tmp_path: Path, storage: str) -> None:
    store = files.store(storage, tmp_path / "out")
    files.write(store, {"a": [1], "b": ["x"]}, "a int, b string")
    commit = files.append(
        store, {"c": [True], "a": [2**40]}, "r2", drift="evolve", schema="c boolean, a bigint"
    )
    assert commit.warnings == ()
    assert files.rows(store) == [(1, "x", None), (2**40, None, True)]
    assert store.schema() == parse_schema("a bigint, b string, c boolean")
    with pytest.raises(StoreError, match="why: column 'b' is bigint, and string in the table"):
        files.append(store, {"b": [1]}, "r3", drift="evolve")


def test_evolved_files_without_a_header_are_read_by_place(files: Any, tmp_path: Path) -> None:
    store = files.store("csv", tmp_path / "out", header=False)
    files.append(store, {"a": [1]}, "r1")
    files.append(store, {"a": [2], "b": ["x"]}, "r2", drift="evolve")
    assert files.rows(store) == [(1, None), (2, "x")]


@pytest.mark.parametrize(
    ("stored", "given", "both"),
    [
        ("int", "bigint", "bigint"),
        ("bigint", "tinyint", "bigint"),
        ("float", "double", "double"),
        ("decimal(5,2)", "decimal(6,1)", "decimal(7,2)"),
        ("decimal(38,0)", "decimal(38,10)", ""),
        ("string", "int", ""),
        ("date", "date", "date"),
    ],
)
def test_types_only_widen(stored: str, given: str, both: str) -> None:
    assert widened(stored, given) == both
