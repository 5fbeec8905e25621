from __future__ import annotations

import json
import os
import signal
import socket
import threading
from collections.abc import Callable, Iterator
from pathlib import Path

import polars as pl
import pytest
from scratch_site import Site, answer
from workbench import Bench

import kindling as k
from kindling.cli.summary import summary_text
from kindling.errors import EngineLostError, InfrastructureError, LeaseHeldError, PolicyError, UsageError
from kindling.events import TYPES
from kindling.polling import poll
from kindling.run.request import RunRequest
from kindling.run.run import RunResult, run, run_app, wish_of
from kindling.run.sqlite import SqliteState
from kindling.run.states import open_state

NUMBERS = "n bigint"
Frame = pl.LazyFrame


def same(*frames: Frame) -> Frame:
    return frames[0]


def fail(*_: Frame) -> Frame:
    msg = "no luck"
    raise ValueError(msg)


def chain(**functions: Callable[..., Frame]) -> k.App:
    """Declare raw -> first -> second -> third, and beside them raw -> alone."""
    app = k.App("shop")
    raw = app.source("raw", k.storage("scratch"))
    before: k.Entity = raw
    for name in ("first", "second", "third"):
        before = app.pipe(before, name=name)(functions.get(name, same))
    app.pipe(raw, name="alone")(functions.get("alone", same))
    return app


@pytest.fixture
def shop(bench: Bench) -> Bench:
    bench.use(chain()).put("raw", NUMBERS, (1,))
    return bench


# --- the ordinary run ----------------------------------------------------------------------------


def test_a_run_tells_everything_in_order_without_gaps(shop: Bench) -> None:
    result = shop.run(submitter="ann", principal="etl")
    lines = shop.lines(result)
    assert [line["seq"] for line in lines] == list(range(1, len(lines) + 1))
    assert {line["type"] for line in lines} <= TYPES.keys()
    assert [event.to_plain() for event in shop.heard] == [
        {**line, "tasks": tuple(line["tasks"])} if "tasks" in line else {**line, **_tuples(line)}
        for line in lines
    ]
    started, finished = lines[0], lines[-1]
    assert {**started, "at": ""} == {
        "schema": "kindling.event/1",
        "type": "RunStarted",
        "run_id": result.run_id,
        "seq": 1,
        "at": "",
        "app": "shop",
        "environment": "dev",
        "platform": "scratch",
        "tasks": ["alone", "first", "second", "third"],
        "unchanged": 0,
        "submitter": "ann",
        "principal": "etl",
        "slots": 1,
    }
    assert (finished["type"], finished["status"], finished["exit_code"]) == ("RunFinished", "done", 0)
    assert finished["counts"] == {"done": 4}
    tasks = [(line["type"], line["key"]) for line in lines[1:-1]]
    order = ("first", "second", "alone", "third")
    assert tasks == [(kind, key) for key in order for kind in ("TaskStarted", "TaskFinished")]
    assert lines[1]["why"] == "it was never made in 'dev'"


def _tuples(line: dict[str, object]) -> dict[str, object]:
    return {name: tuple(value) for name, value in line.items() if isinstance(value, list)}


def test_a_run_is_remembered_with_its_outcomes(shop: Bench) -> None:
    result = shop.run(select=("+second",))
    record = shop.state.run(result.run_id)
    assert (record.status, record.exit_code, record.counts) == ("done", 0, (("done", 2),))
    assert (record.pid, record.host) == (os.getpid(), socket.gethostname())
    assert RunRequest.from_json(record.request).select == ("+second",)
    assert [row["key"] for row in shop.state.outcomes(result.run_id)] == ["first", "second"]
    assert (result.status, result.exit_code, list(result.outcomes)) == ("done", 0, ["first", "second"])
    assert result.seconds > 0


def test_a_run_without_work_leaves_nothing(shop: Bench) -> None:
    shop.run()
    before = len(shop.state.runs("", "", 100))
    result = shop.run()
    assert (result.run_id, result.status, result.exit_code, result.outcomes) == ("", "unchanged", 0, {})
    assert len(shop.state.runs("", "", 100)) == before
    shop.state.acquire("shop/dev", {"pid": os.getpid()}, 1)


def test_a_lease_is_given_back(shop: Bench) -> None:
    shop.run()
    assert shop.state.acquire("shop/dev", {"pid": os.getpid(), "host": socket.gethostname()}, 60).token == 2


def test_a_planner_that_planned_already_is_used_again(shop: Bench) -> None:
    planner = shop.planner()
    result = run(shop.project, shop.state, shop.request(), planner=planner)
    assert result.status == "done"


def test_an_app_of_this_process_is_run_whole(shop: Bench) -> None:
    assert run_app(shop.project, shop.state).status == "done"
    assert (
        run_app(shop.project, shop.state, request=lambda run_id: shop.request(run_id=run_id)).status
        == "unchanged"
    )


def test_workers_come_from_the_request_before_the_settings(shop: Bench) -> None:
    shop.run(workers=7)
    assert shop.heard[0].to_plain()["slots"] == 7


# --- run ids -------------------------------------------------------------------------------------


@pytest.mark.parametrize("run_id", ["", "../up", "a/b", ".hidden", "ä", "x" * 129, "a b"])
def test_a_run_id_is_a_plain_name(shop: Bench, run_id: str) -> None:
    with pytest.raises(UsageError) as caught:
        shop.run(run_id=run_id)
    assert str(caught.value) == (
        f"KDL-USE-023: {run_id!r} is no run id\n"
        "  why: expected at most 128 letters, digits, '.', '_' and '-', a letter or a digit first"
    )


def test_a_run_that_is_submitted_twice_is_executed_once(shop: Bench) -> None:
    shop.use(chain(second=fail))
    first = shop.run(run_id="chosen")
    shop.put("raw", NUMBERS, (2,))
    second = shop.run(run_id="chosen")
    assert second.status == first.status == "failed"
    assert second.exit_code == first.exit_code == 1
    assert second.outcomes == first.outcomes
    assert second.skipped == first.skipped == {"third": "second"}
    assert len(shop.commits("first")) == 1


# --- failures ------------------------------------------------------------------------------------


def test_what_does_not_depend_on_a_failure_is_finished(shop: Bench) -> None:
    result = shop.use(chain(second=fail)).run()
    statuses = {key: outcome.status for key, outcome in result.outcomes.items()}
    assert statuses == {"first": "done", "alone": "done", "second": "failed"}
    assert (result.status, result.exit_code, result.skipped) == ("failed", 1, {"third": "second"})
    skipped = [event.to_plain() for event in shop.heard if type(event).__name__ == "TaskSkipped"]
    assert [(event["key"], event["cause"]) for event in skipped] == [("third", "second")]


def test_a_run_can_stop_at_its_first_failure(shop: Bench) -> None:
    result = shop.use(chain(first=fail), run__on_error="stop").run()
    assert list(result.outcomes) == ["first"]
    assert set(result.skipped) == {"second", "third", "alone"}


def test_a_resumed_run_makes_only_what_is_left(shop: Bench) -> None:
    shop.use(chain(second=fail))
    failed = shop.run(full_refresh=True)
    shop.use(chain())
    assert shop.ran(resume=failed.run_id) == {"second": "done", "third": "done"}


def test_a_resumed_run_keeps_its_choices_however_often_it_is_resumed(shop: Bench) -> None:
    shop.run()
    shop.use(chain(second=fail))
    first = shop.run(full_refresh=True, select=("+second",))
    second = shop.run(resume=first.run_id)
    assert (list(second.outcomes), second.outcomes["second"].status) == (["second"], "failed")
    shop.use(chain())
    wish = wish_of(shop.request(resume=second.run_id), shop.state)
    assert (wish.select, wish.full_refresh, wish.done) == (("+second",), True, {"first"})
    assert shop.ran(resume=second.run_id) == {"second": "done"}


def test_a_refresh_that_was_killed_goes_on_where_it_was(shop: Bench) -> None:
    shop.run()
    shop.use(chain(second=fail))
    failed = shop.run(full_refresh=True, select=("+second",))
    shop.state.update_run(shop.state.run(failed.run_id).replace(status="running", pid=2**22 + 1, ended=""))
    shop.state._file.write(lambda run: run.execute("DELETE FROM outcomes"))
    assert wish_of(shop.request(resume=failed.run_id), shop.state).done == {"first"}


def test_a_run_that_is_unknown_or_of_another_environment_is_not_resumed(shop: Bench) -> None:
    with pytest.raises(UsageError) as caught:
        shop.run(resume="r404")
    assert str(caught.value) == "KDL-USE-021: there is no run 'r404'\n  do: kindling runs list"
    shop.use(chain(second=fail))
    failed = shop.run()
    with pytest.raises(UsageError) as caught:
        wish_of(shop.request(resume=failed.run_id, environment="prod"), shop.state)
    assert str(caught.value) == (
        f"KDL-USE-021: the run {failed.run_id!r} worked in 'dev', not in 'prod'\n"
        f"  do: kindling run --env dev --resume {failed.run_id}"
    )


class Once:
    """A pipe that raises once, then works."""

    def __init__(self, error: Exception) -> None:
        self.error = error
        self.calls = 0

    def pipe(self) -> Callable[[Frame], Frame]:
        def out(df: Frame) -> Frame:
            self.calls += 1
            if self.calls == 1:
                raise self.error
            return df

        return out


def test_a_transient_error_is_retried_and_told(shop: Bench) -> None:
    once = Once(EngineLostError("KDL-INFRA-011", "the engine is gone"))
    result = shop.use(chain(second=once.pipe())).run(select=("+second",))
    assert (result.status, once.calls, result.outcomes["second"].attempt) == ("done", 2, 2)
    (retried,) = (event.to_plain() for event in shop.heard if type(event).__name__ == "TaskRetried")
    assert (retried["key"], retried["attempt"], retried["error"]) == ("second", 1, "the engine is gone")
    assert 0 < retried["wait_s"] < 3


def test_other_errors_are_not_retried(shop: Bench) -> None:
    once = Once(TypeError("no"))
    assert shop.use(chain(second=once.pipe())).run().exit_code == 1
    assert once.calls == 1


@pytest.mark.parametrize(
    ("error", "code"),
    [
        (ValueError("x"), 1),
        (InfrastructureError("KDL-INFRA-999", "the store is gone"), 4),
        (PolicyError("KDL-POL-999", "forbidden"), 5),
        (UsageError("KDL-USE-999", "wrong"), 2),
        (KeyboardInterrupt(), 130),
    ],
)
def test_the_exit_code_comes_from_the_error(shop: Bench, error: BaseException, code: int) -> None:
    def raises(_: Frame) -> Frame:
        raise error

    result = shop.use(chain(second=raises, alone=fail)).run()
    assert result.exit_code == code
    assert result.status == ("cancelled" if code == 130 else "failed")
    assert shop.state.run(result.run_id).exit_code == code
    assert shop.heard[-1].to_plain()["exit_code"] == code


def test_a_task_that_takes_too_long_is_stopped_and_commits_nothing(shop: Bench) -> None:
    gate = threading.Event()

    def slow(df: Frame) -> Frame:
        gate.wait(10)
        return df

    shop.use(chain(second=slow), executor__default="pool", entities__second__timeout_s=0.2)
    threading.Timer(0.6, gate.set).start()
    result = shop.run(select=("+second",))
    assert (result.outcomes["second"].status, result.exit_code) == ("timed_out", 1)
    assert result.outcomes["second"].error["what"] == "'second' took longer than 0.2 s"
    assert shop.commits("second") == []


# --- waves ---------------------------------------------------------------------------------------


def timed(bench: Bench, *, source: str = "scratch", **functions: Callable[..., Frame]) -> Bench:
    """Declare raw -> copied -> daily (in slices) -> total, and a memory entity read in both waves."""
    app = k.App("shop")
    raw = app.source("raw", k.storage(source))
    copied = app.pipe(raw, name="copied")(functions.get("copied", same))
    lookup = app.pipe(raw, name="lookup", storage=k.memory())(same)
    app.pipe(lookup, name="left")(same)
    app.pipe(lookup, name="right")(functions.get("right", same))
    by_day = k.by_time("at", every="1d")
    daily = app.pipe(copied, lookup, name="daily", incremental=by_day)(functions.get("daily", same))
    app.sql("total", "SELECT count(*) AS n FROM {a}", inputs={"a": daily})
    return bench.use(app)


def events_of(bench: Bench, *days: int) -> None:
    from datetime import datetime, timezone

    bench.put("raw", "at timestamp", *((datetime(2024, 1, day, tzinfo=timezone.utc),) for day in days))


def entities(result: RunResult) -> list[str]:
    return [key.partition("[")[0] for key in result.outcomes]


def test_slices_run_in_a_second_wave_once_their_source_has_run(bench: Bench) -> None:
    events_of(timed(bench), 1, 2)
    result = bench.run()
    assert (result.status, sorted(entities(result))) == (
        "done",
        ["copied", "daily", "daily", "left", "lookup", "right", "total"],
    )
    assert entities(result)[-1] == "total"
    assert bench.rows("total") == [(2,)]
    assert bench.plan().changes is False


def test_slices_run_although_nothing_can_be_known_about_what_came_before(bench: Bench) -> None:
    events_of(timed(bench, source="blind"), 1)
    for _ in range(2):
        result = bench.run()
        assert result.status == "done"
        assert (
            {"copied", "daily", "total"} >= set(entities(result)) - {"left", "right", "lookup"} >= {"copied"}
        )
    assert bench.rows("total") == [(1,)]


def test_what_waits_for_a_failure_is_skipped_with_its_cause(bench: Bench) -> None:
    events_of(timed(bench, copied=fail), 1)
    result = bench.run()
    assert (result.status, result.exit_code) == ("failed", 1)
    assert result.skipped == {"daily": "copied", "total": "copied"}
    assert set(result.outcomes) == {"copied", "left", "right", "lookup"}


def test_no_second_wave_begins_after_a_failure_that_stops_the_run(bench: Bench) -> None:
    timed(bench, right=fail)
    bench.set("run", "on_error", value="stop")
    events_of(bench, 1)
    result = bench.run()
    assert (result.status, result.exit_code) == ("failed", 1)
    assert "daily" not in entities(result)
    assert result.skipped["daily"] == "right"


def test_a_failed_slice_lets_the_later_ones_wait(bench: Bench) -> None:
    calls: list[int] = []

    def daily(part: Frame, _: Frame) -> Frame:
        calls.append(1)
        return fail() if len(calls) == 2 else part

    events_of(timed(bench, daily=daily), 1, 2, 3)
    result = bench.run()
    days = {key[6:16]: outcome.status for key, outcome in result.outcomes.items() if key.startswith("daily")}
    assert days == {"2024-01-01": "done", "2024-01-02": "failed"}
    assert {key[6:16] for key in result.skipped if key.startswith("daily")} == {"2024-01-03"}
    assert "total" in result.skipped


# --- exactly once --------------------------------------------------------------------------------


def growing() -> k.App:
    app = k.App("shop")
    raw = app.source("raw", k.storage("scratch"))
    app.pipe(raw, name="out", write=k.append(), incremental=k.changes())(same)
    return app


def unrecorded(bench: Bench) -> None:
    """Run, and forget what the state learned, as a kill between commit and bookkeeping does."""
    before = bench.state.tasks("shop", "dev").get(("out", "*"))
    bench.run()
    bench.state.forget("shop", "dev", ["out"])
    if before is not None:
        bench.state.put_task("shop", "dev", before)


@pytest.mark.parametrize("first", [True, False])
def test_a_commit_that_no_record_tells_of_is_recovered(bench: Bench, *, first: bool) -> None:
    bench.use(growing()).put("raw", NUMBERS, (1,))
    if not first:
        bench.run()
        bench.put("raw", NUMBERS, (2,), how="append")
    unrecorded(bench)
    (record,) = bench.plan().recovered
    version = len(bench.commits("out")) - 1
    assert (record.version, record.cursors) == (str(version), (("raw", str(version)),))
    text = f"run {record.run_id!r} committed version {version} and could not record it; nothing changed since"
    assert bench.reasons("out") == [("recovered", text)]
    assert bench.run().status == "unchanged"
    assert bench.plan().recovered == ()
    assert bench.reasons("out") == [("unchanged", f"nothing changed since run {record.run_id!r}")]
    assert bench.rows("out") == ([(1,)] if first else [(1,), (2,)])


@pytest.mark.parametrize("first", [True, False])
def test_rows_are_never_doubled_although_the_source_went_on_after_a_kill(
    bench: Bench, *, first: bool
) -> None:
    bench.use(growing()).put("raw", NUMBERS, (1,))
    if not first:
        bench.run()
        bench.put("raw", NUMBERS, (2,), how="append")
    unrecorded(bench)
    bench.put("raw", NUMBERS, (3,), how="append")
    assert bench.decided("out").reasons[0].code == "recovered"
    bench.run()
    assert bench.rows("out") == ([(1,), (3,)] if first else [(1,), (2,), (3,)])
    assert bench.plan().changes is False


def test_rows_are_never_doubled_although_the_state_was_lost(bench: Bench) -> None:
    bench.use(growing()).put("raw", NUMBERS, (1,))
    bench.run()
    bench.put("raw", NUMBERS, (2,), how="append")
    bench.run()
    bench.put("raw", NUMBERS, (3,), how="append")
    bench.state.close()
    for file in Path(bench.project.state_dir).glob("state.db*"):
        file.unlink()
    bench.state = SqliteState(bench.project.state_dir)
    bench.run()
    assert bench.rows("out") == [(1,), (2,), (3,)]


def test_rows_are_never_doubled_after_a_refresh_that_no_record_tells_of(bench: Bench) -> None:
    bench.use(growing()).put("raw", NUMBERS, (1,), (2,))
    bench.run()
    before = bench.state.tasks("shop", "dev")["out", "*"]
    bench.run(full_refresh=True)
    bench.state.put_task("shop", "dev", before)
    assert [reason[0] for reason in bench.reasons("out")] == ["recovered"]
    bench.run()
    assert bench.rows("out") == [(1,), (2,)]


def test_a_pipe_that_reads_settings_is_made_again_where_nothing_tells_which(bench: Bench) -> None:
    app = k.App("shop")

    @app.pipe(name="made", context=True)
    def made(context: k.Context) -> Frame:
        return context.frame([(context.setting("limit"),)], NUMBERS)

    bench.use(app, settings__limit=1)
    bench.run()
    bench.state.forget("shop", "dev", ["made"])
    assert bench.decided("made").action == "run"
    assert bench.plan().recovered == ()
    bench.run()
    bench.use(app, settings__limit=2)
    assert bench.reasons("made")[0][0] == "settings"


def test_a_kill_between_commit_and_bookkeeping_costs_nothing(installed: Site) -> None:
    dying = installed.run("r1", overrides={"executor.default": "deadly", "executor.deadly.key": "first"})
    dying.communicate(timeout=60)
    assert dying.returncode == -signal.SIGKILL
    bench = Bench(installed.project)
    assert len(bench.commits("first")) == 1
    found = answer(installed.run("r2"))
    assert (found["status"], found["outcomes"]) == ("done", {"second": "done", "third": "done"})
    assert len(bench.commits("first")) == 1
    state = SqliteState(f"{installed.project}/.kindling")
    assert [record.status for record in state.runs("", "", 5)] == ["done", "interrupted"]
    assert state.tasks("shop", "dev")["first", "*"].run_id == "r1"
    state.close()
    again = answer(installed.run("r1"))
    assert (again["status"], again["exit_code"]) == ("interrupted", 4)


# --- several runs --------------------------------------------------------------------------------


def held(site: Site) -> object:
    """Start a run that holds in `second` until the file `hold` is gone."""
    (site.project / "hold").touch()
    process = site.run("r1")
    assert poll((site.project / "second_began").exists, timeout_s=60)
    return process


def test_a_second_run_is_refused_with_the_process_and_host_of_the_first(installed: Site) -> None:
    process = held(installed)
    refused = answer(installed.run("r2"))
    (installed.project / "hold").unlink()
    first = answer(process)  # type: ignore[arg-type]  # a process
    error = refused["error"]
    assert error["code"] == "KDL-INFRA-001"
    assert (error["facts"]["pid"], error["facts"]["host"], error["facts"]["run_id"]) == (
        first["pid"],
        socket.gethostname(),
        "r1",
    )
    assert f"process {first['pid']} on host {socket.gethostname()!r}" in error["why"]
    assert (first["status"], first["exit_code"]) == ("done", 0)


def test_ctrl_c_ends_a_run_in_order(installed: Site) -> None:
    process = held(installed)
    process.send_signal(signal.SIGINT)  # type: ignore[attr-defined]  # a process
    found = answer(process)  # type: ignore[arg-type]  # a process
    assert (found["status"], found["exit_code"]) == ("cancelled", 130)
    assert found["outcomes"] == {"first": "done", "second": "cancelled"}
    assert found["skipped"] == {"third": ""}
    bench = Bench(installed.project)
    assert (len(bench.commits("first")), bench.commits("second")) == (1, [])
    state = SqliteState(f"{installed.project}/.kindling")
    record = state.run("r1")
    assert (record.status, record.exit_code) == ("cancelled", 130)
    assert dict(record.counts) == {"done": 1, "cancelled": 1, "skipped": 1}
    state.acquire("shop/dev", {"pid": os.getpid(), "host": socket.gethostname()}, 1)
    state.close()
    lines = [
        json.loads(line)
        for line in (installed.project / ".kindling/runs/r1/events.jsonl").read_text().splitlines()
    ]
    assert [line["seq"] for line in lines] == list(range(1, len(lines) + 1))
    assert (lines[-1]["type"], lines[-1]["status"]) == ("RunFinished", "cancelled")


def test_a_run_is_cancelled_through_the_state(shop: Bench) -> None:
    began = threading.Event()
    gate = threading.Event()

    def slow(df: Frame) -> Frame:
        began.set()
        gate.wait(10)
        return df

    shop.use(chain(first=slow), executor__default="pool")

    def ask() -> None:
        assert began.wait(10)
        assert shop.state.ask_to_cancel("stop-me")
        poll(lambda: shop.state.is_cancelled("stop-me"), timeout_s=5)
        threading.Timer(1.5, gate.set).start()

    thread = threading.Thread(target=ask)
    thread.start()
    result = shop.run(run_id="stop-me")
    thread.join()
    assert (result.status, result.exit_code) == ("cancelled", 130)
    assert result.outcomes["first"].status == "cancelled"
    assert set(result.skipped) == {"second", "third", "alone"}
    assert shop.commits("first") == []


def test_two_environments_of_an_app_do_not_meet(shop: Bench) -> None:
    shop.run()
    shop.environment = "prod"
    shop.use(chain())
    with pytest.raises(k.KindlingError) as caught:
        shop.plan()
    assert "KDL-PLAN-020" in str(caught.value)
    shop.put("raw", NUMBERS, (9,))
    assert set(shop.ran().values()) == {"done"}
    assert shop.rows("third") == [(9,)]


def test_a_table_of_another_app_is_neither_written_nor_planned(shop: Bench) -> None:
    shop.put("second", NUMBERS, (5,), app="office")
    with pytest.raises(PolicyError) as caught:
        shop.run()
    assert str(caught.value) == (
        "KDL-POL-001: 'second' belongs to the app 'office' in 'dev'\n"
        "  why: this run is app 'shop' in 'dev'\n"
        f"  where: {shop.path}/lake/dev/second\n"
        "  do: give this environment its own location or naming template"
    )


def test_a_table_that_nobody_owns_must_be_adopted(bench: Bench) -> None:
    app = k.App("shop")
    app.pipe(app.source("raw", k.storage("scratch")), name="out", storage=k.storage("lean"))(same)
    bench.use(app).put("raw", NUMBERS, (1,))
    bench.put("out", NUMBERS, (7,), app="shop")
    with pytest.raises(PolicyError) as caught:
        bench.run()
    assert str(caught.value) == (
        "KDL-POL-002: the table of 'out' exists, and Kindling did not make it\n"
        "  why: no commit of it carries an app's name\n"
        f"  where: {bench.path}/lake/dev/out\n"
        '  do: move it away, or set [entities."out"] adopt = true to let this app own it'
    )
    bench.set("entities", "out", "adopt", value=True)
    assert bench.reasons("out") == [("new", "nothing is recorded about it in 'dev'")]
    assert bench.ran() == {"out": "done"}


# --- the state -----------------------------------------------------------------------------------


def test_a_corrupt_state_is_told_before_anything_runs(shop: Bench) -> None:
    shop.state.close()
    Path(shop.project.state_dir, "state.db").write_bytes(b"this is no database" * 100)
    for name in ("state.db-wal", "state.db-shm"):
        Path(shop.project.state_dir, name).unlink(missing_ok=True)
    with pytest.raises(InfrastructureError) as caught:
        open_state(shop.project)
    assert caught.value.code.startswith("KDL-STATE-")
    assert shop.commits("first") == []


@pytest.fixture
def locked(shop: Bench) -> Iterator[threading.Event]:
    """A pipe that locks the state's file; the event unlocks it."""
    import sqlite3

    shop.state.close()
    shop.state = SqliteState(shop.project.state_dir, busy_s=0.1)
    done = threading.Event()

    def lock(df: Frame) -> Frame:
        ready = threading.Event()

        def hold() -> None:
            connection = sqlite3.connect(f"{shop.project.state_dir}/state.db")
            connection.execute("BEGIN IMMEDIATE")
            ready.set()
            done.wait(10)
            connection.rollback()
            connection.close()

        threading.Thread(target=hold).start()
        assert ready.wait(10)
        return df

    shop.use(chain(first=lock))
    yield done
    done.set()


def test_a_locked_state_fails_the_run_and_never_counts_as_success(
    shop: Bench, locked: threading.Event
) -> None:
    with pytest.raises(InfrastructureError) as caught:
        shop.run()
    assert caught.value.code.startswith("KDL-STATE-")
    locked.set()
    assert len(shop.commits("first")) == 1
    assert shop.commits("second") == []
    assert poll(lambda: shop.plan().recovered, timeout_s=5)
    assert [record.entity for record in shop.plan().recovered] == ["first"]


# --- secrets -------------------------------------------------------------------------------------

CANARY = "canary-5d41402a/+=x"
CONTROL = "control-7d793037"


def test_a_secret_is_nowhere_where_other_texts_are(bench: Bench) -> None:
    """The control shows that each channel is looked at: it must be found in all of them."""
    (bench.path / "vault.json").write_text(json.dumps({"db": CANARY}))
    app = k.App("shop")

    @app.pipe(name="leaky", context=True)
    def leaky(context: k.Context) -> Frame:
        secret = context.secret("secret://vault/db")
        context.log.warning("connecting", dsn=f"{secret.reveal()}@{CONTROL}", secret=secret)
        msg = f"{CONTROL}: cannot connect with {secret.reveal()}"
        cause = OSError(secret.reveal())
        raise k.KindlingError("KDL-RUN-999", msg, why=msg, hint=msg, tried=[secret.reveal()]) from cause

    bench.use(app, secrets__vault__file=str(bench.path / "vault.json"))
    result = bench.run()
    folder = bench.run_dir(result)
    database = b"".join(file.read_bytes() for file in Path(bench.project.state_dir).glob("state.db*"))
    channels = {
        "events": (folder / "events.jsonl").read_text(),
        "log": (folder / "log.jsonl").read_text(),
        "state": database.decode(errors="replace"),
        "outcome": repr(result.outcomes),
        "summary": summary_text(result, bench.project.state_dir),
        "sinks": repr(bench.heard),
    }
    assert {name for name, text in channels.items() if CONTROL in text} == set(channels)
    for form in (CANARY, CANARY.encode().hex(), json.dumps(CANARY)[1:-1], "canary-5d41402a%2F%2B%3Dx"):
        assert {name for name, text in channels.items() if form in text} == set(), form
    assert "tried" in repr(result.outcomes)


def test_a_held_lease_is_told_with_its_owner(shop: Bench) -> None:
    shop.state.acquire("shop/dev", {"pid": os.getpid(), "host": socket.gethostname(), "run_id": "r0"}, 60)
    with pytest.raises(LeaseHeldError) as caught:
        shop.run()
    assert f"process {os.getpid()} on host {socket.gethostname()!r}" in caught.value.why
    assert shop.commits("first") == []
