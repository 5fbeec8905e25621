"""Sinks of a project, told a whole run; and what waits in its outbox."""

from __future__ import annotations

import json
import time
from pathlib import Path

from kindling_plugin_openlineage.settings import OpenLineageSettings
from kindling_plugin_openlineage.sink import OpenLineageSink
from run_events import RUN, run_events

from kindling.events import Event
from kindling.hooks.sink import SinkSpec

OUTBOX = ".kindling/outbox/openlineage"


def sink_of(project: Path, run: str = RUN, **settings: object) -> OpenLineageSink:
    """Return a sink of a project."""
    made = OpenLineageSettings.of(settings)  # type: ignore[arg-type]  # JSON types
    return OpenLineageSink(SinkSpec(run, str(project / run), {}, str(project), lambda _: "key-1"), made)


def record(sink: OpenLineageSink, events: list[Event] | None = None) -> float:
    """Tell a whole run; return the seconds that it took to close."""
    for event in events or run_events():
        sink.record([event])
    started = time.monotonic()
    sink.close()
    return time.monotonic() - started


def waiting(project: Path) -> list[Path]:
    """Return what stands in the outbox."""
    return sorted((project / OUTBOX).iterdir())


def events_of(*files: Path) -> list[object]:
    """Return the events of files."""
    return [json.loads(line) for file in files for line in file.read_text("utf-8").splitlines()]
