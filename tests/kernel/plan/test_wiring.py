from __future__ import annotations

from collections.abc import Iterable
from pathlib import Path
from tempfile import TemporaryDirectory

import polars as pl
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from workbench import Bench

import kindling as k
from kindling.plan.plan import Plan, PlannedInput

NUMBERS = "n bigint"
Frame = pl.LazyFrame
Shape = dict[str, tuple[tuple[str, ...], bool]]


def same(*frames: Frame) -> Frame:
    return frames[0]


def declare(shape: Shape, order: Iterable[str]) -> k.App:
    """Declare `name: (inputs, is memory)` in an order in which inputs come first."""
    app = k.App("shop")
    handles: dict[str, k.Entity] = {"raw": app.source("raw", k.storage("scratch"))}
    for name in order:
        inputs, is_memory = shape[name]
        storage = k.memory() if is_memory else k.storage("scratch")
        made = app.pipe(*(handles[item] for item in inputs), name=name, storage=storage)(same)
        handles[name] = made
    return app


@st.composite
def shapes(draw: st.DrawFn) -> tuple[Shape, list[str], list[str]]:
    """Return pipes over one source and two orders of declaration."""
    names = [f"p{number}" for number in range(draw(st.integers(1, 7)))]
    shape: Shape = {}
    for place, name in enumerate(names):
        before = ["raw", *names[:place]]
        inputs = draw(st.lists(st.sampled_from(before), min_size=1, max_size=3, unique=True))
        shape[name] = (tuple(inputs), draw(st.booleans()))
    return shape, names, sorted(names, key=lambda name: (_depth(shape, name), draw(st.integers(0, 9))))


def _depth(shape: Shape, name: str) -> int:
    return 0 if name not in shape else 1 + max(_depth(shape, item) for item in shape[name][0])


def plan_of(app: k.App, **given_settings: object) -> Plan:
    with TemporaryDirectory() as folder:
        bench = Bench(Path(folder)).use(app, **given_settings)
        bench.put("raw", NUMBERS, (1,))
        try:
            plan = bench.plan()
        finally:
            bench.state.close()
        return plan.replace(tasks=tuple(task.replace(address=None) for task in plan.tasks))


@settings(deadline=None, max_examples=15, suppress_health_check=[HealthCheck.too_slow])
@given(shapes())
def test_any_order_of_declarations_gives_one_plan(made: tuple[Shape, list[str], list[str]]) -> None:
    shape, one, two = made
    assert plan_of(declare(shape, one)) == plan_of(declare(shape, two))


@settings(deadline=None, max_examples=15, suppress_health_check=[HealthCheck.too_slow])
@given(shapes(), st.sampled_from(["scratch", "plain"]))
def test_each_task_waits_for_all_that_it_reads(
    made: tuple[Shape, list[str], list[str]], platform: str
) -> None:
    shape, order, _ = made
    plan = plan_of(declare(shape, order), platform__default=platform)
    running = {str(task.key): task for task in plan.with_action("run")}
    places = {str(task.key): place for place, task in enumerate(plan.tasks)}
    for key, task in running.items():
        assert set(task.needs) <= running.keys()
        assert all(places[need] < places[key] for need in task.needs)
        assert {item.name for item in task.inputs if item.name in running} == set(task.needs)
        assert all(running[need].priority > task.priority for need in task.needs)
        names = [item.name for item in task.inputs]
        assert names[: len(shape[key][0])] == list(shape[key][0])
        assert len(set(names)) == len(names)
        for item in task.inputs:  # whatever is computed inside needs its own inputs too
            if item.how in ("inline", "shared"):
                assert set(shape[item.name][0]) <= set(names)


@settings(deadline=None, max_examples=15, suppress_health_check=[HealthCheck.too_slow])
@given(shapes())
def test_a_memory_entity_runs_on_its_own_exactly_if_several_tasks_would_compute_it(
    made: tuple[Shape, list[str], list[str]],
) -> None:
    shape, order, _ = made
    plan = plan_of(declare(shape, order))
    running = {task.key.entity: task for task in plan.with_action("run")}
    for name in (name for name, (_, is_memory) in shape.items() if is_memory):
        users = [task for key, task in running.items() if name in _used(shape[key][0], shape, set(running))]
        assert (name in running) == (len(users) > 1)
        hows = {item.how for task in users for item in task.inputs if item.name == name}
        assert hows <= {"shared" if len(users) > 1 else "inline"}


def _used(inputs: Iterable[str], shape: Shape, running: set[str]) -> set[str]:
    """Return what a task reads itself: its inputs, and those of the memory entities computed in it."""
    found = set(inputs)
    for item in inputs:
        if item in shape and shape[item][1] and item not in running:
            found |= _used(shape[item][0], shape, running)
    return found


def two_readers(*, storage: k.StorageChoice, right_platform: str = "") -> k.App:
    app = k.App("shop")
    raw = app.source("raw", k.storage("scratch"))
    middle = app.pipe(raw, name="middle", storage=storage)(same)
    app.pipe(middle, name="left")(same)
    app.pipe(middle, name="right", **({"platform": right_platform} if right_platform else {}))(same)
    return app


def hows(plan: Plan) -> dict[str, list[tuple[str, str]]]:
    return {
        str(task.key): [(item.name, item.how) for item in task.inputs] for task in plan.with_action("run")
    }


def test_a_memory_entity_that_two_pipes_read_is_computed_once(bench: Bench) -> None:
    bench.use(two_readers(storage=k.memory())).put("raw", NUMBERS, (1,))
    plan = bench.plan()
    assert hows(plan) == {
        "middle": [("raw", "read")],
        "left": [("middle", "shared"), ("raw", "read")],
        "right": [("middle", "shared"), ("raw", "read")],
    }
    middle = plan.tasks[0]
    assert (middle.mode, middle.reasons[0].code) == ("shared", "reader")
    assert middle.reasons[0].text == "several pipes that run read it: it is computed once"
    assert bench.ran() == {"middle": "done", "left": "done", "right": "done"}
    assert bench.rows("left") == bench.rows("right") == [(1,)]


def test_a_memory_entity_is_computed_in_each_reader_where_the_platform_cannot_share(bench: Bench) -> None:
    bench.use(two_readers(storage=k.memory()), platform__default="plain").put("raw", NUMBERS, (1,))
    assert hows(bench.plan()) == {
        "left": [("middle", "inline"), ("raw", "read")],
        "right": [("middle", "inline"), ("raw", "read")],
    }
    bench.run()
    assert bench.rows("right") == [(1,)]


def test_a_memory_entity_that_two_platforms_read_is_computed_on_each(bench: Bench) -> None:
    bench.use(two_readers(storage=k.memory(), right_platform="other")).put("raw", NUMBERS, (1,))
    plan = bench.plan()
    assert hows(plan) == {
        "left": [("middle", "inline"), ("raw", "read")],
        "right": [("middle", "inline"), ("raw", "read")],
    }
    assert plan.tasks[0].reasons[0].text == "computed inside of the pipe that reads it"
    assert bench.ran() == {"left": "done", "right": "done"}


def test_a_memory_entity_of_which_only_one_reader_runs_is_computed_there(bench: Bench) -> None:
    bench.use(two_readers(storage=k.memory())).put("raw", NUMBERS, (1,))
    assert hows(bench.plan(select=("left",))) == {"left": [("middle", "inline"), ("raw", "read")]}


def test_a_memory_entity_that_nobody_reads_is_left_alone(bench: Bench) -> None:
    bench.use(two_readers(storage=k.memory())).put("raw", NUMBERS, (1,))
    bench.run()
    (task,) = bench.tasks("middle")
    assert (task.action, task.reasons[0].code, task.reasons[0].text) == (
        "skipped",
        "unread",
        "no pipe that runs reads it",
    )


def test_nested_memory_entities_are_shared_where_the_ways_part(bench: Bench) -> None:
    app = k.App("shop")
    raw = app.source("raw", k.storage("scratch"))
    inner = app.pipe(raw, name="inner", storage=k.memory())(same)
    outer = app.pipe(inner, name="outer", storage=k.memory())(same)
    app.pipe(outer, name="left")(same)
    app.pipe(outer, name="right")(same)
    app.pipe(inner, name="third")(same)
    bench.use(app).put("raw", NUMBERS, (1,))
    assert hows(bench.plan()) == {
        "inner": [("raw", "read")],
        "outer": [("inner", "shared"), ("raw", "read")],
        "left": [("outer", "shared"), ("inner", "shared"), ("raw", "read")],
        "right": [("outer", "shared"), ("inner", "shared"), ("raw", "read")],
        "third": [("inner", "shared"), ("raw", "read")],
    }
    assert set(bench.ran().values()) == {"done"}
    assert bench.rows("third") == [(1,)]


def test_an_entity_read_twice_by_one_pipe_is_read_once(bench: Bench) -> None:
    app = k.App("shop")
    raw = app.source("raw", k.storage("scratch"))
    middle = app.pipe(raw, name="middle", storage=k.memory())(same)
    app.sql(
        "out", "SELECT a.n + b.n AS n FROM {a} a JOIN {b} b ON a.n = b.n", inputs={"a": middle, "b": middle}
    )
    bench.use(app).put("raw", NUMBERS, (2,))
    assert hows(bench.plan()) == {"out": [("middle", "inline"), ("raw", "read")]}
    bench.run()
    assert bench.rows("out") == [(4,)]


def test_an_incremental_pipe_reads_the_changes_of_its_first_input_since_its_last_commit(bench: Bench) -> None:
    app = k.App("shop")
    raw, other = (app.source(name, k.storage("scratch")) for name in ("raw", "other"))
    app.pipe(raw, other, name="out", write=k.append(), incremental=k.changes())(same)
    bench.use(app).put("raw", NUMBERS, (1,))
    bench.put("other", NUMBERS, (1,))
    assert bench.decided("out").inputs == (PlannedInput("raw", "changes", ""), PlannedInput("other"))
    bench.run()
    bench.put("raw", NUMBERS, (2,), how="append")
    assert bench.decided("out").inputs == (PlannedInput("raw", "changes", "0"), PlannedInput("other"))


def test_the_longest_way_comes_first(bench: Bench) -> None:
    app = k.App("shop")
    raw = app.source("raw", k.storage("scratch"))
    first = app.pipe(raw, name="first")(same)
    app.pipe(app.pipe(first, name="second")(same), name="third")(same)
    app.pipe(raw, name="alone")(same)
    bench.use(app).put("raw", NUMBERS, (1,))
    found = {task.key.entity: task.priority for task in bench.plan().tasks}
    assert found == {"first": 3.0, "second": 2.0, "third": 1.0, "alone": 1.0}
    bench.run()
    record = bench.state.tasks("shop", "dev")["third", "*"]
    bench.state.put_task("shop", "dev", record.replace(seconds=100.0))
    found = {task.key.entity: task.priority for task in bench.plan(full_refresh=True).tasks}
    assert found["first"] > found["second"] > found["third"] == pytest.approx(100.0)


def test_a_deferred_entity_tells_what_it_reads(bench: Bench) -> None:
    app = k.App("shop")
    first = app.pipe(app.source("raw", k.storage("scratch")), name="first")(same)
    app.pipe(first, name="daily", incremental=k.by_time("at", every="1d"))(same)
    bench.use(app).put("raw", "at timestamp")
    task = bench.decided("daily")
    assert (task.action, task.inputs, task.needs) == ("deferred", (PlannedInput("first"),), ("first",))
