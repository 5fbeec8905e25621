from __future__ import annotations

from typing import ClassVar

import pytest

from kindling.errors import RunError
from kindling.hooks.platform import Platform, SessionSpec
from kindling.testing.platform_contract import PlatformContract


@pytest.mark.slow
class TestSpark(PlatformContract):
    plugin = "kindling_plugin_spark"
    capability = "platform:spark"
    patience_s: ClassVar[float] = 120.0

    def test_a_cancelled_session_starts_no_other_work(self, platform: Platform) -> None:
        session = platform.open_session(SessionSpec("ended"))
        frame = session.sql("SELECT 1 AS n", {})
        assert platform.cancel("ended", 5.0) is True
        with pytest.raises(RunError) as caught:
            session.preview(frame, 1)
        session.close()
        assert str(caught.value).splitlines() == [
            "KDL-INFRA-303: the session 'ended' was cancelled",
            "  do: open another session",
        ]
