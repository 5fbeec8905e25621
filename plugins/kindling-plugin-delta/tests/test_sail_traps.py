"""What Sail 0.7.2 does wrongly without a word, one test for each trap: right here, or refused."""

from __future__ import annotations

import json
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace as changed
from datetime import datetime, timezone
from pathlib import Path

import pytest
from deltalake import DeltaTable
from kindling_plugin_sail.platform import SailPlatform

from kindling.errors import CommitConflictError, StoreError
from kindling.hooks.platform import PathWrite, SessionSpec
from kindling.hooks.storage import COMMIT_KEY, Changes, CommitInfo
from kindling.intents import append, merge, overwrite, replace
from kindling.testing.rows import frame_of, ordered, rows_of
from kindling.testing.storage_fixtures import DAY, Place

AT = datetime(2026, 1, 2, 5, tzinfo=timezone.utc)


def test_replacing_one_partition_keeps_the_others(on_sail: Place) -> None:
    rows = [(number, "abcd"[number % 4]) for number in range(8)]
    on_sail.write(overwrite(), rows, partition_by=("v",))
    on_sail.write(replace(by=["v"]), [(9, "a")])
    assert on_sail.rows("k, v") == ordered([*(row for row in rows if row[1] != "a"), (9, "a")])


def test_appending_another_column_is_refused_or_adds_it(on_sail: Place) -> None:
    on_sail.write(append(), [(1, "a")])
    with pytest.raises(StoreError, match="KDL-STORE-101"):
        on_sail.write(append(), [(2, "b", 3)], "k int, v string, w int")
    on_sail.write(append(), [(2, "b", 3)], "k int, v string, w int", drift="evolve")
    assert on_sail.rows("k, v, w") == [(1, "a", None), (2, "b", 3)]


def test_rows_outside_of_the_replaced_slice_are_refused_with_the_first_of_them(on_sail: Place) -> None:
    schema = "at timestamp, v string"
    on_sail.write(overwrite(), [(AT, "in")], schema)
    out = AT.replace(day=3)
    with pytest.raises(StoreError) as caught:
        on_sail.write(replace(by=["at"]), [(AT, "new"), (out, "out")], schema, column="at", slice=DAY)
    assert str(caught.value) == (
        "KDL-STORE-011: a row for 'silver.orders' lies outside of the slice "
        "2026-01-02T00:00:00Z/2026-01-03T00:00:00Z\n"
        "  why: its 'at' is 2026-01-03T05:00:00Z\n"
        "  do: keep rows in the slice: filter by the column, or use context=True and its slice"
    )
    assert on_sail.rows("v") == [("in",)]


def test_one_run_appends_its_rows_once(on_sail: Place) -> None:
    info = on_sail.info()
    for part in ("*", "key:x", "*", "key:x"):
        on_sail.write(append(), [(1, part)], info=changed(info, slice=part))
    assert on_sail.rows() == [(1, "*"), (1, "key:x")]


def test_changes_are_never_a_plain_snapshot(on_sail: Place) -> None:
    on_sail.write(append(), [(1, "a")])
    store = on_sail.store()
    assert isinstance(store, Changes)
    cursor = store.changes(None).cursor
    on_sail.write(append(), [(2, "b")])
    found = store.changes(cursor)
    assert found.frame is not None
    assert rows_of(on_sail.session, found.frame) == [(2, "b", "insert")]
    assert found.rows == 1


def test_an_engine_is_given_no_options() -> None:
    assert set(PathWrite.__slots__) == {
        "format",
        "uri",
        "mode",
        "partition_by",
        "user_metadata",
        "overwrite_schema",
    }


def test_versions_are_never_chosen_by_time(on_sail: Place) -> None:
    on_sail.write(append(), [(1, "a")])
    with pytest.raises(StoreError) as caught:
        on_sail.rows(version="2999-01-01T00:00:00Z")
    assert str(caught.value) == (
        "KDL-STORE-002: 'silver.orders' cannot be read at version '2999-01-01T00:00:00Z'\n"
        f"  why: no commit of that number is left in its log; the newest version is {on_sail.version()}\n"
        "  do: read the newest version"
    )


def test_a_merge_carries_its_cursor(on_sail: Place) -> None:
    on_sail.write(merge(on=["k"]), [(1, "a")])
    info = on_sail.info(cursors={"bronze.orders": "7"})
    on_sail.write(merge(on=["k"]), [(1, "b")], info=info)
    assert CommitInfo.from_json(str(on_sail.probe.cursor(on_sail.address, COMMIT_KEY))) == info


def test_counts_are_those_of_the_rows(on_sail: Place) -> None:
    assert on_sail.write(append(), [(1, "a"), (2, "b")]).rows == 2
    commit = on_sail.write(merge(on=["k"]), [(2, "B"), (3, "c")])
    assert (commit.rows, commit.metrics["rows_inserted"], commit.metrics["rows_updated"]) == (2, 1, 1)


def test_a_column_of_constants_does_not_bind_the_next_run(on_sail: Place) -> None:
    session = on_sail.session
    one = session.sql("SELECT 1 AS k, 'a' AS v", {})
    schema = "k int not null, v string not null"
    on_sail.write_frame(overwrite(), one, schema)
    on_sail.write_frame(append(), frame_of(session, "k int, v string", [(2, None)]))
    assert on_sail.rows() == [(1, "a"), (2, None)]


@pytest.mark.parametrize("name", ["größe", "a b", "100%"])
def test_a_path_that_sail_would_encode_is_written_where_it_is(
    place_of: object, native: object, name: str
) -> None:
    place: Place = place_of(native, name)  # type: ignore[operator]  # conftest's function
    place.write(overwrite(), [(1, "a")])
    place.write(append(), [(2, "b")])
    assert place.rows() == [(1, "a"), (2, "b")]
    assert DeltaTable(place.address.uri).version() == 1
    assert [path.name for path in Path(place.address.uri).parent.iterdir()] == [name]


def test_an_append_without_rows_still_moves_the_cursor(on_sail: Place) -> None:
    on_sail.write(append(), [(1, "a")])
    info = on_sail.info(cursors={"bronze.orders": "8"})
    commit = on_sail.write(append(), [], info=info)
    assert commit.version == on_sail.version()
    assert commit.rows == 0
    found = json.loads(str(on_sail.probe.cursor(on_sail.address, COMMIT_KEY)))
    assert found["cursors"] == {"bronze.orders": "8"}


@pytest.mark.parametrize("exists", [True, False])
def test_two_sessions_append_all_their_rows(
    sail: SailPlatform, place_of: Callable[..., Place], *, exists: bool
) -> None:
    def work(who: str) -> None:
        session = sail.open_session(SessionSpec(f"race-{who}-{exists}"))
        place = place_of(session)
        for number in range(6):
            info = CommitInfo("shop", "test", "silver.orders", "*", f"{who}{number}", f"{who}{number}")
            for _ in range(50):
                try:
                    place.write(append(), [(number, who)], info=info)
                    break
                except CommitConflictError:
                    continue
        session.close()

    session = sail.open_session(SessionSpec(f"race-{exists}"))
    place = place_of(session)
    if exists:
        place.write(append(), [])
    with ThreadPoolExecutor(2) as pool:
        list(pool.map(work, "ab"))
    assert place.rows() == sorted((number, who) for number in range(6) for who in "ab")
    session.close()
