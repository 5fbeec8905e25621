from __future__ import annotations

import io
import re

from rich.console import Console

from kindling.cli.live import LiveDisplay
from kindling.events import (
    Event,
    RunFinished,
    RunStarted,
    TaskFinished,
    TaskRetried,
    TaskSkipped,
    TaskStarted,
)


def drawn(*events: Event) -> str:
    """What a terminal of 100 columns shows in all, without its control codes."""
    out = io.StringIO()
    console = Console(file=out, force_terminal=True, no_color=True, width=100, legacy_windows=False)
    display = LiveDisplay(console)
    for event in events:
        display.record((event,))
    display.close()
    display.close()
    return re.sub(r"\x1b\[[0-9;?]*[A-Za-z]", "", out.getvalue())


def common(seq: int) -> dict[str, object]:
    return {"run_id": "r1", "seq": seq, "at": "2026-01-01T00:00:00.000Z"}


def started(*tasks: str) -> RunStarted:
    return RunStarted(
        **common(1), app="shop", environment="dev", platform="sail", tasks=tasks, unchanged=2, submitter="me",
        principal="shop", slots=2,
    )  # fmt: skip


def test_what_ends_is_told_with_sign_word_and_what_it_did() -> None:
    shown = drawn(
        started("a.one", "b.longer"),
        TaskStarted(**common(2), key="a.one", attempt=1, why="new"),
        TaskFinished(
            **common(3), key="a.one", status="done", attempt=1, seconds=1.5, rows=1234, version="7-abc",
            metrics={"rows_quarantined": 3, "files": 1},
        ),
        TaskFinished(
            **common(4), key="b.longer", status="failed", attempt=1, seconds=0.5, error={"what": "it broke"}
        ),
        RunFinished(**common(5), status="failed", exit_code=1, seconds=2.0, counts={}),
    )  # fmt: skip
    assert "shop in dev on sail: 2 to run, 2 unchanged" in shown
    assert "✓ ok     a.one     1,234 rows  1.50 s  version 7  3 quarantined" in shown
    assert "✗ FAIL   b.longer  0.50 s  it broke" in shown


def test_what_is_skipped_and_retried_is_told() -> None:
    shown = drawn(
        started("a.one", "b.two"),
        TaskRetried(**common(2), key="a.one", attempt=1, wait_s=0.5, error="engine lost"),
        TaskSkipped(**common(3), key="b.two", cause="a.one"),
    )
    assert "! retry  a.one  in 0.5 s: engine lost" in shown
    assert "- skip   b.two  a.one failed" in shown


def test_what_runs_is_drawn_with_its_seconds_and_the_total() -> None:
    shown = drawn(started("a.one"), TaskStarted(**common(2), key="a.one", attempt=1, why="new"))
    assert "a.one" in shown
    assert "0 of 1 done" in shown
