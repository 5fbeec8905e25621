from __future__ import annotations

import shutil
from pathlib import Path

import pytest
from deltalake import DeltaTable

from kindling.errors import StoreError
from kindling.hooks.storage import Changes, ChangeSet, Maintains
from kindling.intents import append, merge, overwrite, replace, scd2
from kindling.testing.rows import Row, ordered, rows_of
from kindling.testing.storage_fixtures import MOMENTS, Place


def told(place: Place, since: str | None) -> ChangeSet:
    store = place.store()
    assert isinstance(store, Changes)
    return store.changes(since)


def rows_since(place: Place, since: str | None, columns: str = "_change, k, v") -> list[Row]:
    found = told(place, since)
    if found.frame is None:
        return []
    chosen = [(name, f"`{name}`") for name in columns.split(", ")]
    return ordered(rows_of(place.session, place.session.select(found.frame, chosen)))


def test_a_cursor_is_the_version(place: Place) -> None:
    place.write(append(), [(1, "a")])
    assert told(place, None).cursor == place.version()
    place.write(append(), [(2, "b"), (3, "c")])
    since = told(place, None)
    assert (since.cursor, since.rows) == (place.version(), 3)


def test_several_merges_are_told_as_their_net_effect(place: Place) -> None:
    place.write(merge(on=["k"]), [(1, "a"), (2, "b"), (3, "c")])
    cursor = told(place, None).cursor
    place.write(merge(on=["k"]), [(1, "x"), (4, "d")])
    place.write(merge(on=["k"]), [(1, "y"), (2, "B"), (4, "D")])
    place.write(merge(on=["k"]), [(2, "b")])
    assert rows_since(place, cursor) == [("insert", 4, "D"), ("update", 1, "y")]


def test_rows_that_occur_several_times_are_counted(place: Place) -> None:
    place.write(overwrite(), [(1, "a"), (1, "a"), (2, None)])
    cursor = told(place, None).cursor
    place.write(overwrite(), [(1, "a"), (2, None), (2, None), (2, None)])
    expected = [("delete", 1, "a"), ("insert", 2, None), ("insert", 2, None)]
    assert rows_since(place, cursor) == expected


def test_partition_values_and_added_columns_are_told(place: Place) -> None:
    place.write(append(), [(1, "a")], partition_by=("v",))
    cursor = told(place, None).cursor
    place.write(append(), [(2, "x/y ü")])
    place.write(append(), [(3, None, 7)], "k int, v string, w int", drift="evolve")
    expected = [("insert", 2, "x/y ü", None), ("insert", 3, None, 7)]
    assert rows_since(place, cursor, "_change, k, v, w") == expected


def test_a_history_is_told_by_its_versions(place: Place) -> None:
    place.write(scd2(on=["k"]), [(1, "a"), (2, "b")], moment=MOMENTS[0])
    cursor = told(place, None).cursor
    place.write(scd2(on=["k"]), [(1, "A")], moment=MOMENTS[1])
    expected = [("insert", 1, "A", True), ("update", 1, "a", False)]
    assert rows_since(place, cursor, "_change, k, v, is_current") == expected


def test_replaced_rows_are_told_as_deletes_and_inserts(place: Place) -> None:
    place.write(replace(by=["v"]), [(1, "a"), (2, "b")])
    cursor = told(place, None).cursor
    place.write(replace(by=["v"]), [(3, "a")])
    assert rows_since(place, cursor) == [("delete", 1, "a"), ("insert", 3, "a")]


def test_compaction_changes_no_row_and_hides_none(place: Place) -> None:
    place.write(append(), [(1, "a")])
    cursor = told(place, None).cursor
    place.write(append(), [(2, "b")])
    second = told(place, cursor).cursor
    store = place.store()
    assert isinstance(store, Maintains)
    store.maintain(keep_s=3600)
    assert rows_since(place, cursor) == [("insert", 2, "b")]
    after = told(place, second)
    assert (after.frame, after.rows, after.cursor) == (None, 0, place.version())


def test_a_change_feed_tells_updates_of_one_commit(place: Place) -> None:
    place.address = place.address.replace(options=(("change_feed", True),))
    place.write(append(), [(1, "a"), (2, "b")])
    cursor = told(place, None).cursor
    DeltaTable(place.address.uri).update({"v": "'B'"}, predicate="k = 2")
    assert rows_since(place, cursor) == [("update", 2, "B")]
    cursor = told(place, None).cursor
    DeltaTable(place.address.uri).delete("k = 1")
    assert rows_since(place, cursor) == [("delete", 1, "a")]
    place.write(append(), [(7, "g")])
    assert rows_since(place, cursor) == [("delete", 1, "a"), ("insert", 7, "g")]
    assert place.rows() == [(2, "B"), (7, "g")]


def refusal(place: Place, since: str) -> str:
    with pytest.raises(StoreError) as caught:
        told(place, since)
    return str(caught.value)


def expected_text(since: str, why: str) -> str:
    return (
        f"KDL-STORE-012: the changes of 'silver.orders' since version {since!r} cannot be told\n"
        f"  why: {why}\n  do: read everything once: `kindling run --full-refresh`"
    )


def test_a_table_that_was_made_anew_is_refused(over_arrow: Place) -> None:
    over_arrow.write(append(), [(1, "a")])
    cursor = told(over_arrow, None).cursor
    shutil.rmtree(over_arrow.address.uri)
    over_arrow.write(append(), [(1, "a")])
    over_arrow.write(append(), [(1, "a")])
    why = "the table was made anew since then"
    assert refusal(over_arrow, cursor) == expected_text(cursor, why)


def test_a_log_that_was_cleaned_up_is_refused(over_arrow: Place) -> None:
    over_arrow.write(append(), [(1, "a")])
    cursor = told(over_arrow, None).cursor
    over_arrow.write(append(), [(2, "b")])
    DeltaTable(over_arrow.address.uri).create_checkpoint()
    Path(over_arrow.address.uri, "_delta_log", f"{0:020d}.json").unlink()
    why = "the log of that range has been cleaned up"
    assert refusal(over_arrow, cursor) == expected_text(cursor, why)
    assert over_arrow.rows() == [(1, "a"), (2, "b")]


def test_files_that_were_vacuumed_are_refused(over_arrow: Place) -> None:
    over_arrow.write(overwrite(), [(1, "a")])
    cursor = told(over_arrow, None).cursor
    over_arrow.write(overwrite(), [(2, "b")])
    DeltaTable(over_arrow.address.uri).vacuum(0, dry_run=False, enforce_retention_duration=False)
    why = "files of that range have been vacuumed"
    assert refusal(over_arrow, cursor) == expected_text(cursor, why)


def test_a_cursor_of_the_future_is_refused(over_arrow: Place) -> None:
    over_arrow.write(append(), [(1, "a")])
    over_arrow.write(append(), [(1, "a")])
    cursor = str(over_arrow.version())
    Path(over_arrow.address.uri, "_delta_log", f"{1:020d}.json").unlink()
    why = "the log of that range has been cleaned up"
    assert refusal(over_arrow, cursor) == expected_text(cursor, why)


def test_maps_cannot_be_compared(on_sail: Place) -> None:
    schema = "k int, v map<string,int>"
    on_sail.write(overwrite(), [(1, {"a": 1})], schema)
    cursor = told(on_sail, None).cursor
    on_sail.write(overwrite(), [(1, {"a": 2})], schema)
    why = "rows went, and rows with a map cannot be compared"
    assert refusal(on_sail, cursor) == expected_text(cursor, why)
