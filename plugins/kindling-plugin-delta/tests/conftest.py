from __future__ import annotations

from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
from kindling_plugin_delta import probe
from kindling_plugin_delta.storage import DeltaStorage
from kindling_plugin_duckdb.engine import DuckDBPlatform
from kindling_plugin_sail.platform import SailPlatform

from kindling.addresses import Address
from kindling.hooks.platform import Platform, PlatformSpec, Session, SessionSpec
from kindling.hooks.storage import StorageSpec
from kindling.testing.memory_platform import MemoryPlatform
from kindling.testing.storage_fixtures import Place

PlaceOf = Callable[..., Place]


@pytest.fixture(scope="session")
def sail(tmp_path_factory: pytest.TempPathFactory) -> Iterator[SailPlatform]:
    """One engine for all tests."""
    opened = SailPlatform(PlatformSpec("test", work_dir=str(tmp_path_factory.mktemp("work"))))
    yield opened
    opened.close()


@pytest.fixture
def arrow() -> Session:
    """A session that knows nothing but Arrow."""
    return MemoryPlatform({}).open_session(SessionSpec("arrow"))


@pytest.fixture
def native(sail: SailPlatform, request: pytest.FixtureRequest) -> Iterator[Session]:
    """A session that reads and writes Delta itself."""
    opened = sail.open_session(SessionSpec(request.node.name))
    yield opened
    opened.close()


@pytest.fixture(scope="session")
def duck(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Platform]:
    """One DuckDB for all tests."""
    opened = DuckDBPlatform(PlatformSpec("test", work_dir=str(tmp_path_factory.mktemp("duck"))))
    yield opened
    opened.close()


@pytest.fixture
def files(duck: Platform, request: pytest.FixtureRequest) -> Iterator[Session]:
    """A session that reads Parquet files by path and streams Arrow."""
    opened = duck.open_session(SessionSpec(request.node.name))
    yield opened
    opened.close()


@pytest.fixture(params=["arrow", "files", "native"])
def session(request: pytest.FixtureRequest) -> Session:
    """Each kind of session."""
    found: Session = request.getfixturevalue(request.param)
    return found


@pytest.fixture
def place_of(tmp_path: Path) -> PlaceOf:
    """Give a function that makes an entity through a session."""

    def make(session: Session, name: str = "orders", **options: bool) -> Place:
        address = Address(
            "delta", "lake", ("silver", name), uri=str(tmp_path / name), options=tuple(options.items())
        )
        return Place(DeltaStorage(StorageSpec("test")), session, address, probe)

    return make


@pytest.fixture
def place(place_of: PlaceOf, session: Session) -> Place:
    """Give one entity that does not exist yet, on each kind of session."""
    return place_of(session)


@pytest.fixture
def over_arrow(place_of: PlaceOf, arrow: Session) -> Place:
    """Give one entity that does not exist yet, through Arrow."""
    return place_of(arrow)


@pytest.fixture
def on_sail(place_of: PlaceOf, native: Session) -> Place:
    """Give one entity that does not exist yet, on Sail."""
    return place_of(native)
