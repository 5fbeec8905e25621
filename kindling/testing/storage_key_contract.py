"""What the intents with keys promise: merge, scd2, replace."""

from __future__ import annotations

from datetime import datetime, timezone

import pytest

from kindling.errors import StoreError
from kindling.intents import merge, replace, scd2
from kindling.testing.rows import ordered
from kindling.testing.storage_fixtures import DAY, MOMENTS, Place, StorageFixtures, of

WHEN = tuple(datetime.fromisoformat(text).astimezone(timezone.utc) for text in MOMENTS)
EVENTS = "at timestamp, v string"
BAD_KEYS = [[(None, "n")], [(7, "x"), (7, "y")]]
HISTORY = "k, v, valid_from, valid_to, is_current"


class KeyTests(StorageFixtures):
    """Intents that look at the values of columns."""

    @of("merge", "merges")
    def test_merging_updates_known_keys_and_inserts_new_ones(self, place: Place) -> None:
        place.write(merge(on=["k"]), [(1, "a"), (2, "b")])
        place.write(merge(on=["k"]), [(2, "B"), (3, "c")])
        assert place.rows() == [(1, "a"), (2, "B"), (3, "c")]

    @of("merge", "merges")
    def test_merging_overwrites_with_nulls_too(self, place: Place) -> None:
        place.write(merge(on=["k"]), [(1, "a"), (2, None)])
        place.write(merge(on=["k"]), [(1, None), (2, "b")])
        assert place.rows() == [(1, None), (2, "b")]

    @of("merge", "merges")
    def test_several_columns_make_one_key(self, place: Place) -> None:
        schema = "a int, b string, v double"
        place.write(merge(on=["a", "b"]), [(1, "x", 0.5), (1, "y", 1.5), (2, "x", 2.5)], schema)
        place.write(merge(on=["a", "b"]), [(1, "y", 9.5), (2, "y", 8.5)], schema)
        assert place.rows() == [(1, "x", 0.5), (1, "y", 9.5), (2, "x", 2.5), (2, "y", 8.5)]

    @of("merge", "merges")
    def test_a_merge_counts_what_it_did_or_says_nothing(self, place: Place) -> None:
        place.write(merge(on=["k"]), [(1, "a"), (2, "b")])
        commit = place.write(merge(on=["k"]), [(2, "B"), (3, "c")])
        assert commit.rows in (2, None)
        assert commit.metrics.get("rows_inserted", 1) == 1
        assert commit.metrics.get("rows_updated", 1) == 1
        assert commit.metrics.get("rows_deleted", 0) == 0

    @of("merge", "merges")
    @pytest.mark.parametrize("existing", [True, False])
    @pytest.mark.parametrize("bad", BAD_KEYS)
    def test_merging_null_or_double_keys_is_refused(
        self, place: Place, bad: list[tuple[object, ...]], *, existing: bool
    ) -> None:
        if existing:
            place.write(merge(on=["k"]), [(1, "a"), (7, "b")])
        before = place.version()
        with pytest.raises(StoreError) as caught:
            place.write(merge(on=["k"]), [*bad, (5, "e")])
        assert caught.value.code == "KDL-STORE-010"
        assert place.version() == before
        assert not existing or place.rows() == [(1, "a"), (7, "b")]

    @of("scd2", "historises")
    def test_the_first_load_of_a_history_is_current(self, place: Place) -> None:
        place.write(scd2(on=["k"]), [(1, "a"), (2, None)], moment=MOMENTS[0])
        assert place.rows(HISTORY) == [(1, "a", WHEN[0], None, True), (2, None, WHEN[0], None, True)]

    @of("scd2", "historises")
    def test_a_history_keeps_its_columns_and_adds_three(self, place: Place) -> None:
        place.write(scd2(on=["k"]), [(1, "a")])
        assert place.columns() == {
            "k": "int",
            "v": "string",
            "valid_from": "timestamp",
            "valid_to": "timestamp",
            "is_current": "boolean",
        }

    @of("scd2", "historises")
    def test_a_change_closes_the_old_row_and_adds_a_new_one(self, place: Place) -> None:
        place.write(scd2(on=["k"]), [(1, "a"), (2, "b")], moment=MOMENTS[0])
        place.write(scd2(on=["k"]), [(1, "A"), (3, "c")], moment=MOMENTS[1])
        place.write(scd2(on=["k"]), [(1, "AA")], moment=MOMENTS[2])
        assert place.rows(HISTORY) == ordered(
            [
                (1, "a", WHEN[0], WHEN[1], False),
                (1, "A", WHEN[1], WHEN[2], False),
                (1, "AA", WHEN[2], None, True),
                (2, "b", WHEN[0], None, True),
                (3, "c", WHEN[1], None, True),
            ]
        )

    @of("scd2", "historises")
    def test_an_unchanged_key_adds_no_version(self, place: Place) -> None:
        place.write(scd2(on=["k"]), [(1, "a"), (2, None)], moment=MOMENTS[0])
        place.write(scd2(on=["k"]), [(1, "a"), (2, None)], moment=MOMENTS[1])
        assert place.rows(HISTORY) == [(1, "a", WHEN[0], None, True), (2, None, WHEN[0], None, True)]

    @of("scd2", "historises")
    def test_from_null_and_to_null_are_changes(self, place: Place) -> None:
        place.write(scd2(on=["k"]), [(1, "a"), (2, None)], moment=MOMENTS[0])
        place.write(scd2(on=["k"]), [(1, None), (2, "b")], moment=MOMENTS[1])
        assert place.rows("k, v, is_current") == ordered(
            [(1, "a", False), (1, None, True), (2, "b", True), (2, None, False)]
        )

    @of("scd2", "historises")
    def test_only_tracked_columns_make_versions(self, place: Place) -> None:
        intent, schema = scd2(on=["k"], track=["v"]), "k int, v string, w int"
        place.write(intent, [(1, "a", 1), (2, "b", 1)], schema, moment=MOMENTS[0])
        place.write(intent, [(1, "a", 9), (2, "B", 9)], schema, moment=MOMENTS[1])
        assert place.rows("k, v, is_current") == [(1, "a", True), (2, "B", True), (2, "b", False)]

    @of("scd2", "historises")
    @pytest.mark.parametrize("existing", [True, False])
    @pytest.mark.parametrize("bad", BAD_KEYS)
    def test_a_history_of_null_or_double_keys_is_refused(
        self, place: Place, bad: list[tuple[object, ...]], *, existing: bool
    ) -> None:
        if existing:
            place.write(scd2(on=["k"]), [(1, "a"), (7, "b")], moment=MOMENTS[0])
        before = place.version()
        with pytest.raises(StoreError) as caught:
            place.write(scd2(on=["k"]), [*bad, (5, "e")], moment=MOMENTS[1])
        assert caught.value.code == "KDL-STORE-010"
        assert place.version() == before

    @of("replace", "replaces")
    def test_replacing_takes_out_only_rows_whose_values_occur(self, place: Place) -> None:
        intent = replace(by=["v"])
        place.write(intent, [(1, "a"), (2, "a"), (3, "b"), (4, "c")])
        place.write(intent, [(9, "a"), (8, "d")])
        assert place.rows() == [(3, "b"), (4, "c"), (8, "d"), (9, "a")]

    @of("replace", "replaces")
    def test_replacing_matches_nulls_with_nulls(self, place: Place) -> None:
        intent = replace(by=["v"])
        place.write(intent, [(1, None), (2, "a")])
        place.write(intent, [(9, None)])
        assert place.rows() == [(2, "a"), (9, None)]

    @of("replace", "replaces")
    def test_replacing_by_several_columns_matches_whole_pairs(self, place: Place) -> None:
        intent, schema = replace(by=["a", "b"]), "a int, b string, v int"
        place.write(intent, [(1, "x", 1), (1, "y", 2), (2, "x", 3)], schema)
        place.write(intent, [(1, "y", 9), (2, "z", 8)], schema)
        assert place.rows() == [(1, "x", 1), (1, "y", 9), (2, "x", 3), (2, "z", 8)]

    @of("replace", "replaces")
    def test_replacing_with_no_rows_takes_nothing_out(self, place: Place) -> None:
        place.write(replace(by=["k"]), [(1, "a")])
        place.write(replace(by=["k"]), [])
        assert place.rows() == [(1, "a")]

    @of("replace", "replaces")
    def test_a_slice_is_replaced_and_its_borders_are_half_open(self, place: Place) -> None:
        intent = replace(by=["at"])
        rows = [(WHEN[0], "before"), (WHEN[1], "start"), (WHEN[1].replace(hour=23), "in"), (WHEN[2], "end")]
        place.write(intent, rows, EVENTS)
        place.write(intent, [(WHEN[1].replace(hour=5), "new")], EVENTS, column="at", slice=DAY)
        assert place.rows("v") == [("before",), ("end",), ("new",)]

    @of("replace", "replaces")
    def test_an_empty_slice_takes_its_rows_out(self, place: Place) -> None:
        intent = replace(by=["at"])
        place.write(intent, [(WHEN[0], "before"), (WHEN[1], "in")], EVENTS)
        place.write(intent, [], EVENTS, column="at", slice=DAY)
        assert place.rows("v") == [("before",)]

    @of("replace", "replaces")
    @pytest.mark.parametrize("moment", [WHEN[0], WHEN[2], None])
    def test_rows_outside_of_their_slice_are_refused(self, place: Place, moment: datetime | None) -> None:
        intent = replace(by=["at"])
        place.write(intent, [(WHEN[1], "in")], EVENTS)
        before = (place.version(), place.rows())
        with pytest.raises(StoreError) as caught:
            place.write(intent, [(WHEN[1], "new"), (moment, "out")], EVENTS, column="at", slice=DAY)
        assert caught.value.code == "KDL-STORE-011"
        assert (place.version(), place.rows()) == before
