"""The event stream of one run: numbers events and hands them to the sinks. It decides nothing."""

from __future__ import annotations

import json
import threading
from typing import TYPE_CHECKING

from kindling.errors import InfrastructureError
from kindling.events import Event, SinkFailed
from kindling.run.request import utc_now

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from kindling.hooks.sink import EventSink


class JsonLines:
    """The kernel's own sink: `events.jsonl` in the run's folder; each line is on disk when it returns.

    Essential: a run whose history cannot be written does not go on.
    """

    essential = True

    def __init__(self, path: str, redact: Callable[[str], str]) -> None:
        self._file = open(path, "a", encoding="utf-8")  # noqa: SIM115  # open as long as the run
        self._redact = redact

    def record(self, events: Sequence[Event]) -> None:
        """Append one line for each event."""
        lines = [json.dumps(event.to_plain(), ensure_ascii=False) for event in events]
        self._file.write(self._redact("\n".join(lines)) + "\n")
        self._file.flush()

    def close(self) -> None:
        """Close the file. Idempotent."""
        self._file.close()


class EventStream:
    """Numbers events, in order, from any thread.

    Args:
        run_id: The run.
        sinks: (name, sink) pairs; they hear every event in order.
    """

    def __init__(self, run_id: str, sinks: Sequence[tuple[str, EventSink]]) -> None:
        self._run_id = run_id
        self._sinks = list(sinks)
        self._seq = 0
        self._lock = threading.RLock()

    def emit(self, kind: type[Event], **fields: object) -> None:
        """Make an event and hand it to each sink.

        Raises:
            InfrastructureError: KDL-INFRA-010, an essential sink failed.
        """
        with self._lock:
            self._deliver(self._made(kind, fields))

    def _made(self, kind: type[Event], fields: dict[str, object]) -> Event:
        self._seq += 1
        return kind(run_id=self._run_id, seq=self._seq, at=utc_now(), **fields)

    def _deliver(self, event: Event) -> None:
        for name, sink in list(self._sinks):
            try:
                sink.record((event,))
            except Exception as error:  # noqa: BLE001  # a sink is foreign code; essential ones fail the run
                self._failed(name, sink, error)

    def _failed(self, name: str, sink: EventSink, error: Exception) -> None:
        self._sinks = [pair for pair in self._sinks if pair[1] is not sink]
        text = f"{type(error).__name__}: {error}"
        if sink.essential:
            raise InfrastructureError(
                "KDL-INFRA-010", f"the essential event sink {name!r} failed", why=text
            ) from error
        self._deliver(self._made(SinkFailed, {"sink": name, "error": text}))

    def close(self) -> None:
        """Close the sinks."""
        for _, sink in self._sinks:
            sink.close()
