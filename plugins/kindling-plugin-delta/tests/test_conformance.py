from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import pytest

from kindling.addresses import Address
from kindling.testing.storage_contract import StorageContract


class TestDelta(StorageContract):
    plugin = "kindling_plugin_delta"
    capability = "storage:delta"
    refused_types = frozenset({"map<string,bigint>"})  # refused by the memory platform


class TestDeltaOnDuckDB(TestDelta):
    on = ("kindling_plugin_duckdb", "platform:duckdb")
    refused_types = frozenset()


class TestDeltaOnSail(TestDelta):
    on = ("kindling_plugin_sail", "platform:sail")
    refused_types = frozenset()

    @pytest.fixture
    def address_of(self, tmp_path: Path) -> Callable[[str], Address]:
        # Sail writes to another folder where a path has such letters, and the store goes by Arrow.
        return lambda entity: Address(
            "delta", "contract", (entity,), uri=str(tmp_path / entity.encode("ascii", "ignore").decode())
        )
