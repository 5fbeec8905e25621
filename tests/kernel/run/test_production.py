from __future__ import annotations

from datetime import datetime, timezone

import polars as pl
import pytest
from workbench import Bench

import kindling as k
from kindling.addresses import Slice
from kindling.config.settings import Settings
from kindling.errors import RunError
from kindling.hooks.executor import InputSpec, TaskSpec
from kindling.hooks.platform import SessionSpec
from kindling.run.context import TaskContext
from kindling.run.production import Production, shaped
from kindling.schemas import parse_schema
from kindling.secret import Secret
from kindling.testing.memory_platform import MemoryPlatform, MemorySession
from kindling.testing.rows import frame_of, rows_of

NUMBERS = "n bigint"
Frame = pl.LazyFrame


def same(*frames: Frame) -> Frame:
    return frames[0]


def one(
    bench: Bench, function: object, columns: str = NUMBERS, *rows: tuple[object, ...], **options: object
) -> dict:
    """Run one pipe over one source; return its outcome's error, or {}."""
    app = k.App("shop")
    raw = app.source("raw", k.storage("scratch"))
    app.pipe(raw, name="out", **options)(function)  # type: ignore[arg-type]  # any function of a test
    bench.use(app).put("raw", columns, *(rows or ((1,),)))
    return dict(bench.run().outcomes["out"].error)


def told(bench: Bench, code: str, what: str, why: str = "", hint: str = "", where: str = "") -> dict:
    place = str(bench.project.app.entities()["out"].place)
    return {"code": code, "what": what, "why": why, "where": where or place, "hint": hint, "facts": {}}


@pytest.mark.parametrize(
    ("garbage", "shown"),
    [(None, "None"), (7, "a int"), ([1, 2], "a list"), (pl.DataFrame({"n": [1]}), "a DataFrame")],
)
def test_what_is_no_frame_is_refused(bench: Bench, garbage: object, shown: str) -> None:
    found = one(bench, lambda _: garbage)
    hint = "return the frame, for example 'return df.where(...)'"
    assert found == told(bench, "KDL-RUN-010", f"the pipe 'out' returned {shown}, not a frame", hint=hint)


def test_columns_named_twice_are_refused(bench: Bench) -> None:
    found = one(bench, lambda df: df.with_columns(N=pl.col("n")))
    why = "names that differ in letter case only are equal"
    hint = "select or rename them, for example after a join"
    assert found == told(bench, "KDL-RUN-014", "'out' has columns named twice: N, n", why, hint)


def test_a_frame_without_columns_is_refused(bench: Bench) -> None:
    found = one(bench, lambda df: df.select([]))
    assert found == told(bench, "KDL-RUN-015", "'out' has no column")


def test_missing_columns_are_refused_with_what_they_may_be(bench: Bench) -> None:
    found = one(bench, same, "numbr bigint", (1,), schema="number bigint, other string")
    what = "'out' lacks columns that its schema declares: number, other"
    assert found == told(bench, "KDL-RUN-012", what, "did you mean 'numbr'?")


def test_extra_columns_are_refused_left_out_or_added(bench: Bench) -> None:
    def extra(df: Frame) -> Frame:
        return df.with_columns(more=pl.lit("x"))

    found = one(bench, extra, schema=NUMBERS)
    what = "'out' has columns that its schema does not declare: more"
    hint = "declare them, drop them, or set drift='warn' or drift='evolve'"
    assert found == told(bench, "KDL-RUN-013", what, hint=hint)
    assert one(bench, extra, schema=NUMBERS, drift="warn") == {}
    assert bench.columns("out") == ("n",)
    (task,) = bench.state.outcomes(bench.state.runs("shop", "dev", 1)[0].run_id)
    assert task["warnings"] == ["column 'more' is not declared and was left out"]
    assert one(bench, extra, schema=NUMBERS, drift="evolve") == {}
    assert bench.columns("out") == ("n", "more")


def test_rows_are_cast_to_the_declared_schema_in_its_order(bench: Bench) -> None:
    assert one(bench, same, "b string, a bigint", ("x", 1), schema="a int, b string") == {}
    assert bench.columns("out") == ("a", "b")
    assert bench.rows("out") == [(1, "x")]


def test_a_value_that_does_not_fit_its_declared_type_fails_the_task(bench: Bench) -> None:
    found = one(bench, same, NUMBERS, (2**40,), schema="n int")
    assert found["code"] == "KDL-RUN-002"
    assert bench.commits("out") == []


def test_only_a_declaration_says_not_null() -> None:
    session = MemorySession(MemoryPlatform({}), SessionSpec("t"))
    frame = frame_of(session, "n bigint NOT NULL", [(1,)])
    _, schema, warnings = shaped(session, frame, None, entity="e", drift="fail", where="")
    assert (schema, warnings) == (parse_schema(NUMBERS), ())


def test_a_pipe_without_inputs_makes_its_frame_through_the_context(bench: Bench) -> None:
    app = k.App("shop")

    @app.pipe(name="made", context=True)
    def made(context: k.Context) -> Frame:
        context.log.info("making", part=str(context.slice))
        return context.frame([{"n": 1}, {"n": None}], NUMBERS)

    bench.use(app)
    result = bench.run()
    assert bench.rows("made") == [(1,), (None,)]
    (line,) = bench.lines(result, "log.jsonl")
    assert {**line, "at": ""} == {
        "run_id": result.run_id,
        "task": "made",
        "attempt": 1,
        "part": "*",
        "event": "making",
        "level": "info",
        "at": "",
    }
    assert bench.plan().changes is False


def test_sql_reads_its_inputs_by_their_placeholders(bench: Bench) -> None:
    app = k.App("shop")
    left, right = (app.source(name, k.storage("scratch")) for name in ("left", "right"))
    app.sql(
        "out", "SELECT {b}.n + {a}.n AS n FROM {a} JOIN {b} ON {a}.n < {b}.n", inputs={"b": left, "a": right}
    )
    bench.use(app).put("left", NUMBERS, (10,))
    bench.put("right", NUMBERS, (1,), (20,))
    bench.run()
    assert bench.rows("out") == [(11,)]


# --- incremental ---------------------------------------------------------------------------------


def incremental(deletes: str = "refuse", write: k.Intent | None = None) -> k.App:
    app = k.App("shop")
    raw = app.source("raw", k.storage("scratch"))
    app.pipe(raw, name="out", write=write or k.append(), incremental=k.changes(deletes=deletes))(same)
    return app


def test_only_what_changed_is_read(bench: Bench) -> None:
    bench.use(incremental()).put("raw", NUMBERS, (1,))
    first = bench.run().outcomes["out"]
    bench.put("raw", NUMBERS, (2,), (3,), how="append")
    second = bench.run().outcomes["out"]
    assert (first.read, second.read, second.rows) == ({"raw": 1}, {"raw": 2}, 2)
    assert (first.cursors, second.cursors) == ({"raw": "0"}, {"raw": "1"})
    assert bench.rows("out") == [(1,), (2,), (3,)]
    assert [commit["cursors"] for commit in bench.commits("out")] == [{"raw": "0"}, {"raw": "1"}]


def test_nothing_new_commits_nothing_and_calls_no_pipe(bench: Bench) -> None:
    calls: list[int] = []
    app = k.App("shop")
    raw = app.source("raw", k.storage("scratch"))

    @app.pipe(raw, name="out", write=k.append(), incremental=k.changes())
    def out(df: Frame) -> Frame:
        calls.append(1)
        return df

    bench.use(app).put("raw", NUMBERS, (1,))
    bench.run()
    bench.put("raw", NUMBERS, how="append")
    outcome = bench.run().outcomes["out"]
    assert (outcome.status, outcome.rows, outcome.version, outcome.cursors) == ("done", 0, "0", {"raw": "1"})
    assert (len(calls), len(bench.commits("out"))) == (1, 1)
    assert bench.plan().changes is False


def test_an_empty_source_makes_an_empty_table_that_its_readers_need(bench: Bench) -> None:
    app = incremental("include")
    app.sql("count", "SELECT count(*) AS n FROM {a}", inputs={"a": app.entities()["out"]})
    bench.use(app).put("raw", NUMBERS)
    assert bench.ran() == {"out": "done", "count": "done"}
    assert (bench.rows("out"), bench.rows("count")) == ([], [(0,)])
    assert bench.columns("out") == ("n", "_change")
    assert bench.plan().changes is False
    bench.put("raw", NUMBERS, (5,), how="append")
    bench.run()
    assert bench.rows("out") == [(5, "insert")]


def test_a_refresh_over_an_emptied_source_leaves_no_old_rows(bench: Bench) -> None:
    bench.use(incremental("ignore")).put("raw", NUMBERS, (1,))
    bench.run()
    bench.put("raw", NUMBERS)
    bench.run(full_refresh=True)
    assert bench.rows("out") == []


def test_deleted_rows_are_refused_by_default(bench: Bench) -> None:
    bench.use(incremental()).put("raw", NUMBERS, (1,))
    bench.run()
    bench.put("raw", NUMBERS, (2,))
    found = bench.run().outcomes["out"].error
    assert found == told(
        bench,
        "KDL-RUN-016",
        "rows were deleted from the source that 'out' reads incrementally",
        hint="choose k.changes(deletes='ignore') or 'include', or run with --full-refresh",
    )
    assert bench.rows("out") == [(1,)]
    bench.run(full_refresh=True)
    assert bench.rows("out") == [(2,)]


def test_deleted_rows_are_ignored_where_asked_to(bench: Bench) -> None:
    bench.use(incremental("ignore")).put("raw", NUMBERS, (1,))
    bench.run()
    bench.put("raw", NUMBERS, (2,))
    bench.run()
    assert bench.rows("out") == [(1,), (2,)]


def test_deleted_rows_are_included_where_asked_to(bench: Bench) -> None:
    bench.use(incremental("include")).put("raw", NUMBERS, (1,))
    bench.run()
    bench.put("raw", NUMBERS, (2,))
    bench.run()
    assert bench.rows("out") == [(1, "delete"), (1, "insert"), (2, "insert")]


def test_a_store_that_tells_no_changes_is_told(bench: Bench) -> None:
    session = MemorySession(MemoryPlatform({}), SessionSpec("t"))
    app = incremental()
    bench.use(app)
    address = bench.address("raw").replace(storage="lean").to_plain()
    spec = TaskSpec("r", "", "", "dev", "out", "*", {}, "scratch", (), "f")
    production = Production(
        spec,
        session,
        {"out": app.entities()["out"]},  # type: ignore[dict-item]  # it is a pipe
        {"out": ("raw",)},
        {},
        lambda name: bench.project.loader.storage(name).factory(None),  # type: ignore[arg-type]  # it asks for nothing
        None,  # type: ignore[arg-type]  # the pipe takes no context
    )
    for how, verb in (("changes", "tell changes"), ("read", "be read")):
        production.inputs["raw"] = InputSpec("raw", address, how=how)
        production.storage = Refusing if how == "read" else production.storage  # type: ignore[assignment]  # a storage
        with pytest.raises(RunError) as caught:
            production.frame_of("out")
        assert str(caught.value) == f"KDL-RUN-011: the storage of 'raw' cannot {verb}"


class Refusing:
    """A storage whose stores can do nothing."""

    def __init__(self, _name: str) -> None: ...

    def open(self, *_: object) -> object:
        return object()


def test_a_memory_entity_reads_everything_where_its_reader_reads_a_part(bench: Bench) -> None:
    def at(day: int) -> datetime:
        return datetime(2024, 1, day, tzinfo=timezone.utc)

    for name, options in {
        "changes": {"write": k.append(), "incremental": k.changes()},
        "slices": {"incremental": k.by_time("at", every="1d")},
    }.items():
        app = k.App("shop")
        raw = app.source("raw", k.storage("scratch"))
        app_total = app.sql(
            "total", "SELECT count(*) AS total FROM {a}", inputs={"a": raw}, storage=k.memory()
        )

        @app.pipe(raw, app_total, name=name, **options)
        def joined(part: Frame, total: Frame) -> Frame:
            return part.join(total, how="cross")

        bench.use(app).put("raw", "at timestamp", (at(1),), (at(2),))
        bench.run()
        assert bench.rows(name) == [(at(1), 2), (at(2), 2)]
        bench.put("raw", "at timestamp", (at(3),), how="append")
        bench.run()
        assert bench.rows(name)[-1] == (at(3), 3)
        bench.drop("raw")
        bench.put("raw", "at timestamp")


# --- other apps ----------------------------------------------------------------------------------


def test_another_apps_table_is_read_where_it_lies(bench: Bench) -> None:
    app = k.App("shop")
    app.pipe(app.ref("sales", "gold.orders"), name="out")(same)
    bench.environment = "prod"
    bench.put("gold.orders", NUMBERS, (7,), app="sales")
    bench.environment = "dev"
    bench.given["refs", "sales", "defer"] = "prod"
    bench.use(app)
    assert bench.ran() == {"out": "done"}
    assert bench.rows("out") == [(7,)]
    assert bench.plan().changes is False


# --- shared frames -------------------------------------------------------------------------------


def test_a_shared_frame_of_another_engine_is_computed_again() -> None:
    platform = MemoryPlatform({})
    session = MemorySession(platform, SessionSpec("t"))
    app = k.App("shop")

    @app.pipe(name="middle", storage=k.memory(), context=True)
    def middle(context: object) -> Frame:
        return pl.LazyFrame({"n": [1]})

    out = app.pipe(middle, name="out")(same)
    pipes = {"middle": middle, "out": out}
    for ref in ({"engine": platform.engine, "name": "gone"}, {"engine": "other", "name": "x"}, {}):
        spec = TaskSpec("r", "", "", "dev", "out", "*", {}, "memory", (), "f")
        names = {"middle": (), "out": ("middle",)}
        context = TaskContext(session, Settings("", "dev", []), Secret, Slice(), None)  # type: ignore[arg-type]  # it asks for nothing
        made = Production(spec, session, pipes, names, {}, Refusing, context)  # type: ignore[arg-type]  # nothing is read
        made.inputs["middle"] = InputSpec("middle", {}, how="shared", shared=ref)
        assert rows_of(session, made.frame_of("out")) == [(1,)]
    assert made.missing("out") == []
