from __future__ import annotations

from kindling.testing.platform_contract import PlatformContract


class TestSail(PlatformContract):
    plugin = "kindling_plugin_sail"
    capability = "platform:sail"
