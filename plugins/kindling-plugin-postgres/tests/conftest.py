from __future__ import annotations

import sys
from collections.abc import Callable, Iterator
from contextlib import closing
from itertools import count
from pathlib import Path

import psycopg
import pytest
from kindling_plugin_postgres import probe
from kindling_plugin_postgres.storage import PostgresStorage

from kindling.addresses import Address
from kindling.hooks.platform import Session, SessionSpec
from kindling.hooks.storage import StorageSpec
from kindling.testing.memory_platform import MemoryPlatform
from kindling.testing.storage_fixtures import Place

sys.path.insert(0, str(Path(__file__).parent))  # importlib mode adds no folder for server.py
from server import PostgresServer  # found through the line above

PlaceOf = Callable[..., Place]
AddressOf = Callable[[str], Address]
NUMBERS = count(1)


@pytest.fixture(scope="session")
def server() -> Iterator[PostgresServer]:
    """One server for all tests."""
    made = PostgresServer()
    yield made
    made.close()


@pytest.fixture
def schema() -> str:
    """A schema of the test's own."""
    return f"t{next(NUMBERS)}"


@pytest.fixture
def address_of(server: PostgresServer, schema: str) -> AddressOf:
    """Give a function from a name to the address of a table."""
    return lambda name: Address("postgres", "db", (schema, name), uri=f"{server.uri}/{schema}/{name}")


@pytest.fixture
def session() -> Session:
    """A session that knows nothing but Arrow."""
    return MemoryPlatform({}).open_session(SessionSpec("arrow"))


@pytest.fixture
def place_of(address_of: AddressOf, session: Session) -> PlaceOf:
    """Give a function from a name to an entity."""
    return lambda name="orders", **settings: Place(
        PostgresStorage(StorageSpec("test", settings=settings)), session, address_of(name), probe
    )


@pytest.fixture
def place(place_of: PlaceOf) -> Place:
    """One entity that does not exist yet."""
    return place_of()


@pytest.fixture
def sql(server: PostgresServer) -> Iterator[Callable[..., list[tuple[object, ...]]]]:
    """Run statements behind Kindling's back; each is a transaction."""
    with closing(psycopg.connect(server.uri, autocommit=True)) as connection:

        def run(text: str, *values: object) -> list[tuple[object, ...]]:
            cursor = connection.execute(text.encode(), values or None)
            return cursor.fetchall() if cursor.description else []

        yield run
