"""The kernel's platform contract, on the real engine."""

from __future__ import annotations

from kindling.testing.platform_contract import PlatformContract


class TestDuckDB(PlatformContract):
    plugin = "kindling_plugin_duckdb"
    capability = "platform:duckdb"
