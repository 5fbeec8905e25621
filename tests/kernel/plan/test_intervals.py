from __future__ import annotations

from datetime import datetime, timezone

import polars as pl
import pytest
from workbench import Bench

import kindling as k
from kindling.errors import Faults, PlanError

EVENTS = "at timestamp, n bigint"
Frame = pl.LazyFrame
Row = tuple[datetime, int]


def at(day: int, n: int = 1) -> Row:
    return datetime(2024, 1, day, 12, tzinfo=timezone.utc), n


def events(
    *, every: str = "1d", lookback: str = "", start: str = "", factor: int = 1, source: str = "scratch"
) -> k.App:
    app = k.App("shop")
    raw = app.source("raw.events", k.storage(source))

    @app.pipe(
        raw, name="silver.daily", incremental=k.by_time("at", every=every, lookback=lookback, start=start)
    )
    def daily(df: Frame) -> Frame:
        return df.with_columns(pl.col("n") * factor)

    return app


def days(bench: Bench, **wish: object) -> list[tuple[int, str, str]]:
    """Return (first day, action, reason code) of each slice."""
    tasks = bench.tasks("silver.daily", **wish)
    return [(int(task.key.slice.start[8:10]), task.action, task.reasons[0].code) for task in tasks]


@pytest.fixture
def made(bench: Bench) -> Bench:
    bench.use(events()).put("raw.events", EVENTS, at(1), at(2), at(4))
    bench.run()
    return bench


def test_each_day_of_the_data_is_a_task_and_they_run_one_after_another(bench: Bench) -> None:
    bench.use(events()).put("raw.events", EVENTS, at(1), at(3))
    assert days(bench) == [(1, "run", "new"), (2, "run", "new"), (3, "run", "new")]
    tasks = bench.tasks("silver.daily")
    assert [task.needs for task in tasks] == [(), (str(tasks[0].key),), (str(tasks[1].key),)]
    assert tasks[0].reasons[0].text == "the slice was never made"
    bench.run()
    assert bench.rows("silver.daily") == [at(1), at(3)]


def test_finished_slices_are_unchanged(made: Bench) -> None:
    assert days(made) == [(day, "unchanged", "unchanged") for day in (1, 2, 3, 4)]
    assert made.tasks("silver.daily")[0].reasons[0].text == "the slice is finished"


def test_new_data_reopens_the_newest_slice_only(made: Bench) -> None:
    made.put("raw.events", EVENTS, at(1, 9), at(4, 5), at(5), how="append")
    assert [day for day in days(made) if day[1] == "run"] == [(4, "run", "late"), (5, "run", "new")]
    assert made.tasks("silver.daily")[3].reasons[0].text == (
        "'raw.events' has new data, and the slice may still get some"
    )
    made.run()
    assert made.rows("silver.daily") == [at(1), at(2), at(4), at(4, 5), at(5)]


def test_the_lookback_reopens_slices_before_the_newest(bench: Bench) -> None:
    bench.use(events(lookback="2d")).put("raw.events", EVENTS, at(1), at(2), at(4))
    bench.run()
    bench.put("raw.events", EVENTS, at(1, 9), at(3, 5), how="append")
    assert [day for day in days(bench) if day[1] == "run"] == [
        (2, "run", "late"),
        (3, "run", "late"),
        (4, "run", "late"),
    ]
    bench.run()
    assert bench.rows("silver.daily") == [at(1), at(2), at(3, 5), at(4)]


def test_a_limit_of_slices_makes_the_oldest_first(bench: Bench) -> None:
    bench.use(events()).put("raw.events", EVENTS, at(1), at(3))
    assert days(bench, max_slices=2) == [(1, "run", "new"), (2, "run", "new"), (3, "skipped", "waits")]
    assert bench.tasks("silver.daily", max_slices=2)[2].reasons[0].text == "--max-slices 2 was reached"
    bench.run(max_slices=2)
    assert days(bench, max_slices=2) == [
        (1, "unchanged", "unchanged"),
        (2, "unchanged", "unchanged"),
        (3, "run", "new"),
    ]


def test_a_window_makes_its_slices_again_and_the_end_is_excluded(made: Bench) -> None:
    wish = {"start": "2024-01-02", "end": "2024-01-04"}
    assert days(made, **wish) == [(2, "run", "slice"), (3, "run", "slice")]
    assert made.tasks("silver.daily", **wish)[0].reasons[0].text == "--from and --to ask for it"
    before = len(made.commits("silver.daily"))
    made.run(**wish)
    assert len(made.commits("silver.daily")) == before + 2


def test_a_window_begins_with_the_slice_that_holds_its_start(made: Bench) -> None:
    made.use(events(every="1w"))
    tasks = made.tasks("silver.daily", start="2024-01-02", end="2024-01-03")
    assert [str(task.key.slice) for task in tasks] == ["2023-12-28T00:00:00Z/2024-01-04T00:00:00Z"]


def test_a_resumed_window_leaves_the_slices_that_it_had_finished(made: Bench) -> None:
    tasks = made.tasks("silver.daily", start="2024-01-02", end="2024-01-04")
    done = frozenset({str(tasks[0].key)})
    found = days(made, start="2024-01-02", end="2024-01-04", done=done)
    assert found == [(2, "unchanged", "unchanged"), (3, "run", "slice")]


def test_a_full_refresh_makes_every_slice_again(made: Bench) -> None:
    assert {(action, code) for _, action, code in days(made, full_refresh=True)} == {("run", "refresh")}
    made.run(full_refresh=True)
    assert made.rows("silver.daily") == [at(1), at(2), at(4)]


def test_a_lost_table_makes_every_slice_again(made: Bench) -> None:
    made.drop("silver.daily")
    assert {(action, code) for _, action, code in days(made)} == {("run", "vanished")}
    made.run()
    assert made.rows("silver.daily") == [at(1), at(2), at(4)]


def test_slices_of_other_code_stay_and_the_plan_says_so(made: Bench) -> None:
    made.use(events(factor=10))
    plan = made.plan()
    assert plan.changes is False
    (warning,) = plan.warnings
    assert warning == (
        "4 finished slices of 'silver.daily' were made by another version of its code, options or masks; "
        "--full-refresh, or --from and --to, make them again"
    )


def test_an_empty_source_has_nothing_to_slice(bench: Bench) -> None:
    bench.use(events()).put("raw.events", EVENTS)
    task = bench.decided("silver.daily")
    assert (task.action, task.reasons[0].text) == ("unchanged", "there is no data to slice")


def test_a_missing_source_is_refused_and_not_taken_for_an_empty_one(bench: Bench) -> None:
    bench.use(events())
    with pytest.raises(PlanError) as caught:
        bench.plan()
    assert caught.value.code == "KDL-PLAN-020"


def test_the_start_of_the_pipe_leaves_out_what_is_older(bench: Bench) -> None:
    bench.use(events(start="2024-01-03")).put("raw.events", EVENTS, at(1), at(4))
    assert [day for day, _, _ in days(bench)] == [3, 4]


def test_months_are_slices_too(bench: Bench) -> None:
    bench.use(events(every="1mo")).put("raw.events", EVENTS, at(1), at(31))
    (task,) = bench.tasks("silver.daily")
    assert str(task.key.slice) == "2024-01-01T00:00:00Z/2024-02-01T00:00:00Z"


def test_slices_wait_until_a_source_that_will_change_has_run(bench: Bench) -> None:
    app = k.App("shop")
    raw = app.source("raw.events", k.storage("scratch"))

    @app.pipe(raw, name="bronze.events")
    def bronze(df: Frame) -> Frame:
        return df

    @app.pipe(bronze, name="silver.daily", incremental=k.by_time("at", every="1d"))
    def daily(df: Frame) -> Frame:
        return df

    app.sql("gold.total", "SELECT sum(n) AS total FROM {d}", inputs={"d": daily})
    bench.use(app).put("raw.events", EVENTS, at(1), at(2, 5))
    task = bench.decided("silver.daily")
    assert (task.action, task.reasons[0].text) == (
        "deferred",
        "its slices are known once 'bronze.events' ran",
    )
    assert bench.ran() == {
        "bronze.events": "done",
        "silver.daily[2024-01-01T00:00:00Z/2024-01-02T00:00:00Z]": "done",
        "silver.daily[2024-01-02T00:00:00Z/2024-01-03T00:00:00Z]": "done",
        "gold.total": "done",
    }
    assert bench.rows("gold.total") == [(6,)]
    assert bench.plan().changes is False


def test_a_window_needs_no_bounds_so_nothing_waits(bench: Bench) -> None:
    bench.use(events(source="lean")).put("raw.events", EVENTS, at(1))
    assert days(bench, start="2024-01-01", end="2024-01-02") == [(1, "run", "slice")]
    with pytest.raises(PlanError) as caught:
        bench.plan()
    place = bench.project.app.entities()["silver.daily"].place
    assert str(caught.value) == (
        "KDL-PLAN-032: the storage 'lean' of 'raw.events' cannot tell the bounds of 'at'\n"
        f"  where: {place}\n"
        "  do: say --from and --to, or read it through a table first"
    )


def test_malformed_windows_of_several_pipes_are_told_together(bench: Bench) -> None:
    app = events()
    raw = app.entities()["raw.events"]

    @app.pipe(raw, name="silver.weekly", incremental=k.by_time("at", every="1w"))
    def weekly(df: Frame) -> Frame:
        return df

    bench.use(app).put("raw.events", EVENTS, at(1))
    with pytest.raises(Faults) as caught:
        bench.plan(start="soon", end="later")
    assert [(fault.code, fault.what) for fault in caught.value.faults] == [
        ("KDL-PLAN-030", "--from 'soon' is no date or time")
    ] * 2
