from __future__ import annotations

import json
from collections.abc import Callable

import pytest
from hypothesis import given
from hypothesis import strategies as st

import kindling as k
from kindling.errors import DeclarationError
from kindling.intents import Intent

columns = st.lists(st.text("abc", min_size=1, max_size=3), min_size=1, max_size=3, unique=True)


@given(columns, columns)
def test_an_intent_crosses_processes_as_json(on: list[str], track: list[str]) -> None:
    for intent in (k.overwrite(), k.append(), k.merge(on=on), k.scd2(on=on, track=track), k.replace(by=on)):
        assert Intent.from_plain(json.loads(json.dumps(intent.to_plain()))) == intent


def test_intents_are_values() -> None:
    assert k.merge(on=["a", "b"]) == Intent("merge", on=("a", "b"))
    assert k.scd2(on=("a",)) == Intent("scd2", on=("a",))
    assert k.replace(by=["day"]) == Intent("replace", by=("day",))
    assert (k.overwrite(), k.append()) == (Intent("overwrite"), Intent("append"))


@pytest.mark.parametrize(
    ("every", "seconds", "months"),
    [("1h", 3600, 0), ("2d", 172800, 0), ("1w", 604800, 0), ("3mo", 0, 3)],
)
def test_a_slice_has_a_length(every: str, seconds: int, months: int) -> None:
    found = k.by_time("ts", every=every)
    assert (found.kind, found.column, found.every_s, found.months) == ("time", "ts", seconds, months)


def test_looking_back_over_months_reads_rather_more_than_less() -> None:
    assert k.by_time("ts", every="1d", lookback="1mo").lookback_s == 31 * 86400
    assert k.by_time("ts", every="1d", lookback="2d", start="2013-01-01").start == "2013-01-01"


@pytest.mark.parametrize(
    ("make", "text"),
    [
        (
            lambda: k.merge(on="id"),
            "KDL-DECL-022: merge(on=) is the text 'id'\n  do: write ['id']",
        ),
        (lambda: k.replace(by=[]), "KDL-DECL-023: replace(by=) names no column"),
        (
            lambda: k.scd2(on=["id"], track="name"),
            "KDL-DECL-022: scd2(track=) is the text 'name'\n  do: write ['name']",
        ),
        (lambda: k.scd2(on=[]), "KDL-DECL-023: scd2(on=) names no column"),
        (lambda: k.merge(on=["id", "ID"]), "KDL-DECL-024: merge(on=) names a column twice: id, ID"),
        (
            lambda: k.changes(deletes="drop"),
            "KDL-DECL-020: changes(deletes='drop') is unknown\n  why: known: refuse, ignore, include",
        ),
    ],
)
def test_what_makes_no_sense_is_refused(make: Callable[[], object], text: str) -> None:
    with pytest.raises(DeclarationError) as error:
        make()
    assert str(error.value) == text


@pytest.mark.parametrize("every", ["", "d", "1", "0d", "-1d", "1.5d", "1m", "1y", "²d", "mo", "1D"])
def test_what_is_no_duration_is_refused(every: str) -> None:
    with pytest.raises(DeclarationError) as error:
        k.by_time("ts", every=every)
    assert str(error.value) == (
        f"KDL-DECL-021: every={every!r} is not a duration\n"
        "  why: expected a number of 1 or more and h, d, w or mo\n  do: for example '1d'"
    )


def test_a_wrong_lookback_is_named_as_such() -> None:
    with pytest.raises(DeclarationError, match=r"^KDL-DECL-021: lookback='x' is not a duration"):
        k.by_time("ts", every="1d", lookback="x")
