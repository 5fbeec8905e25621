from __future__ import annotations

from datetime import date, datetime, timezone

import pytest

from kindling.addresses import Slice
from kindling.errors import StoreError
from kindling.hooks.storage import Times
from kindling.intents import overwrite, replace
from kindling.testing.storage_fixtures import Place

DAYS = Slice("interval", "2026-01-02T00:00:00Z", "2026-01-04T00:00:00Z")
NOON = Slice("interval", "2026-01-01T12:00:00Z", "2026-01-03T12:00:00Z")


def at(day: int) -> datetime:
    return datetime(2026, 1, day, tzinfo=timezone.utc)


VALUES = {
    "date": [date(2026, 1, day) for day in range(1, 6)],
    "timestamp": [at(day) for day in range(1, 6)],
    "timestamp_ntz": [at(day).replace(tzinfo=None) for day in range(1, 6)],
}


@pytest.mark.parametrize("kind", VALUES)
@pytest.mark.parametrize("part", [DAYS, NOON])
def test_a_slice_is_read_and_replaced_whatever_the_type(place: Place, kind: str, part: Slice) -> None:
    schema = f"at {kind}, v string"
    place.write(overwrite(), [(value, "old") for value in VALUES[kind]], schema)
    inside = [(value, "new") for value in VALUES[kind][1:3]]
    assert len(place.rows(column="AT", slice=part)) == 2
    commit = place.write(replace(by=["at"]), inside, schema, column="At", slice=part)
    assert commit.rows == 2
    assert place.rows("v") == [("new",)] * 2 + [("old",)] * 3
    assert sorted(row[1] for row in place.rows(column="at", slice=part)) == ["new", "new"]
    store = place.store()
    assert isinstance(store, Times)
    assert store.bounds("at") == ("2026-01-01T00:00:00Z", "2026-01-05T00:00:00Z")


def test_an_older_version_is_sliced_too(place: Place) -> None:
    first = place.write(
        overwrite(), [(value, "old") for value in VALUES["date"]], "at date, v string"
    ).version
    place.write(overwrite(), [], "at date, v string")
    assert len(place.rows(version=first, column="at", slice=DAYS)) == 2


def test_a_key_is_a_slice_of_any_type(place: Place) -> None:
    place.write(overwrite(), [(1, "a"), (2, "it's")])
    assert place.rows(column="k", slice=Slice("key", key="1")) == [(1, "a")]
    assert place.rows(column="v", slice=Slice("key", key="it's")) == [(2, "it's")]


def test_a_column_without_time_cannot_be_sliced(place: Place) -> None:
    place.write(overwrite(), [(1, "a")])
    with pytest.raises(StoreError) as caught:
        place.rows(column="v", slice=DAYS)
    assert str(caught.value) == (
        f"KDL-STORE-108: 'v' cannot be sliced by {DAYS}\n"
        "  why: its type is string, expected one of timestamp, timestamp_ntz, date\n"
        "  do: name a timestamp or date column in by_time()"
    )
