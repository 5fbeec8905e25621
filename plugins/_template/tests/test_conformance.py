from __future__ import annotations

import pytest
from kindling_plugin_name.storage import MemoryStorage

from kindling.addresses import Address
from kindling.testing.storage_contract import StorageContract


class Probe:
    """A storage with `"probe": "none"` has no probe module; the contract asks this one in its place."""

    def __init__(self, storage: MemoryStorage) -> None:
        self.storage = storage

    def version(self, address: Address) -> str | None:
        found = self.storage.newest.get(address)
        return found.name if found else None

    def committed(self, address: Address, key: str) -> None:
        """Nothing is told: the storage does not declare `cursors`."""

    cursor = committed


class TestMemory(StorageContract):
    plugin = "kindling_plugin_name"
    capability = "storage:name"
    refused_types = frozenset({"map<string,bigint>"})  # refused by the memory platform

    @pytest.fixture
    def probe(self, storage: MemoryStorage) -> Probe:
        return Probe(storage)
