"""The contract of `kindling.hooks.sink` as an inheritable test class.

The heir says what its sink has kept (`heard`): plain events with at least `type`, `seq` and `run_id`.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path

import pytest

from kindling.events import (
    Event,
    Heartbeat,
    RunFinished,
    RunStarted,
    SinkFailed,
    TaskFinished,
    TaskRetried,
    TaskSkipped,
    TaskStarted,
)
from kindling.hooks.sink import EventSink, SinkSpec
from kindling.testing.offers import Contract, needs, open_capability

RUN = "run-contract"


def events_of_a_run() -> list[Event]:
    """Return one event of each type, in the order of a run."""
    error: dict[str, object] = {"code": "KDL-RUN-001", "what": "größe failed"}
    made = [
        (RunStarted, {"app": "a", "environment": "dev", "platform": "p", "tasks": ("a", "größe"),
                      "unchanged": 1, "submitter": "s", "principal": "w", "slots": 2}),
        (TaskStarted, {"key": "größe", "attempt": 1, "why": "its code changed"}),
        (TaskRetried, {"key": "größe", "attempt": 1, "wait_s": 0.5, "error": "engine lost"}),
        (Heartbeat, {"running": (("größe", 1.5),)}),
        (TaskFinished, {"key": "größe", "status": "failed", "attempt": 2, "seconds": 0.1, "rows": None,
                        "metrics": {"rows_inserted": 3}, "warnings": ("w",), "error": error}),
        (TaskSkipped, {"key": "b", "cause": "größe"}),
        (SinkFailed, {"sink": "sink:x", "error": "disk full"}),
        (RunFinished, {"status": "failed", "exit_code": 1, "seconds": 2.0, "counts": {"failed": 1}}),
    ]  # fmt: skip
    stamp = "2026-01-01T00:00:00.000Z"
    return [
        kind(run_id=RUN, seq=place, at=stamp, **fields)  # type: ignore[arg-type]  # fields fit their class
        for place, (kind, fields) in enumerate(made, start=1)
    ]


class SinkBasics(Contract):
    """Tests of each sink, whatever it does with events."""

    def make_sink(self, run_dir: Path) -> EventSink:
        """Return a sink: by default what the plugin offers."""
        spec = SinkSpec(run_id=RUN, run_dir=str(run_dir), settings=dict(self.settings))
        made = open_capability(self.plugin, self.capability, spec)
        assert isinstance(made, EventSink), f"{made!r} is no EventSink"
        return made

    @pytest.fixture
    def sink(self, tmp_path: Path) -> Iterator[EventSink]:
        """Give a sink."""
        made = self.make_sink(tmp_path)
        yield made
        made.close()

    def test_it_says_whether_it_is_essential(self, sink: EventSink) -> None:
        assert sink.essential in (True, False)

    def test_recording_changes_no_event(self, sink: EventSink) -> None:
        events = events_of_a_run()
        sink.record(events)
        assert events == events_of_a_run()


class SinkContract(SinkBasics):
    """All tests of a sink that keeps events."""

    def heard(self, sink: EventSink, run_dir: Path) -> Sequence[Mapping[str, object]]:
        """Return what a sink has kept, as `Event.to_plain` gives it, in its order."""
        raise NotImplementedError

    def test_events_are_kept_whole(self, sink: EventSink, tmp_path: Path) -> None:
        events = events_of_a_run()
        sink.record(events)
        sink.close()
        found = [pick(event) for event in self.heard(sink, tmp_path)]
        assert found == [pick(event.to_plain()) for event in events]

    def test_events_of_several_calls_stay_in_order(self, sink: EventSink, tmp_path: Path) -> None:
        events = events_of_a_run()
        sink.record(events[:1])
        sink.record([])
        sink.record(events[1:4])
        sink.record(events[4:])
        sink.close()
        assert [event["seq"] for event in self.heard(sink, tmp_path)] == [1, 2, 3, 4, 5, 6, 7, 8]

    @needs("durable")
    def test_events_are_safe_once_recorded(self, sink: EventSink, tmp_path: Path) -> None:
        for place, event in enumerate(events_of_a_run(), start=1):
            sink.record([event])
            assert len(self.heard(sink, tmp_path)) == place

    def test_closing_twice_keeps_what_was_heard(self, sink: EventSink, tmp_path: Path) -> None:
        sink.record(events_of_a_run()[:2])
        sink.close()
        sink.close()
        assert [event["seq"] for event in self.heard(sink, tmp_path)] == [1, 2]


def pick(event: Mapping[str, object]) -> dict[str, object]:
    """Return an event with lists in the place of tuples, as JSON has them."""

    def plain(value: object) -> object:
        if isinstance(value, (list, tuple)):
            return [plain(item) for item in value]
        return {key: plain(item) for key, item in value.items()} if isinstance(value, dict) else value

    return {key: plain(value) for key, value in event.items()}
