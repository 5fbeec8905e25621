from __future__ import annotations

from collections.abc import Callable

import polars as pl
import pytest
from workbench import Bench

import kindling as k
from kindling.errors import Faults, PlanError
from kindling.plan.decide import Request
from kindling.plan.plan import Reason

NUMBERS = "n bigint"
Frame = pl.LazyFrame


def positive(df: Frame) -> Frame:
    return df.filter(pl.col("n") > 0)


def negative(df: Frame) -> Frame:
    return df.filter(pl.col("n") < 0)


def shop(
    function: Callable[[Frame], Frame] = positive,
    *,
    sql: str = "SELECT sum(n) AS total FROM {a}",
    source: str = "scratch",
    silver: str = "scratch",
    **options: object,
) -> k.App:
    app = k.App("shop")
    raw = app.source("raw.a", k.storage(source))
    made = app.pipe(raw, name="silver.a", storage=k.storage(silver), **options)(function)
    app.sql("gold.a", sql, inputs={"a": made})
    return app


@pytest.fixture
def made(bench: Bench) -> Bench:
    """An app of two pipes, both made from three rows."""
    bench.use(shop()).put("raw.a", NUMBERS, (1,), (2,), (-1,))
    bench.run()
    return bench


def test_what_was_never_made_is_new_and_its_readers_follow(bench: Bench) -> None:
    bench.use(shop()).put("raw.a", NUMBERS, (1,))
    assert bench.reasons("silver.a") == [("new", "it was never made in 'dev'")]
    assert bench.reasons("gold.a") == [
        ("new", "it was never made in 'dev'"),
        ("upstream", "'silver.a' will change"),
    ]


def test_nothing_runs_again_once_all_is_made(made: Bench) -> None:
    assert made.rows("gold.a") == [(3,)]
    tasks = made.plan().tasks
    assert [task.action for task in tasks] == ["unchanged", "unchanged"]
    (record,) = [r for key, r in made.state.tasks("shop", "dev").items() if key[0] == "silver.a"]
    assert tasks[0].reasons == (Reason("unchanged", f"nothing changed since {record.finished}"),)
    assert made.ran() == {}


def test_a_plan_without_a_record_of_an_own_table_says_so(made: Bench) -> None:
    made.state.forget("shop", "dev", ["silver.a"])
    found = made.put("silver.a", NUMBERS, (5,), app="shop")
    made.use(shop(negative))
    ((code, text),) = made.reasons("silver.a")
    assert code == "recovered"
    assert text.startswith("run 'put-")
    assert text.endswith(
        f"' committed version {found}, of which nothing is recorded here: it was killed, or has another state"
    )


def test_changed_code_is_a_reason(made: Bench) -> None:
    made.use(shop(negative))
    assert made.reasons("silver.a") == [("code", "the pipe's code, or code that it calls, changed")]


def test_changed_sql_is_a_reason(made: Bench) -> None:
    made.use(shop(sql="SELECT max(n) AS total FROM {a}"))
    assert made.reasons("gold.a") == [("sql", "the SQL text changed")]


def test_changed_options_are_a_reason(made: Bench) -> None:
    made.use(shop(version="2"))
    assert made.reasons("silver.a") == [("options", "the declaration's options changed")]


def test_another_principal_is_a_reason_of_rights(made: Bench) -> None:
    assert made.reasons("silver.a", principal="auditor") == [
        ("rights", "the effective rights or masks, or the classes of what it reads, changed")
    ]


def test_another_python_is_a_reason(made: Bench) -> None:
    record = made.state.tasks("shop", "dev")["silver.a", "*"]
    parts = {**dict(record.parts), "python": "3.9"}
    made.state.put_task("shop", "dev", record.replace(parts=tuple(sorted(parts.items()))))
    assert made.reasons("silver.a") == [("python", "another Python minor version compiles other bytecode")]


def test_a_part_that_a_newer_kernel_knows_is_told_by_its_name(made: Bench) -> None:
    record = made.state.tasks("shop", "dev")["silver.a", "*"]
    made.state.put_task("shop", "dev", record.replace(parts=(("moon", "full"), *record.parts)))
    assert made.reasons("silver.a") == [("moon", "moon changed")]


def test_a_new_version_of_an_input_is_a_reason(made: Bench) -> None:
    made.put("raw.a", NUMBERS, (7,))
    assert made.reasons("silver.a") == [("input", "new version of 'raw.a': 1, was 0")]


def test_new_and_dropped_inputs_are_reasons(bench: Bench) -> None:
    def app(*names: str) -> k.App:
        made = k.App("shop")
        sources = {name: made.source(f"raw.{name}", k.storage("scratch")) for name in ("a", "b")}

        def first(*frames: Frame) -> Frame:
            return frames[0]

        made.pipe(*(sources[name] for name in names), name="silver.a")(first)
        return made

    bench.use(app("a"))
    for name in "ab":
        bench.put(f"raw.{name}", NUMBERS, (1,))
    bench.run()
    bench.use(app("a", "b"))
    assert bench.reasons("silver.a") == [("input", "'raw.b' is a new input")]
    bench.use(app("b"))
    assert bench.reasons("silver.a") == [
        ("input", "'raw.a' is no input any more"),
        ("input", "'raw.b' is a new input"),
    ]


def test_the_order_of_the_inputs_is_a_part_of_the_declaration(bench: Bench) -> None:
    def app(*names: str) -> k.App:
        made = k.App("shop")
        sources = {name: made.source(f"raw.{name}", k.storage("scratch")) for name in ("a", "b")}

        def first(one: Frame, _: Frame) -> Frame:
            return one

        made.pipe(*(sources[name] for name in names), name="silver.a")(first)
        return made

    bench.use(app("a", "b"))
    bench.put("raw.a", NUMBERS, (1,))
    bench.put("raw.b", NUMBERS, (2,))
    bench.run()
    assert bench.rows("silver.a") == [(1,)]
    bench.use(app("b", "a"))
    assert bench.reasons("silver.a") == [("options", "the order of the inputs changed")]
    bench.run()
    assert bench.rows("silver.a") == [(2,)]


def test_a_table_that_is_gone_is_made_again(made: Bench) -> None:
    record = made.state.tasks("shop", "dev")["silver.a", "*"]
    made.drop("silver.a")
    assert made.reasons("silver.a") == [
        ("vanished", f"its table is gone; version 0 was made by run {record.run_id}")
    ]
    made.run()
    assert made.rows("silver.a") == [(1,), (2,)]


def test_a_table_that_somebody_else_changed_is_made_again(made: Bench) -> None:
    made.run(full_refresh=True)
    made.put("raw.b", NUMBERS)  # so that numbers differ
    session_version = made.put("silver.a", NUMBERS, (9,), app="shop")
    record = made.state.tasks("shop", "dev")["silver.a", "*"]
    assert session_version != record.version
    assert made.reasons("silver.a")[0][0] == "recovered"
    made.run()
    assert made.rows("silver.a") == [(1,), (2,)]


def test_a_version_without_a_commit_of_this_app_is_a_change_from_outside(bench: Bench) -> None:
    bench.use(shop(silver="lean")).put("raw.a", NUMBERS, (1,))
    bench.run()
    version = bench.put("silver.a", NUMBERS, (9,), app="shop")
    assert bench.reasons("silver.a") == [
        ("outside", f"its table was changed outside of Kindling: version {version}, not 0")
    ]
    bench.run()
    assert bench.rows("silver.a") == [(1,)]


def test_nothing_can_be_known_about_a_source_without_a_probe(bench: Bench) -> None:
    bench.use(shop(source="blind")).put("raw.a", NUMBERS, (1,))
    bench.run()
    assert bench.reasons("silver.a") == [("unknown", "nothing can be known about 'raw.a' without reading it")]
    bench.put("raw.a", NUMBERS, (2,))
    assert bench.ran() == {"silver.a": "done", "gold.a": "done"}
    assert bench.rows("gold.a") == [(2,)]


def test_readers_of_a_table_that_cannot_be_probed_always_run(bench: Bench) -> None:
    bench.use(shop(silver="blind")).put("raw.a", NUMBERS, (1,))
    bench.run()
    assert bench.decided("silver.a").action == "unchanged"
    assert bench.reasons("gold.a") == [
        ("unknown", "nothing can be known about 'silver.a' without reading it")
    ]
    assert bench.ran() == {"gold.a": "done"}


def test_a_full_refresh_is_a_reason_and_makes_all_again(made: Bench) -> None:
    assert made.reasons("silver.a", full_refresh=True) == [("refresh", "--full-refresh was asked for")]
    before = len(made.commits("silver.a"))
    assert made.ran(full_refresh=True) == {"silver.a": "done", "gold.a": "done"}
    assert len(made.commits("silver.a")) == before + 1
    assert made.plan().changes is False


def test_a_resumed_refresh_leaves_what_it_had_finished(made: Bench) -> None:
    plan = made.plan(full_refresh=True, done=frozenset({"silver.a"}))
    assert [(task.key.entity, task.action) for task in plan.tasks] == [
        ("silver.a", "unchanged"),
        ("gold.a", "run"),
    ]


def test_what_this_run_made_is_not_decided_again(bench: Bench) -> None:
    bench.use(shop(source="blind")).put("raw.a", NUMBERS, (1,))
    bench.run()
    assert bench.reasons("silver.a", made=frozenset({"silver.a"})) == [("unchanged", "this run has made it")]


def test_what_is_not_selected_is_skipped(made: Bench) -> None:
    made.put("raw.a", NUMBERS, (7,))
    task = made.decided("silver.a", select=("gold.a",))
    assert (task.action, task.reasons) == ("skipped", (Reason("unselected", "it was not selected"),))
    assert made.plan(select=("gold.a",)).changes is False


def test_modified_declarations_are_selected_by_state(made: Bench) -> None:
    made.put("raw.a", NUMBERS, (7,))
    made.use(shop(sql="SELECT max(n) AS total FROM {a}"))
    plan = made.plan(select=("state:modified",))
    assert [(task.key.entity, task.action) for task in plan.tasks] == [
        ("silver.a", "skipped"),
        ("gold.a", "run"),
    ]


def test_a_changed_memory_entity_modifies_its_readers_and_not_itself(bench: Bench) -> None:
    bench.use(shop(silver="memory")).put("raw.a", NUMBERS, (1,))
    bench.run()
    assert bench.plan(select=("state:modified", "gold.a")).changes is False
    bench.use(shop(negative, silver="memory"))
    reason = ("code", "the memory entity 'silver.a' changed: its code or its options")
    assert bench.reasons("gold.a", select=("state:modified",)) == [reason]


def test_data_behind_a_memory_entity_is_a_reason(bench: Bench) -> None:
    bench.use(shop(silver="memory")).put("raw.a", NUMBERS, (1,))
    bench.run()
    bench.put("raw.a", NUMBERS, (2,))
    assert bench.reasons("gold.a") == [("input", "what the memory entity 'silver.a' reads changed")]
    bench.run()
    assert bench.rows("gold.a") == [(2,)]


def test_a_new_memory_input_is_told_once(bench: Bench) -> None:
    def app(*, nested: bool) -> k.App:
        made = k.App("shop")
        raw = made.source("raw.a", k.storage("scratch"))
        inner = made.pipe(raw, name="inner", storage=k.memory())(positive)
        outer = made.pipe(inner if nested else raw, name="outer", storage=k.memory())(positive)
        made.sql("gold.a", "SELECT n FROM {a}", inputs={"a": outer})
        return made

    bench.use(app(nested=False)).put("raw.a", NUMBERS, (1,))
    bench.run()
    bench.use(app(nested=True))
    assert bench.reasons("gold.a") == [("code", "the memory entity 'outer' changed: its code or its options")]


def test_readers_of_an_unreadable_memory_entity_are_unknown_too(bench: Bench) -> None:
    bench.use(shop(source="blind", silver="memory")).put("raw.a", NUMBERS, (1,))
    bench.run()
    assert bench.reasons("gold.a") == [
        ("unknown", "nothing can be known about 'silver.a' without reading it")
    ]


def test_an_incremental_pipe_is_told_that_its_old_rows_stay(bench: Bench) -> None:
    def app(function: Callable[[Frame], Frame]) -> k.App:
        return shop(function, write=k.append(), incremental=k.changes())

    bench.use(app(positive)).put("raw.a", NUMBERS, (1,))
    bench.run()
    bench.put("raw.a", NUMBERS, (2,), how="append")
    bench.use(app(negative))
    assert bench.reasons("silver.a") == [
        ("code", "the pipe's code, or code that it calls, changed; new rows only, --full-refresh for all"),
        ("input", "new data in 'raw.a': 1, was 0"),
    ]


def test_a_missing_source_is_refused(bench: Bench) -> None:
    bench.use(shop())
    with pytest.raises(PlanError) as caught:
        bench.plan()
    place = bench.project.app.entities()["raw.a"].place
    assert str(caught.value) == (
        "KDL-PLAN-020: 'raw.a', which 'silver.a' reads, does not exist\n"
        f"  why: nothing is found at {bench.path}/lake/dev/raw/a\n"
        f"  where: {place}"
    )


def test_an_input_that_was_never_made_and_is_not_selected_is_refused(bench: Bench) -> None:
    bench.use(shop()).put("raw.a", NUMBERS, (1,))
    with pytest.raises(PlanError) as caught:
        bench.plan(select=("gold.a",))
    place = bench.project.app.entities()["silver.a"].place
    assert str(caught.value) == (
        "KDL-PLAN-021: 'silver.a', which 'gold.a' reads, was never made and is not selected\n"
        f"  where: {place}\n"
        "  do: select it too: --select '+gold.a'"
    )


def test_a_missing_source_behind_memory_entities_is_told_once(bench: Bench) -> None:
    app = k.App("shop")
    raw = app.source("raw.a", k.storage("scratch"))
    left = app.pipe(raw, name="left", storage=k.memory())(positive)
    right = app.pipe(raw, name="right", storage=k.memory())(negative)
    app.sql("gold.a", "SELECT l.n FROM {l} l JOIN {r} r ON l.n = r.n", inputs={"l": left, "r": right})
    bench.use(app)
    with pytest.raises(PlanError) as caught:
        bench.plan()
    assert caught.value.what == "'raw.a', which 'gold.a' reads, does not exist"


def test_everything_that_is_refused_is_told_together(bench: Bench) -> None:
    bench.use(shop())
    bench.put("silver.a", NUMBERS, (1,), app="other")
    with pytest.raises(Faults) as caught:
        bench.plan()
    assert [fault.code for fault in caught.value.faults] == ["KDL-POL-001", "KDL-PLAN-020"]
    assert caught.value.exit_code == 5


def test_an_unselected_table_that_cannot_be_probed_is_no_missing_input(bench: Bench) -> None:
    bench.use(shop(silver="blind")).put("raw.a", NUMBERS, (1,))
    bench.run()
    assert bench.decided("gold.a", select=("gold.a",)).action == "run"


def test_a_request_has_sound_defaults() -> None:
    request = Request("shop", "dev", frozenset({"a"}))
    assert (request.refresh, request.start, request.end, request.max_slices) == (False, "", "", 0)
    assert request.done == request.made == frozenset()
