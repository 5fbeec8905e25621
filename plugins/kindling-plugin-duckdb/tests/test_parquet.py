"""Parquet by path: folders appear whole or not at all."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import pytest

from kindling.errors import StoreError
from kindling.hooks.platform import PathRead, PathWrite
from kindling.schemas import Schema, parse_schema

if TYPE_CHECKING:
    from pathlib import Path

    from kindling_plugin_duckdb.session import DuckDBSession


def files(folder: Path) -> list[str]:
    return sorted(str(path.relative_to(folder)) for path in folder.rglob("*") if path.is_file())


def test_rows_survive_with_their_types(session: DuckDBSession, table: Any, tmp_path: Path) -> None:
    session.save(table, PathWrite("parquet", str(tmp_path / "t"), "overwrite"))
    back = session.load(PathRead("parquet", (str(tmp_path / "t"),)))
    assert session.schema(back) == session.schema(table)
    assert sorted(session.collect(back).rows, key=repr) == sorted(session.collect(table).rows, key=repr)


def test_append_adds_and_overwrite_replaces(session: DuckDBSession, make: Any, tmp_path: Path) -> None:
    target = tmp_path / "t"
    for mode, value in (("error", 1), ("append", 2)):
        session.save(make("n int", [(value,)]), PathWrite("parquet", target.as_uri(), mode))
    assert len(files(target)) == 2
    assert session.count(session.load(PathRead("parquet", (target.as_uri(),)))) == 2
    session.save(make("n int", [(3,)]), PathWrite("parquet", str(target), "overwrite"))
    assert session.collect(session.load(PathRead("parquet", (str(target),)))).rows == ((3,),)
    assert [path.name for path in tmp_path.iterdir()] == ["t"]


def test_partitions_are_folders_and_appending_keeps_the_others(
    session: DuckDBSession, make: Any, tmp_path: Path
) -> None:
    target = tmp_path / "t"
    write = PathWrite("parquet", str(target), "append", partition_by=("p",))
    session.save(make("n int, p string", [(1, "a"), (2, "b")]), write)
    session.save(make("n int, p string", [(3, "b")]), write)
    assert sorted(path.name for path in target.iterdir()) == ["p=a", "p=b"]
    assert len(files(target)) == 3


def test_an_existing_folder_is_refused(session: DuckDBSession, make: Any, tmp_path: Path) -> None:
    target = str(tmp_path / "t")
    session.save(make("n int", [(1,)]), PathWrite("parquet", target, "error"))
    with pytest.raises(StoreError) as caught:
        session.save(make("n int", [(2,)]), PathWrite("parquet", target, "error"))
    assert str(caught.value).splitlines() == [
        f"KDL-INFRA-204: {target!r} exists",
        "  do: remove it, or overwrite it",
    ]


def test_a_failed_write_leaves_the_old_folder_and_no_file(
    session: DuckDBSession, make: Any, tmp_path: Path
) -> None:
    target = tmp_path / "t"
    session.save(make("n int", [(1,)]), PathWrite("parquet", str(target), "overwrite"))
    before = files(tmp_path)
    bad = session.fail_when(make("n int", [(2,)]), {"M-BAD": "n = 2"})
    for mode in ("overwrite", "append"):
        with pytest.raises(Exception, match="M-BAD"):
            session.save(bad, PathWrite("parquet", str(target), mode))
        assert files(tmp_path) == before


def test_files_are_matched_by_column_name_and_cast(session: DuckDBSession, make: Any, tmp_path: Path) -> None:
    first, second = str(tmp_path / "a"), str(tmp_path / "b")
    session.save(make("n int, s string", [(1, "x")]), PathWrite("parquet", first, "error"))
    session.save(make("s string", [("y",)]), PathWrite("parquet", second, "error"))
    wanted = parse_schema("s string, n bigint")
    frame = session.load(PathRead("parquet", (first, second), schema=wanted))
    assert session.schema(frame) == wanted
    assert sorted(session.collect(frame).rows, key=repr) == [("x", 1), ("y", None)]
    assert session.schema(session.load(PathRead("parquet", (first,)))) == Schema.of(n="int", s="string")


def test_object_stores_are_refused_without_touching_the_network(session: DuckDBSession) -> None:
    with pytest.raises(StoreError) as caught:
        session.load(PathRead("parquet", ("s3://bucket/t",)))
    assert str(caught.value).splitlines() == [
        "KDL-INFRA-203: 's3://bucket/t' is not a local path",
        "  why: duckdb reads object stores only with an extension from the network",
        "  do: use a storage that reads by Arrow, such as delta, or another platform",
    ]
