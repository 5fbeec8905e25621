"""The contract of `kindling.hooks.platform` as an inheritable test class.

    from kindling.testing.platform_contract import PlatformContract

    class TestMine(PlatformContract):
        plugin = "kindling_plugin_mine"
        capability = "platform:mine"

Features come from the plugin's `kindling.json`. Not a benchmark, and not a test of Spark itself: what
two engines may do differently is not asked here.
"""

from __future__ import annotations

from kindling.testing.platform_engine_contract import EngineTests
from kindling.testing.platform_exchange_contract import ExchangeTests
from kindling.testing.platform_key_contract import KeyTests
from kindling.testing.platform_session_contract import SessionTests
from kindling.testing.platform_trace_contract import TraceTests


class PlatformContract(SessionTests, EngineTests, ExchangeTests, TraceTests, KeyTests):
    """All tests of a platform; see `kindling.testing.platform_fixtures` for what may be replaced."""


__all__ = ["PlatformContract"]
