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
        # JSON knows no lone surrogates but as escapes, which is what backslashreplace writes
        self._file = open(path, "a", encoding="utf-8", errors="backslashreplace")  # noqa: SIM115  # as long as the run
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
        self._is_closed = False
        self._lock = threading.RLock()

    def emit(self, kind: type[Event], **fields: object) -> None:
        """Make an event and hand it to each sink; nothing once the stream is closed.

        Raises:
            InfrastructureError: KDL-INFRA-010, an essential sink failed; the others have heard it.
        """
        with self._lock:
            if not self._is_closed:
                self._deliver(self._made(kind, fields))

    def _made(self, kind: type[Event], fields: dict[str, object]) -> Event:
        self._seq += 1
        return kind(run_id=self._run_id, seq=self._seq, at=utc_now(), **fields)

    def _deliver(self, event: Event) -> None:
        """Hand over one event, then tell about the sinks that failed: each hears them in order."""
        failed: list[tuple[str, EventSink, Exception]] = []
        for name, sink in list(self._sinks):
            try:
                sink.record((event,))
            except Exception as error:  # noqa: BLE001  # a sink is foreign code; essential ones fail the run
                failed.append((name, sink, error))
        lost = [sink for _, sink, _ in failed]
        self._sinks = [(name, sink) for name, sink in self._sinks if sink not in lost]
        fatal = next(((name, cause) for name, sink, cause in failed if sink.essential), None)
        for name, sink, cause in failed:
            _closed(sink)
            if not sink.essential:
                self._deliver(self._made(SinkFailed, {"sink": name, "error": _text(cause)}))
        if fatal is not None:
            raise _essential(*fatal) from fatal[1]

    def close(self) -> None:
        """Close the sinks, each whatever the others do. Idempotent.

        Raises:
            InfrastructureError: KDL-INFRA-010, an essential sink could not be closed.
        """
        with self._lock:
            if self._is_closed:
                return
            self._is_closed = True
            results = [(name, sink, _closed(sink)) for name, sink in self._sinks]
        for name, sink, cause in results:
            if cause is not None and sink.essential:
                raise _essential(name, cause) from cause


def _closed(sink: EventSink) -> Exception | None:
    """Close a sink; return what it raised."""
    try:
        sink.close()
    except Exception as error:  # noqa: BLE001  # a sink is foreign code, and the others must be closed too
        return error
    return None


def _essential(name: str, error: Exception) -> InfrastructureError:
    return InfrastructureError("KDL-INFRA-010", f"the essential event sink {name!r} failed", why=_text(error))


def _text(error: Exception) -> str:
    return f"{type(error).__name__}: {error}"
