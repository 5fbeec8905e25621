from __future__ import annotations

from kindling.testing.storage_contract import StorageContract


class TestHeavy(StorageContract):
    plugin = "kindling_plugin_heavy"
    capability = "storage:heavy"
    refused_types = frozenset({"map<string,bigint>"})  # refused by the memory platform
