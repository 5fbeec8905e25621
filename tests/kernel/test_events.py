from __future__ import annotations

import json
from dataclasses import FrozenInstanceError, fields

import pytest

from kindling.events import SCHEMA, TYPES, Event, Heartbeat, RunFinished, TaskFinished

AT = "2026-01-01T00:00:00.000Z"


def test_an_event_is_one_json_line_that_names_its_type() -> None:
    event = TaskFinished(run_id="r1", seq=3, at=AT, key="a", status="done", attempt=1, seconds=0.5, rows=2)
    assert json.loads(json.dumps(event.to_plain())) == {
        "schema": "kindling.event/1",
        "type": "TaskFinished",
        "run_id": "r1",
        "seq": 3,
        "at": AT,
        "key": "a",
        "status": "done",
        "attempt": 1,
        "seconds": 0.5,
        "rows": 2,
        "version": "",
        "metrics": {},
        "expectations": {},
        "warnings": [],
        "error": {},
    }


def test_every_kind_of_event_is_listed_by_its_name() -> None:
    assert {kind.__name__: kind for kind in Event.__subclasses__()} == TYPES
    assert SCHEMA == "kindling.event/1"


def test_an_event_is_made_again_from_what_it_wrote() -> None:
    written = RunFinished(
        run_id="r1", seq=9, at=AT, status="done", exit_code=0, seconds=1.0, counts={"done": 2}
    )
    plain = written.to_plain()
    kind = TYPES[str(plain["type"])]
    assert kind(**{part.name: plain[part.name] for part in fields(kind)}) == written  # type: ignore[arg-type]  # its own values


def test_events_are_frozen() -> None:
    event = Heartbeat(run_id="r1", seq=1, at=AT, running=(("a", 2.5),))
    with pytest.raises(FrozenInstanceError):
        event.seq = 2  # type: ignore[misc]  # what is tested
