"""The whole platform contract on the classic engine; over Connect all that Connect does differently."""

from __future__ import annotations

import io
from contextlib import redirect_stdout
from pathlib import Path
from typing import Any, ClassVar

import pytest
from kindling_plugin_spark.connect import ConnectPlatform
from kindling_plugin_spark.servers import RemoteServer

from kindling.errors import RunError
from kindling.hooks import Frame
from kindling.hooks.platform import Platform, PlatformSpec, Session, SessionSpec
from kindling.testing.platform_contract import PlatformContract


class OnSpark(PlatformContract):
    plugin = "kindling_plugin_spark"
    capability = "platform:spark"
    patience_s: ClassVar[float] = 120.0

    def plan_texts(self, session: Session, frame: Frame) -> list[str]:
        untyped: Any = frame
        shown = io.StringIO()
        with redirect_stdout(shown):
            for mode in ("simple", "extended", "formatted", "codegen", "cost"):
                untyped.explain(mode=mode)
        texts = [shown.getvalue(), repr(frame)]
        if hasattr(untyped, "_jdf"):
            execution = untyped._jdf.queryExecution()
            texts += [execution.analyzed().toJSON(), execution.optimizedPlan().toJSON(), execution.toString()]
        else:
            texts.append(repr(untyped._plan.to_proto(untyped.sparkSession.client)))
        return texts

    def test_a_cancelled_session_starts_no_other_work(self, platform: Platform) -> None:
        session = platform.open_session(SessionSpec("ended"))
        frame = session.sql("SELECT 1 AS n", {})
        assert platform.cancel("ended", 30.0) is True
        with pytest.raises(RunError) as caught:
            session.preview(frame, 1)
        session.close()
        assert str(caught.value).splitlines() == [
            "KDL-INFRA-303: the session 'ended' was cancelled",
            "  do: open another session",
        ]


@pytest.mark.slow
@pytest.mark.timeout(900)
class TestSpark(OnSpark):
    @pytest.fixture(scope="class")
    @classmethod
    def platform(cls, spark: Platform) -> Platform:
        return spark


@pytest.mark.slow
@pytest.mark.timeout(900)
class TestConnect(OnSpark):
    server: ClassVar[RemoteServer]

    @pytest.fixture(scope="class")
    @classmethod
    def platform(cls, connect: ConnectPlatform) -> Platform:
        connect.open_session(SessionSpec("first")).close()
        assert connect.server is not None
        cls.server = RemoteServer(connect.server.endpoint, 5.0)
        return connect

    @classmethod
    def make_platform(cls, work_dir: Path) -> Platform:
        """Return one more platform on the same server: it is as one that somebody else runs."""
        return ConnectPlatform(PlatformSpec("test", work_dir=str(work_dir)), cls.server.endpoint)
