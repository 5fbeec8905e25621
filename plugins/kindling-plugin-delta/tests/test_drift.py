from __future__ import annotations

import pytest
from deltalake import DeltaTable
from hypothesis import given
from hypothesis import strategies as st
from kindling_plugin_delta.drift import widens

from kindling.errors import StoreError
from kindling.intents import append, merge, overwrite, replace, scd2
from kindling.testing.rows import frame_of
from kindling.testing.storage_fixtures import MOMENTS, Place

TYPES = (
    "tinyint",
    "smallint",
    "int",
    "bigint",
    "float",
    "double",
    "decimal(3,0)",
    "decimal(10,2)",
    "decimal(20,0)",
    "decimal(22,4)",
    "decimal(38,18)",
    "date",
    "timestamp_ntz",
    "timestamp",
    "string",
    "boolean",
)
KINDS = [append(), merge(on=["k"]), replace(by=["k"])]


@given(st.sampled_from(TYPES), st.sampled_from(TYPES), st.sampled_from(TYPES))
def test_widening_is_transitive_and_never_goes_back(one: str, two: str, three: str) -> None:
    assert not (widens(one, two) and widens(two, one))
    if widens(one, two) and widens(two, three):
        assert widens(one, three)


@pytest.mark.parametrize(
    ("old", "new", "expected"),
    [
        ("int", "bigint", True),
        ("bigint", "int", False),
        ("int", "double", True),
        ("bigint", "double", False),
        ("int", "decimal(12,2)", True),
        ("int", "decimal(11,2)", False),
        ("decimal(10,2)", "decimal(12,4)", True),
        ("decimal(10,2)", "decimal(11,4)", False),
        ("date", "timestamp_ntz", True),
        ("date", "timestamp", False),
        ("int", "string", False),
    ],
)
def test_a_type_widens_only_where_no_value_changes(old: str, new: str, *, expected: bool) -> None:
    assert widens(old, new) is expected


def test_different_columns_are_refused_with_both_lists(place: Place) -> None:
    place.write(overwrite(), [(1, "a")])
    before = place.version()
    for intent in (overwrite(), append()):
        with pytest.raises(StoreError) as caught:
            place.write(intent, [(1, 2.0)], "k bigint, w double")
        assert str(caught.value) == (
            "KDL-STORE-101: the columns of 'silver.orders' differ from those of its pipe\n"
            "  why: the table has (k int, v string), the pipe gives (k bigint, w double)\n"
            '  do: declare drift="evolve" to add columns and widen types, or drift="warn" to ignore them'
        )
    assert place.version() == before


def test_a_type_that_cannot_widen_is_refused(place: Place) -> None:
    place.write(overwrite(), [(1, "a")])
    for drift, why in (("evolve", "types only widen"), ("warn", 'drift="warn" changes no type')):
        with pytest.raises(StoreError) as caught:
            place.write(overwrite(), [(1, 2)], "k int, v int", drift=drift)
        assert str(caught.value) == (
            f"KDL-STORE-102: column 'v' of 'silver.orders' is string and cannot become int\n  why: {why}\n"
            "  do: cast it in the pipe to string, or give the new column another name"
        )
    assert place.rows() == [(1, "a")]


@pytest.mark.parametrize("intent", KINDS)
def test_each_intent_adds_columns_in_its_own_commit(place: Place, intent: object) -> None:
    place.write(intent, [(1, "a"), (2, "b")])  # type: ignore[arg-type]  # an Intent
    first = place.version()
    place.write(intent, [(3, "c", 7)], "k int, v string, extra int", drift="evolve")  # type: ignore[arg-type]  # the same
    assert place.rows("k, v, extra") == [(1, "a", None), (2, "b", None), (3, "c", 7)]
    assert (str(first)[:2], str(place.version())[:2]) == ("0-", "1-")


@pytest.mark.parametrize("intent", [overwrite(), *KINDS])
def test_each_intent_widens_types_and_keeps_missing_columns(place: Place, intent: object) -> None:
    place.write(overwrite(), [(1, "a", 0.5)], "k int, v string, w float")
    commit = place.write(intent, [(2**40, 1.5)], "k bigint, w double", drift="evolve")  # type: ignore[arg-type]  # an Intent
    assert place.columns() == {"k": "bigint", "v": "string", "w": "double"}
    old = [] if intent == overwrite() else [(1, "a", 0.5)]
    assert place.rows("k, v, w") == [*old, (2**40, None, 1.5)]
    assert commit.warnings == (
        "column 'v': not in the pipe's result, null in the new rows",
        "column 'k': int widened to bigint",
        "column 'w': float widened to double",
    )


def test_a_merge_leaves_columns_alone_that_its_rows_lack(place: Place) -> None:
    place.write(merge(on=["k"]), [(1, "a", 5)], "k int, v string, w int")
    place.write(merge(on=["k"]), [(1, "A"), (2, "b")], drift="warn")
    assert place.rows("k, v, w") == [(1, "A", 5), (2, "b", None)]


def test_narrower_values_are_stored_in_the_wider_type(place: Place) -> None:
    place.write(overwrite(), [(2**40, "a")], "k bigint, v string")
    commit = place.write(append(), [(1, "b")], "k int, v string", drift="warn")
    assert place.columns() == {"k": "bigint", "v": "string"}
    assert commit.warnings == ("column 'k': int stored as bigint",)


def test_columns_match_in_any_order_and_letter_case(place: Place) -> None:
    place.write(overwrite(), [(1, "a")])
    for intent in (append(), merge(on=["K"]), replace(by=["K"])):
        place.write(intent, [("b", 2)], "V string, K int")
    assert place.columns() == {"k": "int", "v": "string"}
    assert place.rows() == [(1, "a"), (2, "b")]


def test_history_columns_survive_every_change_of_schema(place: Place) -> None:
    history = scd2(on=["k"])
    place.write(history, [(1, "a")], moment=MOMENTS[0])
    place.write(history, [(1, "a", 7)], "k int, v string, w int", drift="evolve", moment=MOMENTS[1])
    place.write(history, [(2**40, "b")], "k bigint, v string", drift="evolve", moment=MOMENTS[2])
    place.write(overwrite(), [(5, "x", 1, 2)], "k bigint, v string, w int, y int", drift="evolve")
    assert list(place.columns()) == ["k", "v", "w", "valid_from", "valid_to", "is_current", "y"] or list(
        place.columns()
    ) == ["k", "v", "valid_from", "valid_to", "is_current", "w", "y"]
    for intent in (overwrite(), append(), merge(on=["k"])):
        with pytest.raises(StoreError, match="KDL-STORE-101"):
            place.write(intent, [(5, "x")], "k bigint, v string")


def test_a_table_keeps_its_identity_when_it_is_overwritten_and_evolves(place: Place) -> None:
    place.write(overwrite(), [(1, "a")])
    first = DeltaTable(place.address.uri).metadata().id
    place.write(overwrite(), [(1, "a", 2)], "k int, v string, w int", drift="evolve")
    place.write(overwrite(), [(2**40, "a", 2)], "k bigint, v string, w int", drift="evolve")
    assert DeltaTable(place.address.uri).metadata().id == first
    assert DeltaTable(place.address.uri).version() == 2


@pytest.mark.parametrize("intent", [overwrite(), *KINDS])
def test_columns_that_became_nullable_may_be_null(place: Place, intent: object) -> None:
    place.write(overwrite(), [(1, "a")], "k int not null, v string not null")
    place.write(intent, [(2, None)])  # type: ignore[arg-type]  # an Intent
    assert (2, None) in place.rows()


def test_nulls_in_a_column_that_must_not_be_null_are_refused(over_arrow: Place) -> None:
    frame = frame_of(over_arrow.session, "k int, v string", [(1, None), (2, "b")])
    with pytest.raises(StoreError) as caught:
        over_arrow.write_frame(overwrite(), frame, "k int, v string not null")
    assert str(caught.value) == (
        "KDL-STORE-109: column 'v' must not be null, but 1 of its rows are\n"
        "  do: leave rows without it out, or declare the column as nullable"
    )
    assert over_arrow.version() is None
