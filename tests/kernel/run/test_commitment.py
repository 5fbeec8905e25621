from __future__ import annotations

from datetime import datetime, timezone

import polars as pl
import pytest
from workbench import Bench

import kindling as k
from kindling.addresses import Address
from kindling.run.commitment import quarantine_of

ROWS = "id bigint, n bigint"
Frame = pl.LazyFrame


def same(df: Frame) -> Frame:
    return df


def shop(function: object = same, **options: object) -> k.App:
    app = k.App("shop")
    raw = app.source("raw", k.storage("scratch"))
    app.pipe(raw, name="out", **options)(function)  # type: ignore[arg-type]  # any function of a test
    return app


def error(bench: Bench, **asked: object) -> dict[str, object]:
    return bench.run(**asked).outcomes["out"].error


@pytest.mark.parametrize(
    ("intent", "expected"),
    [
        (k.overwrite(), [(2, 20)]),
        (k.append(), [(1, 1), (2, 2), (2, 20)]),
        (k.merge(on=["id"]), [(1, 1), (2, 20)]),
        (k.replace(by=["id"]), [(1, 1), (2, 20)]),
    ],
    ids=lambda one: getattr(one, "name", ""),
)
def test_each_intent_has_its_way_into_the_table(
    bench: Bench, intent: k.Intent, expected: list[tuple[int, int]]
) -> None:
    bench.use(shop(write=intent)).put("raw", ROWS, (1, 1), (2, 2))
    bench.run()
    bench.put("raw", ROWS, (2, 20))
    bench.run()
    assert bench.rows("out") == expected


def test_history_keeps_versions_of_each_key(bench: Bench) -> None:
    bench.use(shop(write=k.scd2(on=["id"]))).put("raw", ROWS, (1, 1), (2, 2))
    bench.run()
    bench.put("raw", ROWS, (1, 1), (2, 20))
    bench.run()
    assert bench.columns("out") == ("id", "n", "valid_from", "valid_to", "is_current")
    assert [(row[0], row[1], row[4]) for row in bench.rows("out")] == [
        (1, 1, True),
        (2, 2, False),
        (2, 20, True),
    ]


@pytest.mark.parametrize(
    "intent",
    [k.append(), k.merge(on=["id"]), k.replace(by=["id"]), k.scd2(on=["id"])],
    ids=lambda one: one.name,
)
def test_a_full_refresh_has_the_result_of_an_empty_table(bench: Bench, intent: k.Intent) -> None:
    bench.use(shop(write=intent)).put("raw", ROWS, (1, 1), (2, 2))
    bench.run()
    bench.put("raw", ROWS, (2, 20), (3, 3))
    bench.run()
    bench.run(full_refresh=True)
    assert [row[:2] for row in bench.rows("out")] == [(2, 20), (3, 3)]
    if intent.name == "scd2":
        assert all(row[2] is not None and row[3:] == (None, True) for row in bench.rows("out"))
    assert bench.plan().changes is False


def test_a_full_refresh_starts_over_although_nothing_changed(bench: Bench) -> None:
    bench.use(shop(write=k.append())).put("raw", ROWS, (1, 1))
    bench.run()
    bench.put("raw", ROWS, (2, 2))
    bench.run()
    assert bench.rows("out") == [(1, 1), (2, 2)]
    bench.run(full_refresh=True)
    assert bench.rows("out") == [(2, 2)]
    bench.run(full_refresh=True)
    assert bench.rows("out") == [(2, 2)]


def test_a_full_refresh_with_doubled_keys_is_refused_like_a_merge(bench: Bench) -> None:
    bench.use(shop(write=k.merge(on=["id"]))).put("raw", ROWS, (1, 1))
    bench.run()
    bench.put("raw", ROWS, (1, 1), (1, 2), (None, 3))
    assert error(bench, full_refresh=True) == {
        "code": "KDL-STORE-010",
        "what": "the rows of 'out' have no unique key",
        "why": "3 rows, 1 distinct values of id, 1 rows with a null",
        "where": str(bench.project.app.entities()["out"].place),
        "hint": "use k.dedupe(df, on=[...], order_by=[...]) in the pipe",
        "facts": {},
    }
    assert bench.rows("out") == [(1, 1)]


def test_other_columns_of_a_source_are_drift_and_refused(bench: Bench) -> None:
    bench.use(shop()).put("raw", ROWS, (1, 1))
    bench.run()
    bench.put("raw", f"{ROWS}, more string", (1, 1, "x"))
    assert error(bench)["code"] == "KDL-STORE-013"
    assert bench.rows("out") == [(1, 1)]
    bench.run(full_refresh=True)
    assert bench.columns("out") == ("id", "n", "more")


@pytest.mark.parametrize(("drift", "columns"), [("warn", ("id", "n")), ("evolve", ("id", "n", "more"))])
def test_drift_is_left_out_with_a_warning_or_added(
    bench: Bench, drift: str, columns: tuple[str, ...]
) -> None:
    bench.use(shop(drift=drift)).put("raw", ROWS, (1, 1))
    bench.run()
    bench.put("raw", f"{ROWS}, more string", (1, 1, "x"))
    outcome = bench.run().outcomes["out"]
    assert bench.columns("out") == columns
    assert outcome.warnings == (("column 'more' was left out",) if drift == "warn" else ())


def test_a_warning_about_a_column_that_was_left_out_is_counted_all_the_same(bench: Bench) -> None:
    bench.use(shop(drift="warn", expect={"named": "more IS NOT NULL"})).put(
        "raw", f"{ROWS}, more string", (1, 1, "x")
    )
    bench.run()
    bench.put("raw", f"{ROWS}, other string", (1, 1, "x"))
    bench.use(shop(drift="warn", expect={"other": "other IS NULL"}))
    bench.state.put_task(
        "shop",
        "dev",
        bench.state.tasks("shop", "dev")["out", "*"].replace(parts=bench.decided("out").parts),
    )
    bench.put("raw", f"{ROWS}, more string, other string", (1, 1, "x", "y"))
    outcome = bench.run().outcomes["out"]
    assert (outcome.status, outcome.expectations) == ("done", {"other": 1})


def test_a_store_that_lacks_what_its_manifest_says_is_told(bench: Bench) -> None:
    bench.use(shop(write=k.replace(by=["id"]), storage=k.storage("lean"))).put("raw", ROWS, (1, 1))
    assert error(bench) == {
        "code": "KDL-RUN-018",
        "what": "the storage of 'out' does not implement 'replace'",
        "why": "it declares it, but its store has no Replaces",
        "where": str(bench.project.app.entities()["out"].place),
        "hint": "tell the plugin's author: its conformance suite shows it",
        "facts": {},
    }


def test_a_quarantine_lies_beside_its_table() -> None:
    beside = quarantine_of(Address("delta", "lake", ("silver", "a"), "/lake/silver/a/"))
    assert (beside.parts, beside.uri) == (("silver", "a__quarantine"), "/lake/silver/a__quarantine")
    assert quarantine_of(Address("x", "y", ("a",))).uri == ""


GOOD = {"expect": {"positive": "n > 0"}, "on_fail": "quarantine"}


def test_a_quarantine_holds_what_the_newest_overwrite_left_out(bench: Bench) -> None:
    bench.use(shop(**GOOD)).put("raw", ROWS, (1, 1), (2, -2))
    bench.run()
    assert bench.rows("out__quarantine") == [(2, -2, "positive")]
    bench.put("raw", ROWS, (1, 1), (3, -3), (4, -4))
    outcome = bench.run().outcomes["out"]
    assert (outcome.metrics["rows_quarantined"], outcome.expectations) == (2, {"positive": 2})
    assert bench.rows("out__quarantine") == [(3, -3, "positive"), (4, -4, "positive")]
    bench.put("raw", ROWS, (1, 1))
    assert bench.run().outcomes["out"].metrics["rows_quarantined"] == 0
    assert bench.rows("out__quarantine") == []


def test_a_quarantine_follows_columns_that_come_and_go(bench: Bench) -> None:
    bench.use(shop(drift="evolve", **GOOD)).put("raw", ROWS, (1, 1), (2, -2))
    bench.run()
    bench.put("raw", f"{ROWS}, more string", (2, -2, "x"))
    bench.run()
    assert bench.columns("out__quarantine") == ("id", "n", "more", "_broken")
    assert bench.rows("out__quarantine") == [(2, -2, "x", "positive")]


def test_an_incremental_quarantine_grows_and_a_refresh_makes_it_anew(bench: Bench) -> None:
    bench.use(shop(write=k.append(), incremental=k.changes(), **GOOD)).put("raw", ROWS, (1, -1))
    bench.run()
    bench.put("raw", ROWS, (2, -2), how="append")
    bench.run()
    assert bench.rows("out__quarantine") == [(1, -1, "positive"), (2, -2, "positive")]
    bench.run(full_refresh=True)
    assert bench.rows("out__quarantine") == [(1, -1, "positive"), (2, -2, "positive")]


def test_a_task_that_is_run_again_after_a_kill_quarantines_no_row_twice(bench: Bench) -> None:
    """The kill falls between the two commits: the quarantine is there, the target is not."""
    options = {"write": k.append(), "incremental": k.changes(), **GOOD}
    bench.use(shop(**options)).put("raw", ROWS, (1, 1), (2, -2))
    bench.run()
    bench.drop("out")
    bench.state.forget("shop", "dev", ["out"])
    bench.run()
    assert bench.rows("out") == [(1, 1)]
    assert bench.rows("out__quarantine") == [(2, -2, "positive")]


def test_a_slice_that_is_made_again_replaces_its_own_broken_rows(bench: Bench) -> None:
    def at(day: int) -> datetime:
        return datetime(2024, 1, day, tzinfo=timezone.utc)

    bench.use(shop(incremental=k.by_time("at", every="1d"), **GOOD))
    bench.put("raw", "at timestamp, n bigint", (at(1), -1), (at(2), -2), (at(2), 2))
    bench.run()
    assert [row[1] for row in bench.rows("out__quarantine")] == [-1, -2]
    bench.run(start="2024-01-02", end="2024-01-03")
    assert [row[1:] for row in bench.rows("out__quarantine")] == [
        (-1, "positive", "2024-01-01T00:00:00Z/2024-01-02T00:00:00Z"),
        (-2, "positive", "2024-01-02T00:00:00Z/2024-01-03T00:00:00Z"),
    ]
    assert bench.rows("out") == [(at(2), 2)]


def test_broken_rows_of_a_slice_may_have_any_time(bench: Bench) -> None:
    def forget(df: Frame) -> Frame:
        return df.with_columns(at=pl.when(pl.col("n") > 0).then(pl.col("at")))

    rules = {"expect": {"timed": "at IS NOT NULL"}, "on_fail": "quarantine"}
    bench.use(shop(forget, incremental=k.by_time("at", every="1d"), **rules))
    when = datetime(2024, 1, 1, tzinfo=timezone.utc)
    bench.put("raw", "at timestamp, n bigint", (when, -1), (when, 1))
    assert bench.run().exit_code == 0
    assert bench.rows("out") == [(when, 1)]


def test_all_kinds_of_expectations_work_together(bench: Bench) -> None:
    rules = {
        "q": k.rule("n <> 1", on_fail="quarantine"),
        "d": k.rule("n <> 2", on_fail="drop"),
        "w": k.rule("n <> 3", on_fail="warn"),
        "f": k.rule("n <> 4", on_fail="fail"),
    }
    bench.use(shop(expect=rules)).put("raw", ROWS, (1, 1), (2, 2), (3, 3), (5, 5))
    outcome = bench.run().outcomes["out"]
    assert outcome.expectations == {"q": 1, "d": 1, "w": 1}
    assert bench.rows("out") == [(3, 3), (5, 5)]
    bench.put("raw", ROWS, (1, 1), (4, 4))
    assert error(bench)["code"] == "KDL-EXP-001"
    assert bench.rows("out") == [(3, 3), (5, 5)]


def test_empty_inputs_make_empty_tables(bench: Bench) -> None:
    bench.use(shop(**GOOD)).put("raw", ROWS)
    outcome = bench.run().outcomes["out"]
    assert (outcome.status, outcome.rows, outcome.expectations) == ("done", 0, {"positive": 0})
    assert bench.columns("out") == ("id", "n")
    assert bench.rows("out") == []
