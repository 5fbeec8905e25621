from __future__ import annotations

import json
import threading
from collections.abc import Callable, Iterator
from dataclasses import replace

import polars as pl
import pytest
from workbench import Bench

import kindling as k
from kindling.errors import EngineLostError, Faults, RunError
from kindling.hooks.executor import Outcome, Runner, TaskSpec
from kindling.plan.planner import Wish
from kindling.polling import poll
from kindling.records import Lease
from kindling.run.capabilities import Capabilities
from kindling.run.request import decoded, encoded
from kindling.run.specs import SpecMaker
from kindling.run.worker import Worker

NUMBERS = "n bigint"
Frame = pl.LazyFrame
Pipe = Callable[[Frame], Frame]


def same(df: Frame) -> Frame:
    return df


class Desk:
    """A worker over one pipe, and the specs of its task."""

    def __init__(self, bench: Bench, function: Pipe = same, **options: object) -> None:
        app = k.App("shop")
        app.pipe(app.source("raw", k.storage("scratch")), name="out", **options)(function)
        bench.use(app).put("raw", NUMBERS, (1,))
        self.bench = bench
        self.lease: Lease = bench.state.acquire("shop/dev", {"pid": 0}, 60)
        self.capabilities = Capabilities(bench.project, "r1")
        bench.opened.append(self.capabilities)
        self.worker = Worker(bench.project, self.capabilities, bench.state)
        planner = bench.planner()
        plan = planner.plan(Wish())
        self.maker = SpecMaker(bench.project, planner, plan, bench.request(run_id="r1"), self.lease, {})

    def spec(self, attempt: int = 1, **changes: object) -> TaskSpec:
        return replace(self.maker.make("out", attempt), **changes)

    def execute(self, **changes: object) -> Outcome:
        return self.worker.execute(self.spec(**changes))


def test_it_is_a_runner(bench: Bench) -> None:
    runner: Runner = Desk(bench).worker
    assert runner.interrupt("nobody", 1.0, "cancelled") is True


def test_a_task_reads_transforms_commits_and_tells(bench: Bench) -> None:
    outcome = Desk(bench, lambda df: df.with_columns(pl.col("n") + 1)).execute()
    assert (outcome.status, outcome.version, outcome.rows, outcome.attempt) == ("done", "0", 1, 1)
    assert outcome.metrics == {"rows_inserted": 1, "rows_updated": 0, "rows_deleted": 0}
    assert outcome.seconds > 0
    assert bench.rows("out") == [(2,)]


def test_a_task_survives_json_and_threads(bench: Bench) -> None:
    desk = Desk(bench)
    spec = decoded(TaskSpec, encoded(desk.spec()), "a task")
    found: list[Outcome] = []
    thread = threading.Thread(target=lambda: found.append(desk.worker.execute(spec)))
    thread.start()
    thread.join()
    assert found[0].status == "done"
    assert decoded(Outcome, encoded(found[0]), "an outcome") == found[0]


def test_an_error_of_a_pipe_calls_it_once(bench: Bench) -> None:
    calls: list[int] = []

    def out(df: Frame) -> Frame:
        calls.append(1)
        return df + None  # type: ignore[no-any-return,operator]  # the mistake

    outcome = Desk(bench, out).execute()
    line = out.__code__.co_firstlineno + 2
    assert (outcome.status, outcome.transient, outcome.exit_code, len(calls)) == ("failed", False, 1, 1)
    assert outcome.error["code"] == "KDL-RUN-001"
    assert outcome.error["what"] == "'out' raised TypeError"
    assert str(outcome.error["where"]).endswith(f"test_worker.py:{line}")


def test_an_error_of_the_engine_is_told_apart(bench: Bench) -> None:
    outcome = Desk(bench, lambda df: df.select("nowhere")).execute()
    assert (outcome.error["code"], outcome.error["what"]) == ("KDL-RUN-002", "'out' failed on the engine")
    assert "nowhere" in str(outcome.error["why"])


def test_only_what_may_vanish_is_transient(bench: Bench) -> None:
    def fails(error: Exception) -> Outcome:
        def out(_: Frame) -> Frame:
            raise error

        return Desk(bench, out).execute()

    lost = fails(EngineLostError("KDL-INFRA-011", "the engine is gone"))
    assert (lost.status, lost.transient, lost.exit_code) == ("lost", True, 4)
    bench.state.release(Lease("shop/dev", 1, 0))
    assert fails(OSError("please try again")).transient is True
    bench.state.release(Lease("shop/dev", 2, 0))
    assert fails(ValueError("no")).transient is False


def test_several_faults_are_told_by_the_first(bench: Bench) -> None:
    def out(_: Frame) -> Frame:
        raise Faults([RunError("KDL-RUN-777", "one"), RunError("KDL-RUN-778", "two")])

    desk = Desk(bench, out)
    error = desk.execute().error
    assert (error["code"], error["what"]) == ("KDL-RUN-777", "one")
    assert error["where"] == str(bench.project.app.entities()["out"].place)


@pytest.mark.parametrize("leave", [SystemExit(3), KeyboardInterrupt()])
def test_leaving_the_process_is_an_outcome_too(bench: Bench, leave: BaseException) -> None:
    def out(_: Frame) -> Frame:
        raise leave

    outcome = Desk(bench, out).execute()
    if isinstance(leave, SystemExit):
        assert (outcome.status, outcome.error["what"]) == ("failed", "'out' raised SystemExit")
    else:
        assert (outcome.status, outcome.exit_code) == ("cancelled", 130)
        assert outcome.error["what"] == "'out' was interrupted"


def test_an_unknown_entity_is_an_outcome_too(bench: Bench) -> None:
    outcome = Desk(bench).execute(entity="elsewhere")
    assert (outcome.key, outcome.status) == ("elsewhere", "failed")


def test_what_a_platform_gets_wrong_itself_does_not_hide_the_error(bench: Bench) -> None:
    def out(_: Frame) -> Frame:
        msg = "the true cause"
        raise ValueError(msg)

    bench.given["platform", "default"] = "moody"
    desk = Desk(bench, out)
    outcome = desk.execute()
    assert (outcome.status, outcome.error["why"], outcome.transient) == ("failed", "the true cause", False)


def test_a_session_that_does_not_close_undoes_no_commit(bench: Bench) -> None:
    bench.given["platform", "default"] = "moody"
    outcome = Desk(bench).execute()
    assert outcome.status == "done"
    lines = (bench.path / ".kindling/runs/r1/log.jsonl").read_text().splitlines()
    assert json.loads(lines[-1])["event"] == "the session could not be closed"
    assert "the session would not close" in json.loads(lines[-1])["exception"]


def test_a_log_that_cannot_be_written_loses_no_outcome(bench: Bench) -> None:
    def out(_: Frame) -> Frame:
        msg = "the true cause"
        raise ValueError(msg)

    desk = Desk(bench, out)
    (bench.path / ".kindling/runs/r1/log.jsonl").mkdir(parents=True)
    outcome = desk.execute()
    assert (outcome.status, outcome.error["why"]) == ("failed", "the true cause")
    assert outcome.warnings[0].startswith("the run's log cannot be written: IsADirectoryError")


def test_texts_that_are_no_utf8_do_not_break_an_outcome(bench: Bench) -> None:
    def out(_: Frame) -> Frame:
        msg = "file \udcff"
        raise ValueError(msg)

    outcome = Desk(bench, out).execute()
    assert outcome.error["why"] == "file \\udcff"
    assert decoded(Outcome, encoded(outcome), "an outcome") == outcome


# --- stopping ------------------------------------------------------------------------------------


@pytest.fixture
def gate() -> Iterator[threading.Event]:
    event = threading.Event()
    yield event
    event.set()


@pytest.mark.parametrize(("reason", "code"), [("cancelled", "KDL-RUN-003"), ("timed_out", "KDL-TIME-001")])
def test_a_task_that_was_stopped_commits_nothing(
    bench: Bench, gate: threading.Event, reason: str, code: str
) -> None:
    started = threading.Event()

    def out(df: Frame) -> Frame:
        started.set()
        gate.wait(10)
        return df

    desk = Desk(bench, out)
    found: list[Outcome] = []
    thread = threading.Thread(target=lambda: found.append(desk.execute(timeout_s=0.5)))
    thread.start()
    assert started.wait(10)
    assert desk.worker.interrupt("out", 0.1, reason) is True
    assert desk.worker.interrupt("out", 0.1, "cancelled") is True
    gate.set()
    thread.join()
    (outcome,) = found
    assert (outcome.status, outcome.error["code"], outcome.transient) == (reason, code, False)
    assert outcome.exit_code == (130 if reason == "cancelled" else 1)
    assert bench.commits("out") == []
    text = {
        "cancelled": "'out' was cancelled",
        "timed_out": "'out' took longer than 0.5 s",
    }
    assert outcome.error["what"] == text[reason]
    assert desk.execute().status == "done"


def test_a_task_that_is_stopped_while_the_engine_writes_commits_nothing(
    bench: Bench, gate: threading.Event
) -> None:
    computing = threading.Event()

    def wait(batch: pl.DataFrame) -> pl.DataFrame:
        computing.set()
        gate.wait(10)
        return batch

    desk = Desk(bench, lambda df: df.map_batches(wait))
    found: list[Outcome] = []
    thread = threading.Thread(target=lambda: found.append(desk.execute()))
    thread.start()
    assert computing.wait(10)
    assert desk.worker.interrupt("out", 0.1, "cancelled") is False
    gate.set()
    thread.join()
    assert (found[0].status, bench.commits("out")) == ("cancelled", [])


def test_a_platform_that_cannot_be_asked_to_stop_is_noted(bench: Bench, gate: threading.Event) -> None:
    started = threading.Event()

    def out(df: Frame) -> Frame:
        started.set()
        gate.wait(10)
        return df

    bench.given["platform", "default"] = "moody"
    desk = Desk(bench, out)
    thread = threading.Thread(target=desk.execute)
    thread.start()
    assert started.wait(10)
    assert desk.worker.interrupt("out", 0.1, "cancelled") is False
    gate.set()
    thread.join()
    assert "no idea how to cancel" in (bench.path / ".kindling/runs/r1/log.jsonl").read_text()


def test_a_lost_lease_commits_nothing(bench: Bench) -> None:
    def out(df: Frame) -> Frame:
        bench.state.release(desk.lease)
        bench.state.acquire("shop/dev", {"pid": 0}, 60)
        return df

    desk = Desk(bench, out)
    outcome = desk.execute()
    assert (outcome.status, outcome.exit_code, outcome.transient) == ("failed", 4, False)
    assert outcome.error == {
        "code": "KDL-INFRA-002",
        "what": "the lease of 'shop/dev' was lost before 'out' could commit",
        "why": "it expired, or another run took it; nothing was committed",
        "where": str(bench.project.app.entities()["out"].place),
        "hint": "run again",
        "facts": {},
    }
    assert bench.commits("out") == []


def test_a_task_that_begins_without_a_lease_does_not_even_read(bench: Bench) -> None:
    calls: list[int] = []

    def out(df: Frame) -> Frame:
        calls.append(1)
        return df

    desk = Desk(bench, out)
    bench.state.release(desk.lease)
    assert desk.execute().error["code"] == "KDL-INFRA-002"
    assert calls == []


def test_a_platform_that_cannot_share_is_told(bench: Bench) -> None:
    class Plain:
        def __init__(self, inner: object) -> None:
            self.inner = inner

        def __getattr__(self, name: str) -> object:
            if name in ("share", "attach"):
                raise AttributeError(name)
            return getattr(self.inner, name)

    desk = Desk(bench)
    platform = desk.capabilities.platform("scratch")
    opened = platform.open_session
    platform.open_session = lambda spec: Plain(opened(spec))  # type: ignore[method-assign,return-value]  # it has no share
    outcome = desk.execute(address={})
    assert outcome.error["what"] == "the platform 'scratch' cannot share 'out'"
    assert outcome.error["code"] == "KDL-RUN-019"


def test_many_tasks_at_once_do_not_meet(bench: Bench) -> None:
    app = k.App("shop")
    raw = app.source("raw", k.storage("scratch"))
    for number in range(6):

        @app.pipe(raw, name=f"p{number}", platform="scratch")
        def out(df: Frame, number: int = number) -> Frame:
            assert poll(lambda: True, timeout_s=1)
            return df.with_columns(number=pl.lit(number, pl.Int64))

    bench.use(app, executor__default="pool", run__workers=3).put("raw", NUMBERS, (1,))
    assert set(bench.ran().values()) == {"done"}
    assert [bench.rows(f"p{number}") for number in range(6)] == [[(1, number)] for number in range(6)]
