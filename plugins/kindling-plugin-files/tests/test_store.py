from __future__ import annotations

import os
from collections.abc import Callable
from datetime import date, datetime, timezone
from pathlib import Path
from typing import Any

import pytest
from kindling_plugin_files import store as store_module

from kindling.addresses import Slice
from kindling.errors import StoreError
from kindling.hooks.storage import Changes, ReadRequest, Reads, ReportsBadRows, Store, Times, Writes
from kindling.schemas import Field, Schema

Text = Callable[[str, str | bytes], Path]
UTC = timezone.utc


def refused(call: Callable[[], object]) -> str:
    with pytest.raises(StoreError) as caught:
        call()
    return str(caught.value)


def changes(
    files: Any, store: Any, since: str | None
) -> tuple[list[tuple[object, ...]] | None, str, int | None]:
    found = store.changes(since)
    rows = None if found.frame is None else list(files.session.preview(found.frame, 100).rows)
    return rows, found.cursor, found.rows


@pytest.mark.parametrize("storage", ["csv", "json", "parquet"])
def test_a_store_has_what_its_manifest_declares(files: Any, tmp_path: Path, storage: str) -> None:
    store = files.store(storage, tmp_path / "none")
    for protocol in (Store, Reads, ReportsBadRows, Writes, Changes, Times):
        assert isinstance(store, protocol)


@pytest.mark.parametrize("storage", ["csv", "json", "parquet"])
def test_what_does_not_exist_has_no_schema_and_no_version(files: Any, tmp_path: Path, storage: str) -> None:
    store = files.store(storage, tmp_path / "none")
    assert (store.schema(), store.version()) == (None, None)


def test_a_missing_file_is_refused_with_names_that_look_alike(files: Any, text: Text, tmp_path: Path) -> None:
    text("flights.csv", "a\n1\n")
    text(".hidden", "")
    store = files.store("csv", tmp_path / "flight.csv")
    expected = (
        f"KDL-STORE-001: 'bronze.flights' has no file at {tmp_path}/flight.csv\n"
        "  why: did you mean 'flights.csv'?\n"
        "  do: check the path in its declaration"
    )
    assert refused(lambda: store.read(ReadRequest())) == expected
    assert refused(lambda: store.changes(None)) == expected
    assert refused(lambda: store.bounds("a")) == expected


def test_a_glob_without_a_match_and_an_empty_folder_are_missing(files: Any, tmp_path: Path) -> None:
    assert "has no file at" in refused(lambda: files.read("csv", tmp_path / "*.csv"))
    assert "has no file at" in refused(lambda: files.read("parquet", tmp_path))


def test_a_folder_is_read_with_its_folders_but_without_hidden_and_foreign_files(
    files: Any, text: Text, tmp_path: Path
) -> None:
    text("data/b/2.csv", "a\n2\n")
    text("data/1.csv", "a\n1\n")
    text("data/_tmp/3.csv", "a\n3\n")
    text("data/.4.csv", "a\n4\n")
    text("data/readme.md", "five")
    assert files.read("csv", tmp_path / "data") == [(1,), (2,)]


def test_object_stores_are_read_through_fsspec(files: Any) -> None:
    import fsspec

    memory = fsspec.filesystem("memory")
    memory.pipe(
        {"/bucket/in/a-1.csv": b"a\n1\n", "/bucket/in/a-2.csv": b"a\n2\n", "/bucket/in/x.txt": b"a\n3\n"}
    )
    try:
        assert files.read("csv", "memory://bucket/in/a-*.csv") == [(1,), (2,)]
        assert files.read("csv", "memory://bucket/in/a-1.csv") == [(1,)]
        assert files.read("csv", "memory://bucket/in") == [(1,), (2,), (3,)]
        assert "did you mean 'a-2.csv' or 'a-1.csv'?" in refused(
            lambda: files.read("csv", "memory://bucket/in/a-3.csv")
        )
    finally:
        memory.rm("/bucket", recursive=True)


def test_file_urls_are_local_paths(files: Any, text: Text) -> None:
    assert files.read("csv", f"file://{text('a b.csv', 'a{n}1{n}'.format(n=chr(10)))}") == [(1,)]


def test_a_file_that_changes_while_it_is_read_is_refused(files: Any, text: Text) -> None:
    path = text("a.csv", "a\n1\n")
    store = files.store("csv", path)
    honest = store._contents._reader

    def slow(origin: str) -> object:
        path.write_text("a\n1\n2\n")
        return honest(origin)

    store._contents._reader = slow
    assert refused(lambda: store.read(ReadRequest())) == (
        "KDL-STORE-213: 'bronze.flights' changed while it was read\n"
        f"  where: {path}\n"
        "  do: run again once the file is complete"
    )


def test_a_text_source_is_parsed_once_for_schema_bounds_and_read(files: Any, text: Text) -> None:
    path = text("a.csv", "d,k\n2013-01-02,1\nx\n")
    store = files.store("csv", path, on_bad_row="skip")
    assert store.schema() == Schema.of(d="date", k="bigint")
    assert store.bounds("d") == ("2013-01-02T00:00:00Z", "2013-01-02T00:00:00Z")
    assert files.rows(store) == [(date(2013, 1, 2), 1)]
    assert store.bad_rows().count == 1


def test_a_slice_of_an_interval_is_half_open(files: Any, text: Text) -> None:
    path = text("a.csv", "k,at\n1,2013-01-01T00:00:00Z\n2,2013-01-01T23:59:59Z\n3,2013-01-02T00:00:00Z\n")
    day = Slice.interval(datetime(2013, 1, 1, tzinfo=UTC), datetime(2013, 1, 2, tzinfo=UTC))
    rows = files.rows(files.store("csv", path), ReadRequest(column="at", slice=day))
    assert [row[0] for row in rows] == [1, 2]


def test_conditions_fit_the_type_of_the_column() -> None:
    interval = Slice("interval", "2013-01-01T00:00:00Z", "2013-01-02T12:00:00Z")
    condition = store_module.interval_condition
    assert condition("a", Field("a", "timestamp"), interval) == (
        "`a` >= CAST('2013-01-01T00:00:00Z' AS TIMESTAMP) AND `a` < CAST('2013-01-02T12:00:00Z' AS TIMESTAMP)"
    )
    assert condition("a", Field("a", "date"), interval) == (
        "`a` >= CAST('2013-01-01' AS DATE) AND `a` < CAST('2013-01-03' AS DATE)"
    )
    assert condition("a", Field("a", "timestamp_ntz"), interval) == (
        "`a` >= CAST('2013-01-01 00:00:00' AS TIMESTAMP_NTZ) "
        "AND `a` < CAST('2013-01-02 12:00:00' AS TIMESTAMP_NTZ)"
    )


@pytest.mark.parametrize("storage", ["csv", "json", "parquet"])
def test_bounds_are_the_least_and_greatest_instant(files: Any, tmp_path: Path, storage: str) -> None:
    store = files.store(storage, tmp_path / "out")
    moments = [datetime(2013, 1, 1, tzinfo=UTC), None, datetime(2013, 12, 31, 23, 0, 0, 5, tzinfo=UTC)]
    files.write(store, {"at": moments, "k": [1, 2, 3]}, "at timestamp, k int")
    assert store.bounds("AT") == ("2013-01-01T00:00:00Z", "2013-12-31T23:00:00Z")
    assert refused(lambda: store.bounds("k")) == (
        "KDL-STORE-215: column 'k' of 'bronze.flights' is no time\n"
        "  why: it is int\n"
        "  do: name a date or timestamp column"
    )
    assert "\n  why: columns: at, k\n" in refused(lambda: store.bounds("z"))
    files.write(store, {"at": [None], "k": [1]}, "at timestamp, k int", info=store_info("r2"))
    assert store.bounds("at") is None


def store_info(run: str) -> object:
    from kindling.hooks.storage import CommitInfo

    return CommitInfo("shop", "dev", "silver.x", "*", run, "f" + run)


def test_changes_are_the_rows_of_new_files(files: Any, text: Text, tmp_path: Path) -> None:
    text("data/flights-01.csv", "m,delay\n1,NA\n")
    glob = tmp_path / "data" / "flights-*.csv"
    rows, first, count = changes(files, files.store("csv", glob, null_value="NA"), None)
    assert (rows, count) == ([(1, None, "insert")], 1)
    assert changes(files, files.store("csv", glob, null_value="NA"), first) == (None, first, 0)
    text("data/flights-02.csv", "delay,m\nNA,2\n5,2\n")
    rows, second, count = changes(files, files.store("csv", glob, null_value="NA"), first)
    assert (rows, count) == ([(2, None, "insert"), (2, "5", "insert")], 2)
    assert changes(files, files.store("csv", glob, null_value="NA"), second)[0] is None


def test_new_files_are_read_with_the_types_of_the_first_ones(files: Any, text: Text, tmp_path: Path) -> None:
    text("1.csv", "code,n\nA1,1\n")
    cursor = files.store("csv", tmp_path).changes(None).cursor
    text("2.csv", "code,n\n007,\n")
    assert changes(files, files.store("csv", tmp_path), cursor)[0] == [("007", None, "insert")]
    text("3.csv", "code,n\n8,x\n")
    assert "3.csv:2: column 'n': 'x' is no bigint" in refused(
        lambda: files.store("csv", tmp_path).changes(cursor)
    )


def test_a_known_file_that_changed_or_vanished_is_refused(files: Any, text: Text, tmp_path: Path) -> None:
    path = text("1.csv", "n\n1\n")
    cursor = files.store("csv", tmp_path).changes(None).cursor
    path.write_text("n\n1\n2\n")
    assert refused(lambda: files.store("csv", tmp_path).changes(cursor)) == (
        "KDL-STORE-012: the changes of 'bronze.flights' cannot be told\n"
        "  why: 1.csv changed since it was read\n"
        "  do: kindling run --full-refresh reads all files again"
    )
    assert "\n  why: its cursor is not one of this storage\n" in refused(
        lambda: files.store("csv", tmp_path).changes("17")
    )
    text("2.csv", "n\n1\n")
    path.unlink()
    assert "why: 1.csv is gone since it was read" in refused(
        lambda: files.store("csv", tmp_path).changes(cursor)
    )


@pytest.mark.parametrize(
    ("storage", "old", "new"), [("csv", "a\n1\n", "a,b\n1,2\n"), ("json", '{"a":1}', '{"b":2}')]
)
def test_a_new_file_with_a_new_column_is_refused(
    files: Any, text: Text, tmp_path: Path, storage: str, old: str, new: str
) -> None:
    text(f"1.{storage}", old)
    cursor = files.store(storage, tmp_path).changes(None).cursor
    path = text(f"2.{storage}", new)
    assert refused(lambda: files.store(storage, tmp_path).changes(cursor)) == (
        "KDL-STORE-206: the files of 'bronze.flights' have different columns\n"
        f"  why: 2.{storage} is with b, compared with what was read before\n"
        f"  where: {path}\n"
        "  do: mend the file, or make the glob of the entity narrower"
    )


@pytest.mark.parametrize("storage", ["csv", "json", "parquet"])
def test_changes_of_a_written_entity_are_what_was_appended(files: Any, tmp_path: Path, storage: str) -> None:
    store = files.store(storage, tmp_path / "out")
    files.append(store, {"a": [1, 2]}, "r1")
    rows, cursor, _ = changes(files, store, None)
    assert rows == [(1, "insert"), (2, "insert")]
    files.append(store, {"a": [3]}, "r2")
    rows, cursor, _ = changes(files, store, cursor)
    assert rows == [(3, "insert")]
    files.write(store, {"a": [9]}, info=store_info("r3"))
    assert "KDL-STORE-012" in refused(lambda: store.changes(cursor))


def test_a_touched_file_is_a_new_version(files: Any, text: Text) -> None:
    path = text("a.csv", "a\n1\n")
    store = files.store("csv", path)
    before = store.version()
    assert store.version() == before
    os.utime(path, ns=(1, 1))
    assert store.version() != before
