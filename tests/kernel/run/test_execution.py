"""A run that goes wrong as a whole: it is always recorded, told and released."""

from __future__ import annotations

import threading
from collections.abc import Callable
from pathlib import Path

import polars as pl
import pytest
from workbench import Bench, Ear

import kindling as k
from kindling.errors import InfrastructureError, KindlingError, LeaseHeldError, PluginError
from kindling.events import Event
from kindling.polling import poll
from kindling.records import Lease, RunRecord, TaskRecord
from kindling.run.sqlite import SqliteState

NUMBERS = "n bigint"
Frame = pl.LazyFrame


def same(df: Frame) -> Frame:
    return df


class Shaky(SqliteState):
    """A state that fails at one thing.

    Attributes:
        at: Name of the method that fails, or "".
    """

    at = ""

    def _stumble(self, name: str) -> None:
        if self.at == name:
            msg = f"{name} failed"
            raise ZeroDivisionError(msg)

    def put_task(self, app: str, environment: str, record: TaskRecord) -> None:
        self._stumble("put_task")
        super().put_task(app, environment, record)

    def put_outcomes(self, run_id: str, outcomes: list) -> None:  # type: ignore[override,type-arg]  # as given
        self._stumble("put_outcomes")
        super().put_outcomes(run_id, outcomes)

    def start_run(self, record: RunRecord) -> RunRecord:
        self._stumble("start_run")
        return super().start_run(record)

    def is_cancelled(self, run_id: str) -> bool:
        self._stumble("is_cancelled")
        return super().is_cancelled(run_id)

    def renew(self, lease: Lease, ttl_s: float) -> bool:
        return self.at != "renew" and super().renew(lease, ttl_s)


def app(first: Callable[[Frame], Frame] = same) -> k.App:
    declared = k.App("shop")
    raw = declared.source("raw", k.storage("scratch"))
    declared.pipe(declared.pipe(raw, name="first")(first), name="second")(same)
    return declared


@pytest.fixture
def shaky(bench: Bench) -> Bench:
    bench.use(app())
    bench.state.close()
    bench.state = Shaky(bench.project.state_dir)
    bench.put("raw", NUMBERS, (1,))
    return bench


def check_ended(bench: Bench, status: str, exit_code: int) -> None:
    """Check that the newest run has an end everywhere, and that the next run may begin."""
    record = bench.state.runs("shop", "dev", 1)[0]
    assert (record.status, record.exit_code) == (status, exit_code)
    assert record.ended != ""
    last = bench.heard[-1].to_plain()
    assert (last["type"], last["status"], last["exit_code"]) == ("RunFinished", status, exit_code)
    assert [event.seq for event in bench.heard] == list(range(1, len(bench.heard) + 1))
    assert not any(thread.name == "kindling-lease" for thread in threading.enumerate())
    bench.heard.clear()
    bench.state.release(bench.state.acquire("shop/dev", {"pid": 1}, 1))


def test_a_record_that_cannot_be_kept_fails_the_run(shaky: Bench) -> None:
    shaky.state.at = "put_task"
    with pytest.raises(ZeroDivisionError, match="put_task failed"):
        shaky.run()
    check_ended(shaky, "failed", 1)
    shaky.state.at = ""
    assert shaky.ran() == {"second": "done"}
    assert shaky.rows("second") == [(1,)]


def test_a_question_that_cannot_be_asked_fails_the_run(shaky: Bench) -> None:
    shaky.state.at = "is_cancelled"
    with pytest.raises(ZeroDivisionError):
        shaky.run()
    check_ended(shaky, "failed", 1)


def test_a_run_that_cannot_be_recorded_does_not_begin(shaky: Bench) -> None:
    shaky.state.at = "start_run"
    with pytest.raises(ZeroDivisionError):
        shaky.run()
    assert shaky.heard == []
    assert shaky.commits("first") == []
    shaky.state.release(shaky.state.acquire("shop/dev", {"pid": 1}, 1))


def test_outcomes_that_cannot_be_kept_are_said_after_all_is_released(shaky: Bench) -> None:
    shaky.state.at = "put_outcomes"
    ear = Ear([])
    with pytest.raises(ZeroDivisionError):
        shaky.run(sinks=[ear])
    assert ear.closed == 1
    check_ended(shaky, "done", 0)


def test_an_executor_that_stumbles_fails_the_run(bench: Bench) -> None:
    bench.use(app(), executor__default="clumsy").put("raw", NUMBERS, (1,))
    with pytest.raises(OSError, match="closing stumbled too") as caught:
        bench.run()
    assert isinstance(caught.value.__context__, ZeroDivisionError)
    check_ended(bench, "failed", 1)


def test_an_executor_that_does_not_exist_fails_the_run(bench: Bench) -> None:
    bench.use(app(), executor__default="atlantis").put("raw", NUMBERS, (1,))
    with pytest.raises(PluginError) as caught:
        bench.run()
    assert caught.value.code == "KDL-PLUG-002"
    check_ended(bench, "failed", 2)


def test_an_engine_that_cannot_be_stopped_is_noted_and_the_run_is_done(bench: Bench) -> None:
    bench.use(app(), platform__default="moody").put("raw", NUMBERS, (1,))
    result = bench.run()
    line = bench.lines(result, "log.jsonl")[-1]
    assert (line["event"], line["run_id"]) == ("an engine could not be stopped", result.run_id)
    assert "the engine would not stop" in str(line["exception"])
    check_ended(bench, "done", 0)
    assert bench.rows("second") == [(1,)]


def test_an_essential_sink_that_fails_ends_the_run(bench: Bench) -> None:
    bench.use(app(), run__sinks=["audit"]).put("raw", NUMBERS, (1,))
    with pytest.raises(InfrastructureError) as caught:
        bench.run()
    assert str(caught.value) == (
        "KDL-INFRA-010: the essential event sink 'sink:audit' failed\n  why: OSError: the disk is full"
    )
    check_ended(bench, "failed", 4)
    assert bench.commits("second") == []


def test_sinks_of_the_settings_hear_everything_and_are_closed(bench: Bench) -> None:
    bench.given["sink", "notes", "name"] = "heard"
    bench.use(app(), run__sinks=["notes"]).put("raw", NUMBERS, (1,))
    result = bench.run()
    assert (bench.run_dir(result) / "heard").read_text().splitlines() == [
        "1 RunStarted",
        "2 TaskStarted",
        "3 TaskFinished",
        "4 TaskStarted",
        "5 TaskFinished",
        "6 RunFinished",
        "closed",
    ]


def test_a_sink_that_does_not_exist_fails_the_run_and_its_record_says_so(bench: Bench) -> None:
    bench.use(app(), run__sinks=["atlantis"]).put("raw", NUMBERS, (1,))
    with pytest.raises(PluginError):
        bench.run()
    record = bench.state.runs("shop", "dev", 1)[0]
    assert (record.status, record.exit_code) == ("failed", 2)
    assert bench.commits("first") == []


class Weak(Ear):
    """A sink that fails at the first task."""

    def record(self, events: list[Event]) -> None:  # type: ignore[override]  # as given
        if any(type(event).__name__ == "TaskStarted" for event in events):
            msg = "no paper"
            raise OSError(msg)


def test_another_sink_that_fails_is_told_once_and_the_run_goes_on(bench: Bench) -> None:
    bench.use(app()).put("raw", NUMBERS, (1,))
    weak = Weak([])
    assert bench.run(sinks=[weak]).status == "done"
    told = [event.to_plain() for event in bench.heard if type(event).__name__ == "SinkFailed"]
    assert [(event["sink"], event["error"]) for event in told] == [("Weak", "OSError: no paper")]
    assert weak.closed == 1
    check_ended(bench, "done", 0)


def test_a_fault_between_two_waves_ends_the_run(bench: Bench) -> None:
    declared = k.App("shop")
    raw = declared.source("raw", k.storage("scratch"))

    @declared.pipe(raw, name="first")
    def first(df: Frame) -> Frame:
        bench.put("daily", NUMBERS, (1,), app="somebody else")
        return df

    declared.pipe(first, name="daily", incremental=k.by_time("at", every="1d"))(same)
    bench.use(declared).put("raw", "at timestamp")
    with pytest.raises(KindlingError) as caught:
        bench.run()
    assert caught.value.code == "KDL-POL-001"
    check_ended(bench, "failed", 5)
    assert bench.state.outcomes(bench.state.runs("shop", "dev", 1)[0].run_id)[0]["key"] == "first"


# --- signs of life -------------------------------------------------------------------------------


def test_a_run_tells_that_it_lives_and_what_runs(bench: Bench) -> None:
    def slow(df: Frame) -> Frame:
        assert poll(
            lambda: [event for event in bench.heard if type(event).__name__ == "Heartbeat"], timeout_s=5
        )
        return df

    bench.use(app(slow), run__heartbeat_s=0.02).put("raw", NUMBERS, (1,))
    bench.run()
    beats = [event.to_plain() for event in bench.heard if type(event).__name__ == "Heartbeat"]
    assert [key for key, _ in beats[0]["running"]] == ["first"]
    assert beats[0]["running"][0][1] >= 0
    check_ended(bench, "done", 0)


def test_a_lost_lease_stops_the_run_before_the_next_task(shaky: Bench) -> None:
    gate = threading.Event()

    def slow(df: Frame) -> Frame:
        shaky.state.at = "renew"
        gate.wait(1.0)
        return df

    shaky.use(app(slow), run__heartbeat_s=0.02)
    with pytest.raises(LeaseHeldError) as caught:
        shaky.run()
    gate.set()
    assert caught.value.code == "KDL-INFRA-003"
    check_ended(shaky, "failed", 4)
    assert shaky.commits("second") == []
    outcomes = shaky.state.outcomes(shaky.state.runs("shop", "dev", 1)[0].run_id)
    assert [(row["key"], row["status"]) for row in outcomes] == [
        ("first", "cancelled"),
        ("second", "skipped"),
    ]


def test_an_essential_sink_that_fails_at_a_sign_of_life_ends_the_run(bench: Bench) -> None:
    class Deaf(Ear):
        essential = True

        def record(self, events: list[Event]) -> None:  # type: ignore[override]  # as given
            if any(type(event).__name__ == "Heartbeat" for event in events):
                msg = "deaf"
                raise OSError(msg)

    gate = threading.Event()

    def slow(df: Frame) -> Frame:
        gate.wait(1.0)
        return df

    bench.use(app(slow), run__heartbeat_s=0.02).put("raw", NUMBERS, (1,))
    with pytest.raises(InfrastructureError) as caught:
        bench.run(sinks=[Deaf([])])
    gate.set()
    assert caught.value.code == "KDL-INFRA-010"
    check_ended(bench, "failed", 4)


def test_scratch_folders_are_gone_after_a_run(bench: Bench) -> None:
    import tempfile

    before = {path.name for path in Path(tempfile.gettempdir()).glob("kindling-*")}
    bench.use(app()).put("raw", NUMBERS, (1,))
    result = bench.run()
    new = {path.name for path in Path(tempfile.gettempdir()).glob("kindling-*")} - before
    assert not [name for name in new if result.run_id[-8:] in name]
