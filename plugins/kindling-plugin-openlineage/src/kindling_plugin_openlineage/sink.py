"""The sink of one run: translates its events, keeps them in the outbox, and sees that they are delivered."""

from __future__ import annotations

import logging
from collections.abc import Sequence
from contextlib import suppress
from datetime import datetime, timezone
from pathlib import Path
from typing import TYPE_CHECKING

from kindling.events import Event
from kindling.hooks.sink import SinkSpec
from kindling_plugin_openlineage.leftovers import encoded, end_file
from kindling_plugin_openlineage.outbox import Outbox, RunFile, full
from kindling_plugin_openlineage.settings import OpenLineageSettings
from kindling_plugin_openlineage.targets import AwayError, FileTarget, deliver
from kindling_plugin_openlineage.translation import Translator

if TYPE_CHECKING:
    from kindling_plugin_openlineage.courier import Courier

LOGGER = "kindling.openlineage"
MEGABYTE = 1 << 20


class OpenLineageSink:
    """A sink. Events are in the outbox when `record` returns; a target that is away is asked again later.

    Args:
        spec: The run.
        settings: The plugin's settings.
    """

    essential = False

    def __init__(self, spec: SinkSpec, settings: OpenLineageSettings) -> None:
        base = Path(spec.project or spec.run_dir)
        self._spec = spec
        self._settings = settings
        self._translator = Translator(spec.run_id, settings.namespace)
        self._outbox = Outbox(base / settings.outbox, settings.keep_runs, settings.keep_mb * MEGABYTE)
        self._file = FileTarget(base / settings.file) if settings.file else None
        self._courier: Courier | None = None
        self._refused = 0
        self._own: RunFile | None = None
        self._waiting: list[RunFile] = []
        self._is_closed = False

    @property
    def _targets(self) -> tuple[str, ...]:
        return (*(["file"] if self._settings.file else []), *(["http"] if self._settings.url else []))

    def record(self, events: Sequence[Event]) -> None:
        """Keep what a collector is told of these events.

        Effects: makes the outbox; the first call takes over what killed runs left.

        Raises:
            InfrastructureError: KDL-LINE-101, the outbox cannot be written; KDL-LINE-102, it is full.
        """
        lines = [encoded(event) for event in self._translator.translated(events)]
        if not lines:
            return
        own = self._own or self._opened()
        if own.size + sum(map(len, lines)) > self._outbox.keep_bytes:
            if not own.is_delivered(self._targets):
                raise full(self._outbox.folder, self._settings.keep_mb)
            own.restart()
        own.append(lines)
        self._write()
        if self._courier is not None:
            self._courier.wake()

    def _opened(self) -> RunFile:
        self._own = self._outbox.open(self._spec.run_id)
        self._waiting, dropped = self._outbox.claim()
        if dropped:
            logging.getLogger(LOGGER).warning(
                "lineage: the outbox was full: the waiting events of %d older runs are dropped", dropped
            )
        now = datetime.now(timezone.utc).strftime("%Y-%m-%dT%H:%M:%S.%f")[:-3] + "Z"
        for file in self._waiting:
            end_file(file, now)
        if self._settings.url:
            self._courier = self._sent()
        return self._own

    def _sent(self) -> Courier:
        """Start the thread that brings the events to the collector."""
        from kindling_plugin_openlineage.collector import Collector
        from kindling_plugin_openlineage.courier import Courier

        settings, secret = self._settings, self._spec.secret
        key = (lambda: secret(settings.api_key)) if settings.api_key and secret is not None else None
        collector = Collector(settings.address, settings.timeout_s, settings.ca_file, key)
        files = (*self._waiting, *([self._own] if self._own else []))
        return Courier(collector, files, self._refuse)

    def _refuse(self, line: bytes, why: str) -> None:
        """Keep an event that the collector never takes, for people."""
        self._refused += 1
        path = self._outbox.folder / "refused.ndjson"
        if self._refused == 1:
            logging.getLogger(LOGGER).warning("lineage: an event was refused, see %s: %s", path, why)
        with suppress(OSError), path.open("ab") as file:
            if file.tell() + len(line) <= MEGABYTE:
                file.write(line)

    def _write(self) -> str:
        """Bring the file up to date; return why that failed, or ""."""
        if self._file is None:
            return ""
        try:
            for file in (*self._waiting, *([self._own] if self._own else [])):
                deliver(file, self._file)
        except AwayError as error:
            return error.why
        return ""

    def close(self) -> None:
        """Deliver what can be delivered; the rest waits for the next run. Idempotent."""
        if self._is_closed or self._own is None:
            return
        self._is_closed = True
        faults = [self._write(), self._courier.close(self._settings.drain_s) if self._courier else ""]
        for why in filter(None, faults):
            logging.getLogger(LOGGER).warning("lineage: events wait for the next run: %s", why)
        for file in (*self._waiting, self._own):
            if file.is_delivered(self._targets):
                file.remove()
            else:
                file.release()
