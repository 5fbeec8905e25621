from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest
from kindling_plugin_sail.platform import SailPlatform
from kindling_plugin_sail.session import SailSession

from kindling.hooks.platform import PlatformSpec, SessionSpec


@pytest.fixture(scope="module")
def platform(tmp_path_factory: pytest.TempPathFactory) -> Iterator[SailPlatform]:
    """One engine for all tests of a module."""
    opened = SailPlatform(PlatformSpec("test", work_dir=str(tmp_path_factory.mktemp("work"))))
    yield opened
    opened.close()


@pytest.fixture
def session(platform: SailPlatform, request: pytest.FixtureRequest) -> Iterator[SailSession]:
    """A session that is closed after the test."""
    opened = platform.open_session(SessionSpec(request.node.name))
    assert isinstance(opened, SailSession)
    yield opened
    opened.close()


@pytest.fixture
def table(tmp_path: Path) -> str:
    """The path of a Delta table that does not exist yet."""
    return str(tmp_path / "table")
