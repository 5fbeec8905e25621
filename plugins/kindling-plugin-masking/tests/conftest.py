from __future__ import annotations

import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

from kindling.hooks.platform import Platform, PlatformSpec, Session, SessionSpec
from kindling.testing.offers import open_capability

sys.path.insert(0, str(Path(__file__).parent))  # importlib mode adds no folder for masked.py


def opened(name: str, folder: str) -> Platform:
    made = open_capability(
        f"kindling_plugin_{name}", f"platform:{name}", PlatformSpec("test", work_dir=folder)
    )
    assert isinstance(made, Platform)
    return made


@pytest.fixture(scope="session")
def sail(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Platform]:
    """One Sail for all tests."""
    made = opened("sail", str(tmp_path_factory.mktemp("sail")))
    yield made
    made.close()


@pytest.fixture(scope="session")
def duckdb(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Platform]:
    """One DuckDB for all tests."""
    made = opened("duckdb", str(tmp_path_factory.mktemp("duckdb")))
    yield made
    made.close()


@pytest.fixture
def sessions(
    sail: Platform, duckdb: Platform, request: pytest.FixtureRequest
) -> Iterator[tuple[Session, Session]]:
    """A session of each engine."""
    made = [platform.open_session(SessionSpec(request.node.name)) for platform in (sail, duckdb)]
    yield made[0], made[1]
    for session in made:
        session.close()
