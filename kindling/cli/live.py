"""The live display of a run on a terminal, drawn by rich: running tasks below, finished ones above."""

from __future__ import annotations

import time
from typing import TYPE_CHECKING

from rich.console import Console
from rich.live import Live
from rich.table import Table
from rich.text import Text

from kindling.cli.progress import WORDS, finish_text
from kindling.events import RunFinished, RunStarted, TaskFinished, TaskRetried, TaskSkipped, TaskStarted

if TYPE_CHECKING:
    from collections.abc import Sequence

    from kindling.events import Event

STYLES = {
    "done": "green",
    "failed": "bold red",
    "timed_out": "bold red",
    "cancelled": "yellow",
    "lost": "red",
}
SIGNS = {"done": "✓", "failed": "✗", "timed_out": "✗", "cancelled": "!", "lost": "✗"}


class LiveDisplay:
    """A sink that draws; state is always a sign, a word and a colour."""

    essential = False

    def __init__(self, console: Console | None = None) -> None:
        self._console = console or Console(stderr=True)
        self._running: dict[str, float] = {}
        self._total = 0
        self._width = 0
        self._ended = 0
        self._live = Live(self, console=self._console, refresh_per_second=8, transient=True)

    def __rich__(self) -> Table:
        """Return the running tasks and the total, for rich."""
        table = Table.grid(padding=(0, 2))
        now = time.monotonic()
        for key, since in list(self._running.items()):
            table.add_row(Text("…", "cyan"), key, Text(f"{now - since:.1f} s", "dim"))
        table.add_row("", Text(f"{self._ended} of {self._total} done", "bold"), "")
        return table

    def record(self, events: Sequence[Event]) -> None:
        """Take events and print finished tasks above the live part."""
        for event in events:
            self._take(event)

    def _take(self, event: Event) -> None:
        if isinstance(event, RunStarted):
            self._total = len(event.tasks)
            self._width = max((len(key) for key in event.tasks), default=0)
            head = f"{event.app} in {event.environment} on {event.platform}: {self._total} to run"
            self._console.print(Text(f"{head}, {event.unchanged} unchanged", "bold"))
            self._live.start()
        elif isinstance(event, TaskStarted):
            self._running[event.key] = time.monotonic()
        elif isinstance(event, TaskFinished):
            self._ended += 1
            self._running.pop(event.key, None)
            sign = f"{SIGNS[event.status]} {WORDS[event.status]}".ljust(9)
            key = event.key.ljust(self._width)
            self._console.print(
                Text.assemble((sign, STYLES[event.status]), key, "  ", (finish_text(event), "dim"))
            )
        elif isinstance(event, TaskSkipped):
            self._ended += 1
            key = event.key.ljust(self._width)
            self._console.print(
                Text.assemble(("- skip   ", "yellow"), key, (f"  {event.cause} failed", "dim"))
            )
        elif isinstance(event, TaskRetried):
            self._running.pop(event.key, None)
            self._console.print(
                Text(f"! retry  {event.key}  in {event.wait_s:.1f} s: {event.error}", "yellow")
            )
        elif isinstance(event, RunFinished):
            self._live.stop()

    def close(self) -> None:
        """Stop drawing. Idempotent."""
        self._live.stop()
