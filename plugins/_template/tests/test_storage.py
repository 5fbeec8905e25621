from __future__ import annotations

from collections.abc import Callable

import pytest
from kindling_plugin_name.storage import MemoryStorage, MemoryStore

from kindling.addresses import Address
from kindling.errors import StoreError
from kindling.hooks.platform import Session, SessionSpec
from kindling.hooks.storage import CommitInfo, ReadRequest, WriteRequest
from kindling.intents import append
from kindling.schemas import parse_schema
from kindling.testing.memory_platform import MemoryPlatform
from kindling.testing.rows import frame_of

ADDRESS = Address("name", "", ("silver", "orders"))


def write(store: MemoryStore, session: Session, schema: str, row: tuple[object, ...]) -> None:
    info = CommitInfo("shop", "dev", "silver.orders", "*", "run-1", "f-1")
    request = WriteRequest(intent=append(), schema=parse_schema(schema), info=info, drift="evolve")
    store.write(frame_of(session, schema, [row]), request)


REFUSALS: dict[str, tuple[Callable[[MemoryStore, Session], object], str]] = {
    "an older version": (
        lambda store, _: store.read(ReadRequest(version="7")),
        "KDL-STORE-002: 'silver.orders' has no version '7'\n  why: only the newest is kept, '1'",
    ),
    "other columns": (
        lambda store, session: write(store, session, "id int, extra string", (2, "x")),
        (
            "KDL-STORE-013: the columns of 'silver.orders' differ: extra\n"
            "  why: stored: `id` int; given: `id` int, `extra` string\n"
            "  do: change the pipe, or declare drift='warn'"
        ),
    ),
}


@pytest.fixture
def session() -> Session:
    return MemoryPlatform({}).open_session(SessionSpec("t"))


@pytest.mark.parametrize("case", REFUSALS)
def test_a_refusal_says_what_why_and_what_to_do(session: Session, case: str) -> None:
    act, text = REFUSALS[case]
    store = MemoryStorage().open(ADDRESS, session)
    write(store, session, "id int", (1,))
    with pytest.raises(StoreError) as caught:
        act(store, session)
    assert str(caught.value) == text


def test_what_was_never_written_is_refused_with_a_way_out(session: Session) -> None:
    with pytest.raises(StoreError) as caught:
        MemoryStorage().open(ADDRESS, session).read(ReadRequest())
    assert str(caught.value) == (
        "KDL-STORE-001: 'silver.orders' does not exist\n  do: run the pipe that makes it first"
    )


def test_a_platform_without_arrow_is_refused() -> None:
    class Bare:
        platform = "bare"

    with pytest.raises(TypeError, match=r"^the platform 'bare' does not exchange Arrow data$"):
        MemoryStorage().open(ADDRESS, Bare())  # type: ignore[arg-type]  # no session at all
