"""Progress of a run on stderr: a live display on a terminal, plain lines elsewhere. A sink."""

from __future__ import annotations

import json
import os
import sys
import time
from typing import TYPE_CHECKING, TextIO

from kindling.cli.tables import short_version
from kindling.events import (
    Heartbeat,
    RunStarted,
    SinkFailed,
    TaskFinished,
    TaskRetried,
    TaskSkipped,
    TaskStarted,
)

if TYPE_CHECKING:
    from collections.abc import Sequence

    from kindling.events import Event
    from kindling.hooks.sink import EventSink

WORDS = {"done": "ok", "failed": "FAIL", "timed_out": "TIMEOUT", "cancelled": "CANCEL", "lost": "LOST"}


def progress_sink(*, is_jsonl: bool) -> EventSink:
    """Return the display that fits: JSON lines on stdout, rich on a terminal, plain lines elsewhere."""
    if is_jsonl:
        return JsonLinesPrinter(sys.stdout)
    if sys.stderr.isatty() and not os.environ.get("CI") and os.environ.get("TERM") != "dumb":
        from kindling.cli.live import LiveDisplay

        return LiveDisplay()
    return PlainLines(sys.stderr)


class JsonLinesPrinter:
    """Prints every event as a line of JSON."""

    essential = False

    def __init__(self, out: TextIO) -> None:
        self._out = out

    def record(self, events: Sequence[Event]) -> None:
        """Print events."""
        for event in events:
            self._out.write(json.dumps(event.to_plain(), ensure_ascii=False) + "\n")
        self._out.flush()

    def close(self) -> None:
        """Nothing to release."""


class PlainLines:
    """One line when a task starts and one when it ends, heartbeats in between."""

    essential = False

    def __init__(self, out: TextIO) -> None:
        self._out = out
        self._total = 0
        self._ended = 0
        self._width = 0
        self._started = time.monotonic()

    def record(self, events: Sequence[Event]) -> None:
        """Print a line for each event that people care about."""
        for event in events:
            line = self._line(event)
            if line:
                self._out.write(line + "\n")
                self._out.flush()

    def close(self) -> None:
        """Nothing to release."""

    def _line(self, event: Event) -> str:
        if isinstance(event, RunStarted):
            self._total = len(event.tasks)
            self._width = max((len(key) for key in event.tasks), default=0)
            head = f"run {event.run_id}: {event.app} in {event.environment} on {event.platform}"
            return f"{head}, {self._total} to run, {event.unchanged} unchanged, {event.slots} at once"
        if isinstance(event, TaskStarted):
            again = f" (attempt {event.attempt})" if event.attempt > 1 else ""
            return f"{self._place()} start    {event.key.ljust(self._width)}  {event.why}{again}"
        if isinstance(event, TaskFinished):
            self._ended += 1
            word = WORDS[event.status].ljust(8)
            return f"{self._place()} {word} {event.key.ljust(self._width)}  {finish_text(event)}"
        if isinstance(event, TaskSkipped):
            self._ended += 1
            return f"{self._place()} skip     {event.key.ljust(self._width)}  {event.cause} failed"
        return self._rare(event)

    def _rare(self, event: Event) -> str:
        if isinstance(event, TaskRetried):
            key = event.key.ljust(self._width)
            return f"{self._place()} retry    {key}  in {event.wait_s:.1f} s: {event.error}"
        if isinstance(event, Heartbeat) and event.running:
            running = ", ".join(f"{key} ({seconds:.0f} s)" for key, seconds in event.running)
            return f"{self._place()} running  {running}"
        if isinstance(event, SinkFailed):
            return f"the event sink {event.sink} failed and hears no more: {event.error}"
        return ""

    def _place(self) -> str:
        total = str(max(self._total, self._ended))
        return f"[{str(self._ended).rjust(len(total))}/{total}]"


def finish_text(event: TaskFinished) -> str:
    """Return what a finished task did: rows, seconds, version, quarantine; or its error's first line."""
    if event.error:
        error: dict[str, object] = event.error
        return f"{event.seconds:.2f} s  {error.get('what', '')}"
    parts = [f"{event.seconds:.2f} s"]
    if event.rows is not None:
        parts.insert(0, f"{event.rows:,} rows")
    if event.version:
        parts.append(f"version {short_version(event.version)}")
    parts += [
        f"{count:,} {name.removeprefix('rows_')}"
        for name, count in event.metrics.items()
        if name in NOTED and count
    ]
    return "  ".join(parts)


NOTED = ("rows_quarantined", "rows_unreadable")
