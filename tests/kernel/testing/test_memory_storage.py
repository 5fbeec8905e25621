from __future__ import annotations

from collections.abc import Callable

import pytest

from kindling.addresses import Address, Slice
from kindling.errors import KindlingError
from kindling.hooks.platform import SessionSpec
from kindling.hooks.storage import ReadRequest
from kindling.intents import append, merge, replace
from kindling.testing.memory_platform import MemoryPlatform
from kindling.testing.memory_storage import MemoryStorage, MemoryStore
from kindling.testing.memory_tables import MemoryProbe, Tables
from kindling.testing.storage_fixtures import DAY, Place

Act = Callable[[Place, MemoryStore], object]

REFUSALS: dict[str, tuple[Act, str]] = {
    "unknown entity": (
        lambda place, _: Place(place.storage, place.session, Address("m", "l", ("x",)), place.probe).rows(),
        "KDL-STORE-001: 'x' does not exist\n  do: run the pipe that makes it first",
    ),
    "unknown version": (
        lambda _, store: store.read(ReadRequest(version="7")),
        "KDL-STORE-002: 'e' has no version '7'\n  why: kept are 0",
    ),
    "unknown cursor": (
        lambda _, store: store.changes("7"),
        (
            "KDL-STORE-012: what changed in 'e' since '7' cannot be told\n  why: that version is not kept\n"
            "  do: kindling run --full-refresh"
        ),
    ),
    "null key": (
        lambda place, _: place.write(merge(on=["k"]), [(None, "a")]),
        "KDL-STORE-010: the key (k) is null\n  why: for example (None,)",
    ),
    "double key": (
        lambda place, _: place.write(merge(on=["k"]), [(2, "a"), (2, "b")]),
        "KDL-STORE-010: the key (k) occurs twice\n  why: for example (2,)",
    ),
    "foreign owner": (
        lambda place, _: place.write(append(), [(2, "a")], info=place.info(app="crm")),
        "KDL-POL-001: 'e' belongs to the app 'shop' in 'test'\n  why: 'crm' in 'test' wants to write it",
    ),
    "drift": (
        lambda place, _: place.write(append(), [(2,)], "k bigint"),
        (
            "KDL-STORE-013: the columns of 'e' differ: k, v\n"
            "  why: stored: `k` int, `v` string; given: `k` bigint\n"
            "  do: run with drift = 'evolve', or --full-refresh"
        ),
    ),
    "another type": (
        lambda place, _: place.write(append(), [(2, 1)], "k int, v int", drift="evolve"),
        "KDL-STORE-013: column 'v' cannot become int\n  why: it is string, and types only widen",
    ),
    "outside of the slice": (
        lambda place, _: place.write(
            replace(by=["k"]), [(None, "a")], "k date, v string", column="k", slice=DAY, drift="warn"
        ),
        (
            "KDL-STORE-011: 1 rows lie outside of the slice 2026-01-02T00:00:00Z/2026-01-03T00:00:00Z\n"
            "  why: for example k = None"
        ),
    ),
}


@pytest.fixture
def place() -> Place:
    tables: Tables = {}
    session = MemoryPlatform({}).open_session(SessionSpec("t"))
    made = Place(MemoryStorage(tables), session, Address("m", "l", ("e",)), MemoryProbe(tables))
    made.write(append(), [(1, "a")])
    return made


@pytest.mark.parametrize("name", REFUSALS)
def test_a_refusal_says_what_why_and_what_to_do(place: Place, name: str) -> None:
    act, text = REFUSALS[name]
    store = place.store()
    assert isinstance(store, MemoryStore)
    with pytest.raises(KindlingError) as caught:
        act(place, store)
    assert str(caught.value) == text


def test_types_widen_and_never_narrow(place: Place) -> None:
    place.write(append(), [(2**40, "b")], "k bigint, v string", drift="evolve")
    place.write(append(), [(3, "c")], "k smallint, v string", drift="evolve")
    assert place.columns() == {"k": "bigint", "v": "string"}
    assert place.rows() == [(1, "a"), (2**40, "b"), (3, "c")]


def test_a_session_without_arrow_is_refused(place: Place) -> None:
    store = MemoryStore({}, place.address, object())  # type: ignore[arg-type]  # no session at all
    with pytest.raises(TypeError, match=r"^the memory storage needs a session with arrow-out$"):
        store._lines(None)
    with pytest.raises(TypeError, match=r"^the memory storage needs a session with arrow-in$"):
        store._frame(place.session.schema(place.read()), [])


def test_the_slice_of_the_tests_is_a_day() -> None:
    assert Slice.parse("2026-01-02T00:00:00Z/2026-01-03T00:00:00Z") == DAY
