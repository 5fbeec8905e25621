"""The contract of `kindling.hooks.lineage` as an inheritable test class.

The heir says what its service was told (`told`), in the words of `kindling.testing.list_lineage.Told`. It
may know its service's words for things; logical names of entities and keys of tasks must be found again.
"""

from __future__ import annotations

import time
from collections.abc import Sequence
from pathlib import Path

from kindling.events import (
    Event,
    Heartbeat,
    RunFinished,
    RunStarted,
    TaskFinished,
    TaskRetried,
    TaskSkipped,
    TaskStarted,
    TaskTraced,
)
from kindling.hooks.sink import EventSink, SinkSpec
from kindling.lineage import ColumnLineage, Origin
from kindling.testing.list_lineage import Told
from kindling.testing.offers import needs, open_capability
from kindling.testing.sink_contract import SinkBasics

RUN = "20260102T030405Z-0a1b2c3d"
LONG_S = 30.0
"""Far more than a run may wait for a service that is away, and far less than one that is hung would take."""
SILVER, HOURLY, BAD, LATE = "silver.people", "gold.größe[2026-01-01T00:00:00Z/2026-01-02T00:00:00Z]", "b", "c"
ORDER = (
    (SILVER, "begun"),
    (SILVER, "done"),
    (HOURLY, "begun"),
    (HOURLY, "done"),
    (BAD, "begun"),
    (LATE, "begun"),
    (BAD, "failed"),
    (LATE, "cancelled"),
)
"""What is told of the tasks of `lineage_events`."""


def traced() -> ColumnLineage:
    """Return what the columns of the one task that is not opaque are made of."""
    return ColumnLineage(
        (
            ("id", (Origin("raw.people", "id"),)),
            ("name", (Origin("raw.people", "mail", "transformation"), Origin("raw.names", "name"))),
            ("one", ()),
        ),
        (Origin("raw.names", "id", "indirect"),),
    )


def dataset(entity: str, schema: str, version: str, **address: object) -> dict[str, object]:
    """Return one of the datasets of a `TaskTraced`, at an address of which parts may be given."""
    place = {
        "storage": "delta",
        "location": "lake",
        "parts": entity.split("."),
        "uri": f"/lake/{entity.replace('.', '/')}",
        "options": [],
        "credential": "secret://vault/lake#key",
        **address,
    }
    return {"entity": entity, "address": place, "version": version, "schema": schema}


def lineage_events(run_id: str = RUN) -> list[Event]:
    """Return a run with a task for each thing that lineage tells of."""
    people = dataset("raw.people", "`id` bigint, `mail` string", "p-7")
    names = dataset("raw.names", "`id` bigint, `name` string", "")
    silver = dataset(SILVER, "`id` bigint, `name` string, `one` int", "s-1")
    hourly = dataset("gold.größe", "`n` bigint", "h-1")
    error: dict[str, object] = {
        "code": "KDL-RUN-001",
        "what": "größe raised ValueError",
        "why": "no such day",
    }
    made = [
        (RunStarted, {"app": "shop", "environment": "dev", "platform": "p", "tasks": (SILVER, HOURLY, BAD),
                      "unchanged": 1, "submitter": "s", "principal": "w", "slots": 2}),
        (TaskStarted, {"key": SILVER, "attempt": 1, "why": "its code changed"}),
        (TaskRetried, {"key": SILVER, "attempt": 1, "wait_s": 0.5, "error": "engine lost"}),
        (TaskStarted, {"key": SILVER, "attempt": 2, "why": "its code changed"}),
        (TaskTraced, {"key": SILVER, "target": silver, "inputs": (people, names), "intent": "overwrite",
                      "lineage": traced().to_plain(), "masked": (("raw.people", "mail", "keyed_hash"),),
                      "classes": {"name": ("pii.name",)}}),
        (TaskFinished, {"key": SILVER, "status": "done", "attempt": 2, "seconds": 0.1, "rows": 3,
                        "version": "s-1"}),
        (Heartbeat, {"running": ((HOURLY, 1.5),)}),
        (TaskStarted, {"key": HOURLY, "attempt": 1, "why": "new"}),
        (TaskTraced, {"key": HOURLY, "target": hourly, "inputs": (silver,), "intent": "replace"}),
        (TaskFinished, {"key": HOURLY, "status": "done", "attempt": 1, "seconds": 0.1, "rows": 1,
                        "version": "h-1"}),
        (TaskStarted, {"key": BAD, "attempt": 1, "why": "new"}),
        (TaskStarted, {"key": LATE, "attempt": 1, "why": "new"}),
        (TaskFinished, {"key": BAD, "status": "failed", "attempt": 1, "seconds": 0.1, "error": error}),
        (TaskFinished, {"key": LATE, "status": "cancelled", "attempt": 1, "seconds": 0.1}),
        (TaskSkipped, {"key": "d", "cause": BAD}),
        (RunFinished, {"status": "failed", "exit_code": 1, "seconds": 2.0, "counts": {"failed": 1}}),
    ]  # fmt: skip
    return [
        kind(run_id=run_id, seq=place, at=f"2026-01-02T03:04:{place:02d}.000Z", **fields)  # type: ignore[arg-type]  # fields fit their class
        for place, (kind, fields) in enumerate(made, start=1)
    ]


class LineageContract(SinkBasics):
    """All tests of a lineage sink."""

    def make_sink(self, run_dir: Path, run_id: str = RUN) -> EventSink:
        """Return a sink of a run: by default what the plugin offers; the folder is its project."""
        spec = SinkSpec(run_id, str(run_dir), dict(self.settings), str(run_dir))
        made = open_capability(self.plugin, self.capability, spec)
        assert isinstance(made, EventSink), f"{made!r} is no EventSink"
        return made

    def told(self, sink: EventSink, run_dir: Path) -> Sequence[Told]:
        """Return what the service was told so far, in order; wait for what is under way."""
        raise NotImplementedError

    def service(self, *, is_up: bool) -> None:
        """Let the service listen, or be away; only where `remote` is declared."""
        raise NotImplementedError

    def whole(self, sink: EventSink, run_dir: Path) -> Sequence[Told]:
        """Record a whole run and return what was told."""
        sink.record(lineage_events())
        sink.close()
        return self.told(sink, run_dir)

    def ended(self, sink: EventSink, run_dir: Path, key: str) -> Told:
        """Return what was told of a task's end."""
        (found,) = (
            one for one in self.whole(sink, run_dir) if (one.task, one.state == "begun") == (key, False)
        )
        return found

    def test_the_run_begins_first_and_ends_last(self, sink: EventSink, tmp_path: Path) -> None:
        told = self.whole(sink, tmp_path)
        assert [(one.task, one.state) for one in told if not one.task] == [("", "begun"), ("", "failed")]
        assert [told[0].task, told[-1].task] == ["", ""]

    def test_each_task_begins_once_and_ends_once(self, sink: EventSink, tmp_path: Path) -> None:
        told = self.whole(sink, tmp_path)
        assert [(one.task, one.state) for one in told if one.task] == list(ORDER)

    def test_tasks_belong_to_their_run(self, sink: EventSink, tmp_path: Path) -> None:
        told = self.whole(sink, tmp_path)
        run = told[0].identity
        assert {one.parent for one in told if one.task} == {run}
        assert {one.identity for one in told if not one.task} == {run}
        assert len({(one.task, one.identity) for one in told}) == len({one.identity for one in told})
        assert len({one.identity for one in told}) == len({one.task for one in told})

    def test_a_task_tells_what_it_read_and_wrote(self, sink: EventSink, tmp_path: Path) -> None:
        found = self.ended(sink, tmp_path, SILVER)
        assert (found.reads, found.writes) == (("raw.people", "raw.names"), SILVER)

    def test_versions_are_told_where_they_are_known(self, sink: EventSink, tmp_path: Path) -> None:
        assert dict(self.ended(sink, tmp_path, SILVER).versions) == {"raw.people": "p-7", SILVER: "s-1"}

    def test_a_failed_task_tells_its_error_and_no_other_does(self, sink: EventSink, tmp_path: Path) -> None:
        told = self.whole(sink, tmp_path)
        (failed,) = (one for one in told if (one.task, one.state) == (BAD, "failed"))
        assert "größe raised ValueError" in failed.error
        assert [one.error for one in told if one.state in ("begun", "done")] == [""] * 7

    def test_a_run_that_is_told_again_is_the_same(self, sink: EventSink, tmp_path: Path) -> None:
        first = self.whole(sink, tmp_path)
        other = tmp_path / "other"
        other.mkdir()
        again = self.make_sink(other)
        for event in lineage_events():
            again.record([event])
        again.close()
        assert [one.text for one in self.told(again, other)][-len(first) :] == [one.text for one in first]

    def test_another_run_has_other_identities(self, sink: EventSink, tmp_path: Path) -> None:
        first = self.whole(sink, tmp_path)
        other = tmp_path / "other"
        other.mkdir()
        again = self.make_sink(other, "20260102T030405Z-ffffffff")
        again.record(lineage_events("20260102T030405Z-ffffffff"))
        again.close()
        told = self.told(again, other)[-len(first) :]
        assert not {one.identity for one in first} & {one.identity for one in told}

    def test_no_credential_is_told(self, sink: EventSink, tmp_path: Path) -> None:
        texts = [one.text for one in self.whole(sink, tmp_path)]
        assert all(texts)
        assert not any("secret://" in text for text in texts)

    def test_closing_twice_tells_nothing_twice(self, sink: EventSink, tmp_path: Path) -> None:
        told = self.whole(sink, tmp_path)
        sink.close()
        assert len(self.told(sink, tmp_path)) == len(told)

    @needs("columns")
    def test_columns_tell_what_they_are_made_of(self, sink: EventSink, tmp_path: Path) -> None:
        columns = self.ended(sink, tmp_path, SILVER).columns
        assert columns is not None
        assert dict(columns) == {
            "id": {("raw.people", "id")},
            "name": {("raw.people", "mail"), ("raw.names", "name")},
            "one": set(),
        }

    @needs("columns")
    def test_what_decides_about_rows_is_told(self, sink: EventSink, tmp_path: Path) -> None:
        assert self.ended(sink, tmp_path, SILVER).rows == {("raw.names", "id")}

    @needs("columns")
    def test_masked_columns_are_told_as_masked(self, sink: EventSink, tmp_path: Path) -> None:
        assert self.ended(sink, tmp_path, SILVER).masked == {("raw.people", "mail")}

    @needs("columns")
    def test_an_opaque_task_tells_its_datasets_and_no_columns(self, sink: EventSink, tmp_path: Path) -> None:
        found = self.ended(sink, tmp_path, HOURLY)
        assert (found.reads, found.writes, found.columns) == ((SILVER,), "gold.größe", None)

    @needs("durable")
    def test_what_is_recorded_is_told_before_the_end(self, sink: EventSink, tmp_path: Path) -> None:
        events = lineage_events()
        sink.record(events[:1])
        assert len(self.told(sink, tmp_path)) == 1
        sink.record(events[1:6])
        assert len(self.told(sink, tmp_path)) == 3

    @needs("remote")
    def test_a_service_that_is_away_fails_and_delays_no_run(self, sink: EventSink, tmp_path: Path) -> None:
        self.service(is_up=False)
        started = time.monotonic()
        assert self.whole(sink, tmp_path) == []
        assert time.monotonic() - started < LONG_S

    @needs("remote")
    def test_the_next_run_tells_what_waits_in_order(self, sink: EventSink, tmp_path: Path) -> None:
        self.service(is_up=False)
        self.whole(sink, tmp_path)
        self.service(is_up=True)
        other = "20260102T030406Z-ffffffff"
        again = self.make_sink(tmp_path, other)
        again.record(lineage_events(other))
        again.close()
        told = self.told(again, tmp_path)
        assert [(one.task, one.state) for one in told if one.task] == [*ORDER, *ORDER]
        half = len(ORDER) + 2
        assert len({one.identity for one in told[:half]} & {one.identity for one in told[half:]}) == 0
