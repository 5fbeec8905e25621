from __future__ import annotations

from typing import ClassVar

import pytest

from kindling.testing.platform_contract import PlatformContract


@pytest.mark.slow
class TestSpark(PlatformContract):
    plugin = "kindling_plugin_spark"
    capability = "platform:spark"
    patience_s: ClassVar[float] = 120.0
