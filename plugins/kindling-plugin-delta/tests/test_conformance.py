from __future__ import annotations

from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
from kindling_plugin_sail.platform import SailPlatform

from kindling.addresses import Address
from kindling.hooks.platform import PlatformSpec, Session, SessionSpec
from kindling.testing.memory_platform import MemoryPlatform
from kindling.testing.storage_contract import StorageContract


class TestDeltaOverArrow(StorageContract):
    plugin = "kindling_plugin_delta"
    capability = "storage:delta"
    refused_types = frozenset({"map<string,bigint>"})

    @pytest.fixture
    def session(self) -> Iterator[Session]:
        opened = MemoryPlatform({}).open_session(SessionSpec("delta"))
        yield opened
        opened.close()


@pytest.fixture(scope="module")
def sail(tmp_path_factory: pytest.TempPathFactory) -> Iterator[SailPlatform]:
    """One engine for the module."""
    opened = SailPlatform(PlatformSpec("test", work_dir=str(tmp_path_factory.mktemp("work"))))
    yield opened
    opened.close()


class TestDeltaOnSail(StorageContract):
    plugin = "kindling_plugin_delta"
    capability = "storage:delta"

    @pytest.fixture
    def address_of(self, tmp_path: Path) -> Callable[[str], Address]:
        # Sail writes to another folder where a path has such letters; then the store goes by Arrow.
        return lambda entity: Address(
            "delta", "contract", (entity,), uri=str(tmp_path / entity.encode("ascii", "ignore").decode())
        )

    @pytest.fixture
    def session(self, sail: SailPlatform, request: pytest.FixtureRequest) -> Iterator[Session]:
        opened = sail.open_session(SessionSpec(request.node.name))
        yield opened
        opened.close()
