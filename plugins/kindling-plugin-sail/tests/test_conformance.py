from __future__ import annotations

import io
from contextlib import redirect_stdout
from typing import Any

from kindling.hooks import Frame
from kindling.hooks.platform import Session
from kindling.testing.platform_contract import PlatformContract


class TestSail(PlatformContract):
    plugin = "kindling_plugin_sail"
    capability = "platform:sail"

    def plan_texts(self, session: Session, frame: Frame) -> list[str]:
        untyped: Any = frame
        shown = io.StringIO()
        with redirect_stdout(shown):
            for mode in ("simple", "extended", "formatted", "codegen", "cost"):
                untyped.explain(mode=mode)
            untyped.printSchema()
        plan = untyped._plan.to_proto(session.spark.client)  # type: ignore[attr-defined]  # this platform's own
        return [shown.getvalue(), repr(plan), plan.SerializeToString().decode("latin-1"), repr(frame)]
