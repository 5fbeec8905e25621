"""The contract of `kindling.hooks.storage` as an inheritable test class, on any session.

    from kindling.testing.storage_contract import StorageContract

    class TestMine(StorageContract):
        plugin = "kindling_plugin_mine"
        capability = "storage:mine"

    class TestMineOnSail(TestMine):
        on = ("kindling_plugin_sail", "platform:sail")

Features and uses come from the plugin's `kindling.json`. With `KINDLING_FEATURE_TABLE=rows.jsonl` each
test adds a row for `kindling.testing.feature_table`. Kills are left to the plugins' own tests.
"""

from __future__ import annotations

from kindling.testing.feature_table import feature_table
from kindling.testing.storage_key_contract import KeyTests
from kindling.testing.storage_read_contract import ReadTests
from kindling.testing.storage_write_contract import WriteTests


class StorageContract(WriteTests, KeyTests, ReadTests):
    """All tests of a storage; see `kindling.testing.storage_fixtures` for what may be replaced."""


__all__ = ["StorageContract", "feature_table"]
