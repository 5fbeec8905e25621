from __future__ import annotations

import json
import threading
from collections.abc import Sequence
from dataclasses import MISSING, fields
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st
from workbench import Ear

from kindling.errors import InfrastructureError
from kindling.events import SCHEMA, TYPES, Event, Heartbeat, TaskSkipped, TaskStarted
from kindling.run.stream import EventStream, JsonLines

TEXTS = st.text(max_size=6)
VALUES = {
    "str": TEXTS,
    "int": st.integers(-(2**53), 2**53),
    "float": st.floats(allow_nan=False, allow_infinity=False),
    "int | None": st.none() | st.integers(0, 9),
    "tuple[str, ...]": st.lists(TEXTS, max_size=2).map(tuple),
    "tuple[tuple[str, float], ...]": st.lists(st.tuples(TEXTS, st.floats(0, 9)), max_size=2).map(tuple),
    "dict[str, int]": st.dictionaries(TEXTS, st.integers(0, 9), max_size=2),
    "dict[str, object]": st.dictionaries(TEXTS, TEXTS, max_size=2),
    "tuple[dict[str, object], ...]": st.lists(st.dictionaries(TEXTS, TEXTS, max_size=2), max_size=2).map(
        tuple
    ),
    "tuple[tuple[str, str, str], ...]": st.lists(st.tuples(TEXTS, TEXTS, TEXTS), max_size=2).map(tuple),
    "dict[str, tuple[str, ...]]": st.dictionaries(TEXTS, st.lists(TEXTS, max_size=2).map(tuple), max_size=2),
}


class Fragile:
    """A sink that fails at its nth event.

    Attributes:
        heard: What it was given, the fatal one included.
    """

    def __init__(self, at: int, *, essential: bool = False, close_fails: bool = False) -> None:
        self.essential = essential
        self.heard: list[Event] = []
        self.closed = 0
        self._at = at
        self._close_fails = close_fails

    def record(self, events: Sequence[Event]) -> None:
        self.heard.extend(events)
        if len(self.heard) >= self._at:
            msg = "no more paper"
            raise OSError(msg)

    def close(self) -> None:
        self.closed += 1
        if self._close_fails:
            msg = "stuck"
            raise OSError(msg)


@given(st.data())
def test_every_event_is_one_json_line(data: st.DataObject) -> None:
    for kind in TYPES.values():
        told = {
            place.name: data.draw(VALUES[str(place.type)])
            for place in fields(kind)
            if place.name not in ("run_id", "seq", "at")
        }
        event = kind(run_id="r", seq=1, at="now", **told)
        plain = json.loads(json.dumps(event.to_plain()))
        assert (plain["schema"], plain["type"]) == (SCHEMA, kind.__name__)
        assert {place.name for place in fields(kind)} < plain.keys()
        assert all(place.default is not MISSING or place.name in plain for place in fields(kind))


def test_events_are_numbered_without_gaps_from_any_thread() -> None:
    heard: list[Event] = []
    stream = EventStream("r", [("ear", Ear(heard))])

    def speak() -> None:
        for _ in range(100):
            stream.emit(Heartbeat, running=())

    threads = [threading.Thread(target=speak) for _ in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert [event.seq for event in heard] == list(range(1, 401))
    assert {event.run_id for event in heard} == {"r"}


def test_a_sink_that_fails_is_told_once_closed_and_left_alone() -> None:
    fragile, heard = Fragile(2), []
    stream = EventStream("r", [("sink:fragile", fragile), ("ear", Ear(heard))])
    for number in range(4):
        stream.emit(TaskSkipped, key=f"k{number}", cause="")
    assert [type(event).__name__ for event in heard] == [
        "TaskSkipped",
        "TaskSkipped",
        "SinkFailed",
        "TaskSkipped",
        "TaskSkipped",
    ]
    assert [event.seq for event in heard] == [1, 2, 3, 4, 5]
    told = heard[2].to_plain()
    assert (told["sink"], told["error"]) == ("sink:fragile", "OSError: no more paper")
    assert (len(fragile.heard), fragile.closed) == (2, 1)


def test_a_sink_that_fails_at_the_news_of_another_is_told_too() -> None:
    first, second, heard = Fragile(1), Fragile(2), []
    stream = EventStream("r", [("first", first), ("second", second), ("ear", Ear(heard))])
    stream.emit(TaskSkipped, key="k", cause="")
    assert [event.to_plain().get("sink", "") for event in heard] == ["", "first", "second"]
    assert [event.seq for event in heard] == [1, 2, 3]


def test_an_essential_sink_that_fails_ends_the_run_after_the_others_heard() -> None:
    heard: list[Event] = []
    stream = EventStream("r", [("audit", Fragile(1, essential=True)), ("ear", Ear(heard))])
    with pytest.raises(InfrastructureError) as caught:
        stream.emit(TaskSkipped, key="k", cause="")
    assert str(caught.value) == (
        "KDL-INFRA-010: the essential event sink 'audit' failed\n  why: OSError: no more paper"
    )
    assert isinstance(caught.value.__cause__, OSError)
    assert len(heard) == 1


def test_nothing_is_told_after_the_end() -> None:
    ear = Ear([])
    stream = EventStream("r", [("ear", ear)])
    stream.close()
    stream.close()
    stream.emit(Heartbeat, running=())
    assert (ear.heard, ear.closed) == ([], 1)


def test_all_sinks_are_closed_even_if_one_cannot_be() -> None:
    stuck, ear = Fragile(9, close_fails=True), Ear([])
    EventStream("r", [("stuck", stuck), ("ear", ear)]).close()
    assert (stuck.closed, ear.closed) == (1, 1)


def test_an_essential_sink_that_cannot_be_closed_is_said() -> None:
    ear = Ear([])
    stream = EventStream("r", [("audit", Fragile(9, essential=True, close_fails=True)), ("ear", ear)])
    with pytest.raises(InfrastructureError) as caught:
        stream.close()
    assert (
        str(caught.value) == "KDL-INFRA-010: the essential event sink 'audit' failed\n  why: OSError: stuck"
    )
    assert ear.closed == 1


def test_lines_are_on_disk_when_they_are_recorded_and_hide_secrets(tmp_path: Path) -> None:
    file = tmp_path / "events.jsonl"
    sink = JsonLines(str(file), lambda text: text.replace("hunter2", "***"))
    sink.record([TaskStarted(run_id="r", seq=1, at="now", key="größe", attempt=1, why="hunter2\udcff")])
    text = file.read_text(encoding="utf-8")
    assert "größe" in text
    assert "hunter2" not in text
    assert json.loads(text)["why"] == "***\udcff"
    sink.close()
    sink.close()
    assert sink.essential
