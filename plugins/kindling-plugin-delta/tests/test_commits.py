from __future__ import annotations

from dataclasses import replace as changed

import pytest
from deltalake import DeltaTable, write_deltalake

from kindling.errors import CommitConflictError, PolicyError, StoreError
from kindling.hooks.platform import PathWrite
from kindling.intents import append, merge, overwrite, scd2
from kindling.testing.rows import frame_of, ordered, rows_of
from kindling.testing.storage_fixtures import COLUMNS, MOMENTS, Place


def test_a_table_of_another_app_is_refused_with_both_names(place: Place) -> None:
    place.write(overwrite(), [(1, "a")])
    with pytest.raises(PolicyError) as caught:
        place.write(overwrite(), [(2, "b")], info=place.info(app="crm", environment="prod"))
    assert str(caught.value) == (
        "KDL-POL-001: 'silver.orders' belongs to the app 'shop' in 'test'\n"
        "  why: this run is app 'crm' in 'prod'\n"
        f"  where: {place.address.uri}\n"
        "  do: give the entity another location, or read it with app.ref()"
    )
    assert caught.value.exit_code == 5


def test_a_table_of_nobody_is_taken_over(place: Place) -> None:
    import pyarrow as pa

    rows = pa.table({"k": pa.array([1], pa.int32()), "v": ["a"]})
    write_deltalake(place.address.uri, rows)
    place.write(append(), [(2, "b")])
    assert place.rows() == [(1, "a"), (2, "b")]


def test_another_run_with_the_same_fingerprint_writes_again(place: Place) -> None:
    info = place.info()
    place.write(append(), [(1, "a")], info=info)
    place.write(append(), [(1, "a")], info=changed(info, run_id="another"))
    assert place.rows() == [(1, "a"), (1, "a")]


def test_an_engine_that_loses_the_mark_is_found_out(on_sail: Place) -> None:
    class Forgetful(type(on_sail.session)):  # type: ignore[misc]  # a session of Sail that drops metadata, as its MERGE does
        def save(self, frame: object, target: PathWrite) -> None:
            super().save(frame, PathWrite("delta", target.uri, target.mode))

    on_sail.write(append(), [(1, "a")])
    frame = frame_of(on_sail.session, COLUMNS, [(2, "b")])
    on_sail.session.__class__ = Forgetful
    with pytest.raises(CommitConflictError) as caught:
        on_sail.write_frame(append(), frame)
    assert str(caught.value) == (
        "KDL-STORE-110: the commit to 'silver.orders' cannot be found in the table's log\n"
        "  why: the engine reported success, but no newer commit carries this task's mark\n"
        "  do: run it again; if it stays, show `_delta_log` to the engine's developers"
    )


def test_a_write_that_lost_a_race_is_a_conflict(over_arrow: Place) -> None:
    over_arrow.write(merge(on=["k"]), [(1, "a")])

    class Racing(type(over_arrow.session)):  # type: ignore[misc]  # another writer commits while the rows are computed
        def to_arrow(self, frame: object) -> object:
            import pyarrow as pa

            rows = super().to_arrow(frame)

            def late() -> object:
                yield from rows.to_batches()
                other = pa.table({"k": pa.array([5], pa.int32()), "v": ["other"]})
                write_deltalake(over_arrow.address.uri, other, mode="append")

            return pa.RecordBatchReader.from_batches(rows.schema, late())

    over_arrow.session.__class__ = Racing
    with pytest.raises(CommitConflictError) as caught:
        over_arrow.write(merge(on=["k"]), [(1, "b")])
    assert str(caught.value).startswith(
        "KDL-STORE-111: another writer committed to 'silver.orders' first\n  why: "
    )
    assert str(caught.value).endswith("\n  do: the task is planned again and retried")
    assert caught.value.transient
    assert over_arrow.rows() == [(1, "a"), (5, "other")]


def test_a_refusal_of_the_library_names_its_reason_and_shows_no_rows(over_arrow: Place) -> None:
    over_arrow.write(overwrite(), [(1, "a")])
    DeltaTable(over_arrow.address.uri).alter.add_constraint({"small": "k < 5"})
    before = over_arrow.version()
    with pytest.raises(StoreError) as caught:
        over_arrow.write(append(), [(9, "secret")])
    lines = str(caught.value).splitlines()
    assert lines[0] == "KDL-STORE-103: 'silver.orders' refuses the write"
    assert "secret" not in str(caught.value)
    assert over_arrow.version() == before


def test_an_intent_that_names_a_missing_column_is_refused(place: Place) -> None:
    with pytest.raises(StoreError) as caught:
        place.write(merge(on=["id"]), [(1, "a")])
    assert str(caught.value) == (
        "KDL-STORE-105: merge(on=) of 'silver.orders' names the column 'id'\n  why: its columns are k, v\n"
        "  do: name a column that the pipe returns"
    )


def test_what_a_session_cannot_do_is_refused(over_arrow: Place) -> None:
    over_arrow.session.features = frozenset({"paths"})  # type: ignore[misc,attr-defined]  # a poorer session
    frame = frame_of(over_arrow.session, COLUMNS, [(1, "a")])
    with pytest.raises(StoreError) as caught:
        over_arrow.write_frame(overwrite(), frame)
    assert str(caught.value) == (
        "KDL-STORE-104: 'silver.orders' cannot be written on 'memory'\n"
        "  why: it needs the session feature 'arrow-out', the session has: paths\n"
        "  do: choose another platform for this pipe: `kindling plugins list` shows their features"
    )


def test_keys_that_are_null_or_occur_twice_are_refused_with_the_first_of_them(place: Place) -> None:
    for rows, text in (
        ([(None, "a"), (2, "b")], "(k=None)\n  why: 'k' is null; a key is not null and occurs once"),
        ([(2, "a"), (2, "b")], "(k=2)\n  why: 2 rows share it; a key is not null and occurs once"),
    ):
        for intent in (merge(on=["k"]), scd2(on=["k"])):
            with pytest.raises(StoreError) as caught:
                place.write(intent, rows)
            assert str(caught.value) == (
                f"KDL-STORE-010: the rows for 'silver.orders' have the key {text}\n"
                "  do: use k.dedupe(df, on=['k'], order_by=...) in the pipe, or correct the key"
            )
    assert place.version() is None


@pytest.mark.parametrize("session", ["files", "native"], indirect=True)
def test_merging_what_is_there_already_makes_no_version_unless_a_cursor_moves(place: Place) -> None:
    place.write(merge(on=["k"]), [(1, "a"), (2, None)])
    before = place.version()
    commit = place.write(merge(on=["k"]), [(2, None), (1, "a")])
    assert (commit.version, commit.rows, place.version()) == (before, 0, before)
    commit = place.write(merge(on=["k"]), [(1, "a")], info=place.info(cursors={"bronze.orders": "7"}))
    assert (commit.version, commit.rows) == (place.version(), 0)
    assert place.version() != before
    assert place.rows() == [(1, "a"), (2, None)]


def test_a_history_without_changes_makes_no_version(place: Place) -> None:
    place.write(scd2(on=["k"]), [(1, "a"), (2, None)], moment=MOMENTS[0])
    before = place.version()
    commit = place.write(scd2(on=["k"]), [(1, "a"), (2, None)], moment=MOMENTS[1])
    assert (commit.version, commit.rows, place.version()) == (before, 0, before)


def test_a_history_never_runs_backwards(place: Place) -> None:
    place.write(scd2(on=["k"]), [(1, "a"), (2, "b")], moment=MOMENTS[3])
    before = place.version()
    place.write(scd2(on=["k"]), [(1, "a")], moment=MOMENTS[1])
    with pytest.raises(StoreError) as caught:
        place.write(scd2(on=["k"]), [(1, "A")], moment=MOMENTS[1])
    assert str(caught.value) == (
        "KDL-STORE-112: the history of 'silver.orders' would run backwards\n"
        "  why: the current version of {'k': 1} is valid from 2026-01-04T00:00:00Z, "
        "the run's moment is 2026-01-02T00:00:00Z\n"
        "  do: start a new run: `kindling run`"
    )
    assert place.version() == before


def test_a_pipe_may_not_return_the_columns_of_a_history(place: Place) -> None:
    with pytest.raises(StoreError) as caught:
        place.write(scd2(on=["k"]), [(1, True)], "k int, Is_Current boolean")
    assert str(caught.value) == (
        "KDL-STORE-106: the pipe of 'silver.orders' returns 'is_current'\n"
        "  why: scd2 adds valid_from, valid_to and is_current itself\n"
        "  do: rename the column in the pipe"
    )


def test_a_history_in_a_table_without_its_columns_is_refused(place: Place) -> None:
    place.write(overwrite(), [(1, "a")])
    with pytest.raises(StoreError, match=r"KDL-STORE-105: the history of 'silver\.orders' names"):
        place.write(scd2(on=["k"]), [(1, "a")])


def test_keys_that_break_among_unchanged_rows_are_refused(place: Place) -> None:
    place.write(merge(on=["k"]), [(1, "a"), (2, "b")])
    before = place.version()
    for rows in ([(1, "a"), (1, "z")], [(1, "a"), (1, "a")]):
        with pytest.raises(StoreError, match=r"KDL-STORE-010: .* have the key \(k=1\)"):
            place.write(merge(on=["k"]), rows)
    assert place.version() == before


def test_a_table_of_keys_alone_is_merged(place: Place) -> None:
    place.write(merge(on=["k"]), [(1,), (2,)], "k int")
    place.write(merge(on=["k"]), [(2,), (3,)], "k int")
    assert place.rows() == [(1,), (2,), (3,)]


def test_floats_that_are_no_numbers_equal_themselves(place: Place) -> None:
    schema, rows = "k int, v double", [(1, float("nan")), (2, 0.0)]
    compares = place.session.platform != "memory"
    for intent in [merge(on=["k"])] * compares + [scd2(on=["k"])]:
        place.address = place.address.replace(uri=f"{place.address.uri}-{intent.name}")
        place.write(intent, rows, schema, moment=MOMENTS[0])
        before = place.version()
        place.write(intent, rows, schema, moment=MOMENTS[1])
        assert place.version() == before


def test_nested_columns_are_merged_and_compared(place: Place) -> None:
    schema = "k int, v array<int>, w struct<a:int,b:string>"
    rows = [(1, [1, None], {"a": 1, "b": None}), (2, None, None)]
    place.write(merge(on=["k"]), rows, schema)
    before = place.version()
    place.write(merge(on=["k"]), rows, schema)
    # Where the engine cannot read the table itself, every matched row is written again.
    assert (place.version() == before) is (place.session.platform != "memory")
    place.write(merge(on=["k"]), [(1, [2], {"a": 1, "b": "x"})], schema)
    assert place.rows("k, v, w") == [(1, [2], {"a": 1, "b": "x"}), (2, None, None)]


def test_maps_are_merged_on_sail(on_sail: Place) -> None:
    schema = "k int, v map<string,int>"
    on_sail.write(merge(on=["k"]), [(1, {"a": 1})], schema)
    on_sail.write(merge(on=["k"]), [(1, {"a": 2}), (2, None)], schema)
    session = on_sail.session
    found = rows_of(session, session.select(on_sail.read(), [("k", "k"), ("a", "v['a']")]))
    assert ordered(found) == [(1, 2), (2, None)]
