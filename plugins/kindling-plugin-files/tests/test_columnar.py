from __future__ import annotations

from pathlib import Path
from typing import Any

import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from kindling.errors import StoreError
from kindling.hooks.storage import ReadRequest
from kindling.schemas import Schema, parse_schema


def put(path: Path, columns: dict[str, object]) -> Path:
    path.parent.mkdir(parents=True, exist_ok=True)
    pq.write_table(pa.table(columns), path)
    return path


def refused(files: Any, *arguments: object, **options: object) -> str:
    with pytest.raises(StoreError) as caught:
        files.read(*arguments, **options)
    return str(caught.value)


def test_files_folders_and_globs_are_read(files: Any, tmp_path: Path) -> None:
    put(tmp_path / "a.parquet", {"a": [1]})
    put(tmp_path / "b.parquet", {"a": [2]})
    assert files.read("parquet", tmp_path / "a.parquet") == [(1,)]
    assert files.read("parquet", tmp_path) == [(1,), (2,)]
    assert files.read("parquet", tmp_path / "b*") == [(2,)]
    assert files.store("parquet", tmp_path).schema() == Schema.of(a="bigint")


def test_files_that_differ_in_names_or_types_are_refused(files: Any, tmp_path: Path) -> None:
    put(tmp_path / "a.parquet", {"a": [1]})
    other = put(tmp_path / "b.parquet", {"a": [1.5]})
    assert refused(files, "parquet", tmp_path) == (
        "KDL-STORE-206: the files of 'bronze.flights' have different columns\n"
        "  why: 'a' is double in b.parquet and bigint in a.parquet\n"
        f"  where: {other}\n"
        "  do: write the file again with the other type, or make the glob of the entity narrower"
    )
    put(tmp_path / "b.parquet", {"a": [1], "b": [1]})
    assert "\n  why: b.parquet is with b, compared with a.parquet\n" in refused(files, "parquet", tmp_path)


def test_a_damaged_file_is_refused(files: Any, tmp_path: Path) -> None:
    path = tmp_path / "a.parquet"
    path.write_bytes(b"no parquet at all")
    found = refused(files, "parquet", path)
    assert found.startswith(
        "KDL-STORE-002: 'bronze.flights' cannot be read\n  why: Parquet magic bytes not found"
    )
    assert found.endswith(f"\n  where: {path}")


def test_folders_that_carry_columns_give_them(files: Any, tmp_path: Path) -> None:
    put(tmp_path / "year=2013" / "city=New%20York" / "a.parquet", {"a": [1, 2]})
    put(tmp_path / "year=2014" / "city=__HIVE_DEFAULT_PARTITION__" / "a.parquet", {"a": [3]})
    store = files.store("parquet", tmp_path)
    assert store.schema() == Schema.of(a="bigint", year="bigint", city="string")
    assert files.rows(store) == [(1, 2013, "New York"), (2, 2013, "New York"), (3, 2014, None)]


def test_a_declared_schema_chooses_columns_and_widens_types(files: Any, tmp_path: Path) -> None:
    path = put(tmp_path / "a.parquet", {"a": pa.array([1], pa.int32()), "b": ["x"]})
    rows = files.rows(files.store("parquet", path), ReadRequest(schema=parse_schema("A bigint")))
    assert rows == [(1,)]
    assert "KDL-STORE-205: 'bronze.flights' has no column 'c'" in refused(
        files, "parquet", path, schema="c int"
    )
    assert "KDL-STORE-002: 'bronze.flights' cannot be read" in refused(files, "parquet", path, schema="b int")


def test_new_parquet_files_are_changes_and_must_have_the_same_columns(files: Any, tmp_path: Path) -> None:
    put(tmp_path / "a.parquet", {"a": [1]})
    cursor = files.store("parquet", tmp_path).changes(None).cursor
    put(tmp_path / "b.parquet", {"a": [2]})
    found = files.store("parquet", tmp_path).changes(cursor)
    assert files.session.preview(found.frame, 9).rows == ((2, "insert"),)
    put(tmp_path / "b.parquet", {"a": [2], "z": [1]})
    with pytest.raises(StoreError, match=r"b.parquet is with z, compared with what was read before"):
        files.store("parquet", tmp_path).changes(cursor)


def test_nested_types_are_read_back(files: Any, tmp_path: Path) -> None:
    store = files.store("parquet", tmp_path / "out")
    ddl = "l array<int>, o struct<x:int,y:string>, b binary"
    files.write(store, {"l": [[1], None], "o": [{"x": 1, "y": "z"}, None], "b": [b"x", None]}, ddl)
    assert files.rows(store) == [([1], {"x": 1, "y": "z"}, b"x"), (None, None, None)]
    assert store.schema() == parse_schema(ddl)
