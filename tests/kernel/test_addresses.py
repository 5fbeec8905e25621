from __future__ import annotations

import json
from datetime import datetime, timedelta, timezone

import pytest
from hypothesis import given
from hypothesis import strategies as st

from kindling.addresses import EVERYTHING, Address, Slice, TaskKey, utc_text
from kindling.errors import UsageError

moments = st.datetimes(
    min_value=datetime(1000, 1, 2),  # noqa: DTZ001  # the zone is drawn
    max_value=datetime(9998, 1, 1),  # noqa: DTZ001  # the same
    timezones=st.integers(-14, 14).map(lambda hours: timezone(timedelta(hours=hours))),
)
slices = st.one_of(
    st.just(EVERYTHING),
    st.builds(Slice.interval, moments, moments),
    st.text().map(lambda key: Slice("key", key=key)),
)
scalars = st.none() | st.booleans() | st.integers() | st.text(max_size=3)
addresses = st.builds(
    Address,
    storage=st.text(max_size=3),
    location=st.text(max_size=3),
    parts=st.lists(st.text(max_size=3), max_size=3).map(tuple),
    uri=st.text(max_size=3),
    options=st.dictionaries(st.text(max_size=3), scalars, max_size=2).map(
        lambda pairs: tuple(sorted(pairs.items()))
    ),
    credential=st.text(max_size=3),
)


@given(slices)
def test_a_slice_is_read_back_from_its_text(part: Slice) -> None:
    assert Slice.parse(str(part)) == part


@given(moments, st.integers(-14, 14))
def test_an_instant_has_one_text_in_every_zone(moment: datetime, hours: int) -> None:
    text = utc_text(moment)
    assert utc_text(moment.astimezone(timezone(timedelta(hours=hours)))) == text
    back = datetime.fromisoformat(text)
    assert back == moment.replace(microsecond=0)


@pytest.mark.parametrize("text", ["", "a", "a/", "/b", "keys:a"])
def test_what_is_no_slice_is_refused(text: str) -> None:
    with pytest.raises(UsageError) as error:
        Slice.parse(text)
    assert str(error.value) == (
        f"KDL-USE-001: {text!r} is not a slice\n  why: expected '*', 'start/end' or 'key:value'"
    )


def test_a_time_without_a_zone_is_refused() -> None:
    with pytest.raises(UsageError) as error:
        utc_text(datetime(2013, 1, 1))  # noqa: DTZ001  # what is tested
    assert str(error.value) == (
        "KDL-USE-002: datetime.datetime(2013, 1, 1, 0, 0) has no time zone\n"
        "  do: use datetime(..., tzinfo=UTC)"
    )


@given(addresses)
def test_an_address_crosses_processes_as_json(address: Address) -> None:
    again = Address.from_plain(json.loads(json.dumps(address.to_plain())))
    assert again == address
    assert hash(again) == hash(address)


def test_an_option_is_found_by_name() -> None:
    address = Address("csv", "", ("a",), options=(("header", False), ("null_value", "NA")))
    assert (address.option("header"), address.option("null_value"), address.option("x")) == (
        False,
        "NA",
        None,
    )


def test_a_task_key_shows_the_part_only_where_there_is_one() -> None:
    day = Slice("interval", "2013-01-01T00:00:00Z", "2013-01-02T00:00:00Z")
    assert str(TaskKey("silver.flights")) == "silver.flights"
    assert str(TaskKey("silver.flights", day)) == "silver.flights[2013-01-01T00:00:00Z/2013-01-02T00:00:00Z]"
    assert str(TaskKey("silver.flights", Slice("key", key="EWR"))) == "silver.flights[key:EWR]"
