from __future__ import annotations

from datetime import datetime, timedelta, timezone
from itertools import pairwise

import pytest
from hypothesis import given
from hypothesis import strategies as st

import kindling as k
from kindling.addresses import Slice
from kindling.errors import PlanError
from kindling.intents import Incremental
from kindling.plan.slices import MOST, after, cut, floor, parse_instant

LENGTHS = st.sampled_from(["1h", "6h", "1d", "3d", "1w", "1mo", "5mo", "12mo"])
MOMENTS = st.datetimes(
    min_value=datetime.fromisoformat("1890-01-01"),
    max_value=datetime.fromisoformat("2150-01-01"),
    timezones=st.just(timezone.utc),
)


def every(length: str, start: str = "") -> Incremental:
    return k.by_time("at", every=length, start=start)


def instants(piece: Slice) -> tuple[datetime, datetime]:
    return parse_instant(piece.start, what=""), parse_instant(piece.end, what="")


def utc(text: str) -> datetime:
    return datetime.fromisoformat(text).replace(tzinfo=timezone.utc)


@given(LENGTHS, MOMENTS, st.integers(0, 40 * 86400))
def test_slices_cover_what_is_asked_for_and_touch_without_overlap(
    length: str, first: datetime, seconds: int
) -> None:
    last = first + timedelta(seconds=seconds)
    pieces = [instants(piece) for piece in cut(first, last, every(length))]
    assert pieces[0][0] <= first < pieces[0][1]
    assert pieces[-1][0] <= last < pieces[-1][1]
    assert all(end == start for (_, end), (start, _) in pairwise(pieces))
    assert all(start < end for start, end in pieces)


@given(LENGTHS, MOMENTS, MOMENTS, MOMENTS)
def test_slices_do_not_depend_on_where_one_began_to_cut(
    length: str, one: datetime, two: datetime, three: datetime
) -> None:
    first, middle, last = sorted((one, two, three))
    step = every(length)
    if (last - first) > timedelta(days=300):
        middle, last = first + (middle - first) / 1000, first + (last - first) / 1000
    whole = cut(first, last, step)
    assert cut(middle, last, step) == whole[whole.index(cut(middle, middle, step)[0]) :]


@given(LENGTHS, MOMENTS)
def test_the_floor_of_a_floor_is_itself_and_each_instant_lies_in_its_slice(
    length: str, moment: datetime
) -> None:
    step = every(length)
    start = floor(moment, step)
    assert floor(start, step) == start
    assert start <= moment < after(start, step)
    assert floor(after(start, step), step) == after(start, step)


@given(st.sampled_from(["1h", "1d", "1w"]), MOMENTS, MOMENTS)
def test_slices_are_aligned_to_the_start_that_the_pipe_gives(
    length: str, start: datetime, moment: datetime
) -> None:
    step = every(length, start.replace(microsecond=0).isoformat())
    distance = floor(moment, step) - start.replace(microsecond=0)
    assert distance % timedelta(seconds=step.every_s) == timedelta(0)


def test_days_begin_at_midnight_utc() -> None:
    pieces = cut(utc("2013-01-30T23:59:59"), utc("2013-02-01"), every("1d"))
    assert [str(piece) for piece in pieces] == [
        "2013-01-30T00:00:00Z/2013-01-31T00:00:00Z",
        "2013-01-31T00:00:00Z/2013-02-01T00:00:00Z",
        "2013-02-01T00:00:00Z/2013-02-02T00:00:00Z",
    ]


def test_months_begin_on_the_first_and_are_counted_from_january_of_year_one() -> None:
    pieces = cut(utc("2011-12-31"), utc("2012-03-01"), every("1mo"))
    assert [piece.start[:10] for piece in pieces] == ["2011-12-01", "2012-01-01", "2012-02-01", "2012-03-01"]
    (quarter,) = cut(utc("2012-05-05"), utc("2012-05-05"), every("3mo"))
    assert str(quarter) == "2012-04-01T00:00:00Z/2012-07-01T00:00:00Z"


def test_no_slice_begins_before_the_start_of_the_pipe() -> None:
    pieces = cut(utc("2012-11-05"), utc("2013-02-02"), every("1mo", "2013-01-15"))
    assert [str(piece) for piece in pieces] == [
        "2013-01-15T00:00:00Z/2013-02-01T00:00:00Z",
        "2013-02-01T00:00:00Z/2013-03-01T00:00:00Z",
    ]
    days = cut(utc("2013-01-01"), utc("2013-01-03"), every("1d", "2013-01-02T06:00:00"))
    assert [piece.start for piece in days] == ["2013-01-02T06:00:00Z"]
    assert cut(utc("2013-01-01"), utc("2013-01-02"), every("1d", "2014-01-01")) == ()


@pytest.mark.parametrize(
    ("text", "moment"),
    [
        ("2013-01-31", "2013-01-31T00:00:00+00:00"),
        ("2013-01-31T12:00:00Z", "2013-01-31T12:00:00+00:00"),
        ("2013-01-31T12:00:00", "2013-01-31T12:00:00+00:00"),
        ("2013-01-31T12:00:00+02:00", "2013-01-31T10:00:00+00:00"),
    ],
)
def test_instants_are_utc_unless_they_say_otherwise(text: str, moment: str) -> None:
    assert parse_instant(text, what="").isoformat() == moment


def test_a_text_that_is_no_instant_is_refused() -> None:
    with pytest.raises(PlanError) as caught:
        parse_instant("yesterday", what="--from")
    assert str(caught.value) == (
        "KDL-PLAN-030: --from 'yesterday' is no date or time\n  do: write 2013-01-31 or 2013-01-31T12:00:00Z"
    )


def test_a_mistaken_unit_is_refused_before_it_fills_the_memory() -> None:
    with pytest.raises(PlanError) as caught:
        cut(utc("1900-01-01"), utc("2013-01-01"), every("1h"))
    assert str(caught.value) == (
        f"KDL-PLAN-031: by_time('at') cuts more than {MOST} slices between 1900-01-01 00:00:00+00:00 and "
        "2013-01-01 00:00:00+00:00\n"
        "  do: choose a longer every="
    )


@pytest.mark.parametrize(
    ("first", "last", "length"),
    [
        ("9990-01-01", "9999-12-31", "1mo"),
        ("9999-12-30", "9999-12-31", "1d"),
        ("0001-01-01", "0001-01-02", "1w"),
    ],
)
def test_values_at_the_ends_of_the_calendar_are_refused(first: str, last: str, length: str) -> None:
    with pytest.raises(PlanError) as caught:
        cut(utc(first), utc(last), every(length))
    assert str(caught.value) == (
        f"KDL-PLAN-033: by_time('at') cannot cut slices between {utc(first)} and {utc(last)}\n"
        "  why: a slice would lie outside of the years 1 to 9999\n"
        "  do: filter such values out before, or give by_time(start=)"
    )
