from __future__ import annotations

from pathlib import Path

import polars as pl
import pytest
from workbench import Bench

import kindling as k
from kindling.errors import EngineLostError, InfrastructureError
from kindling.events import TaskFinished, TaskTraced
from kindling.hooks.platform import SessionSpec
from kindling.hooks.traces import through
from kindling.lineage import ColumnLineage, Origin
from kindling.run.governing import Governed
from kindling.run.tracing import Tracer, about, composed, frame_lineage, sql_lineage, strongest
from kindling.schemas import parse_schema
from kindling.testing.memory_platform import MemoryPlatform, MemorySession

Frame = pl.LazyFrame
A, B = Origin("a", "x"), Origin("b", "y", "aggregation")


class TracingSession(MemorySession):
    """Says about each frame what the test wants to hear."""

    answer: object = None

    def lineage(self, frame: object, inputs: object) -> ColumnLineage | None:
        if isinstance(self.answer, Exception):
            raise self.answer
        return self.answer  # type: ignore[return-value]  # a test's own


def session(answer: object = None, *features: str) -> TracingSession:
    made = TracingSession(MemoryPlatform({}), SessionSpec("t"))
    made.features = frozenset(features or ("lineage",))
    made.answer = answer
    return made


def traced(answer: object, *features: str) -> tuple[ColumnLineage | None, list[str]]:
    warnings: list[str] = []
    frame = pl.LazyFrame({"n": [1]})
    found = frame_lineage(session(answer, *features), frame, {"a": frame}, warnings.append)
    return found, warnings


def test_an_engine_is_believed_where_its_answer_is_about_the_inputs() -> None:
    fits = ColumnLineage((("n", (A,)),))
    assert traced(fits) == (fits, [])
    assert traced(fits, "share") == (None, [])
    assert traced(None) == (None, [])
    assert traced(ColumnLineage((("n", (Origin("nobody", "x"),)),))) == (None, [])


def test_an_engine_that_fails_at_tracing_makes_a_frame_opaque() -> None:
    assert traced(ZeroDivisionError("a value")) == (
        None,
        ["the platform 'memory' could not trace its frame: ZeroDivisionError"],
    )
    with pytest.raises(EngineLostError):
        traced(EngineLostError("KDL-INFRA-011", "gone"))


def test_a_query_is_traced_under_the_names_of_its_frame() -> None:
    tables = {"kdl_a": ("a", parse_schema("X bigint"))}
    text = "SELECT x, x + 1 AS y FROM kdl_a"
    found = sql_lineage(text, tables, ("X", "Y"))
    assert found == ColumnLineage((("X", (Origin("a", "X"),)), ("Y", (Origin("a", "X", "transformation"),))))
    assert sql_lineage(text, tables, ("X",)) is None
    assert sql_lineage("SELECT x FROM kdl_b", tables, ("x",)) is None
    assert sql_lineage("SELECT * FROM kdl_a PIVOT (sum(x) FOR x IN (1))", tables, ("x",)) is None
    assert sql_lineage("no query (", tables, ("x",)) is None


def test_the_strongest_way_is_told_and_being_part_beats_deciding() -> None:
    ways = [A.replace(how=how) for how in ("indirect", "transformation", "identity", "aggregation")]
    assert strongest(ways) == (A.replace(how="aggregation"),)
    assert strongest(ways[:1]) == (A.replace(how="indirect"),)
    assert through(frozenset((A.replace(how="aggregation"),)), "identity") == {A.replace(how="aggregation")}
    assert through(frozenset((A.replace(how="identity"),)), "indirect") == {A.replace(how="indirect")}


def test_lineage_goes_through_what_is_computed_on_the_way() -> None:
    outer = ColumnLineage((("n", (Origin("m", "K", "transformation"), A)),), (Origin("m", "k", "indirect"),))
    inner = ColumnLineage((("k", (B,)),), (Origin("b", "z", "indirect"),))
    assert composed(outer, {"m": inner}) == ColumnLineage(
        (("n", (A, B)),), (Origin("b", "y", "indirect"), Origin("b", "z", "indirect"))
    )
    assert composed(outer, {"m": None}) is None


def test_nothing_is_traced_where_nobody_wants_to_know() -> None:
    class Silent(TracingSession):
        def schema(self, frame: object) -> object:  # type: ignore[override]  # it must not be asked
            raise AssertionError

    silent = Silent(MemoryPlatform({}), SessionSpec("t"))
    tracer = Tracer(silent, print, wanted=False)
    frame = pl.LazyFrame({"n": [1]})
    tracer.python("p", frame, {"a": Governed(frame)})
    tracer.sql("q", frame, {"a": Governed(frame)}, "SELECT 1", {"t": "a"})
    assert tracer.classes("p") == {}
    assert tracer.lineage("p", ()) is None


def test_columns_inherit_classes_and_those_of_an_opaque_pipe_all_of_them() -> None:
    frame = pl.LazyFrame({"n": [1], "m": [2]})
    inputs = {"a": Governed(frame, {"x": ("pii",)}), "b": Governed(frame, {"y": ("fin",)})}
    lineage = ColumnLineage((("n", (A,)), ("m", ())))
    tracer = Tracer(session(lineage), print, wanted=False)
    tracer.python("p", frame, inputs)
    assert (tracer.classes("p"), tracer.lineage("p", ())) == ({"n": ("pii",)}, lineage)
    tracer.python("rows", frame, inputs, is_opaque=True)
    assert tracer.classes("rows") == {"n": ("fin", "pii"), "m": ("fin", "pii")}
    assert tracer.lineage("rows", ()) is None


def test_a_lineage_that_lacks_a_column_is_opaque_where_it_matters() -> None:
    frame = pl.LazyFrame({"n": [1], "m": [2]})
    lineage = ColumnLineage((("N", (A,)),))
    tracer = Tracer(session(lineage), print, wanted=True)
    tracer.python("p", frame, {"a": Governed(frame, {"x": ("pii",)})})
    assert (tracer.classes("p"), tracer.lineage("p", ())) == ({"n": ("pii",), "m": ("pii",)}, None)
    tracer.python("free", frame, {"a": Governed(frame)})
    assert tracer.lineage("free", ()) == lineage
    assert about(lineage, ("n",)) == ColumnLineage((("n", (A,)),))
    assert about(lineage, ("n", "m")) is None
    assert about(None, ()) is None


# --- what a run tells ----------------------------------------------------------------------------


def shop() -> k.App:
    app = k.App("shop")
    raw = app.source("raw", k.storage("scratch"))
    app.sql("first", "SELECT n, name FROM {raw} WHERE n > 0", inputs={"raw": raw})
    big = app.sql("big", "SELECT n * 2 AS twice, name FROM {raw}", inputs={"raw": raw}, storage=k.memory())
    app.sql("second", "SELECT sum(twice) AS total FROM {big} GROUP BY name", inputs={"big": big})
    return app


@pytest.fixture
def told(bench: Bench) -> Bench:
    bench.use(shop(), run__lineage=["notes"]).put("raw", "n bigint, name string", (1, "x"))
    return bench


def test_a_task_is_traced_right_before_it_is_finished(told: Bench) -> None:
    assert told.ran() == {"first": "done", "second": "done"}
    traces = {event.key: event for event in told.heard if isinstance(event, TaskTraced)}
    raw = {
        "entity": "raw",
        "address": told.address("raw").to_plain(),
        "version": "0",
        "schema": "`n` bigint, `name` string",
    }
    first = traces["first"]
    assert first.target == {
        "entity": "first",
        "address": told.address("first").to_plain(),
        "version": "0",
        "schema": "`n` bigint, `name` string",
    }
    assert (first.inputs, first.intent, first.masked, first.classes) == ((raw,), "overwrite", (), {})
    assert ColumnLineage.from_plain(first.lineage) == ColumnLineage(
        (("n", (Origin("raw", "n"),)), ("name", (Origin("raw", "name"),))), (Origin("raw", "n", "indirect"),)
    )
    assert traces["second"].inputs == (raw,)
    assert traces["second"].lineage == {
        "columns": {"total": [["raw", "n", "aggregation"]]},
        "rows": [["raw", "name", "indirect"]],
    }
    for place, event in enumerate(told.heard):
        if isinstance(event, TaskTraced):
            after = told.heard[place + 1]
            assert isinstance(after, TaskFinished)
            assert after.key == event.key


def test_a_lineage_sink_hears_the_run(told: Bench) -> None:
    result = told.run()
    heard = (told.run_dir(result) / "notes").read_text(encoding="utf-8").split()
    assert [word for word in heard if word == "TaskTraced"] == ["TaskTraced"] * 2
    assert heard[-1] == "closed"


def test_a_sink_knows_its_project_and_resolves_references(told: Bench) -> None:
    vault = told.path / "vault.json"
    vault.write_text('{"key": "hunter2-hunter2"}')
    told.given["secrets", "vault", "file"] = str(vault)
    told.set("lineage", "notes", "key", value="secret://vault/key")
    heard = (told.run_dir(told.run()) / "notes").read_text(encoding="utf-8").splitlines()
    assert heard[-2:] == [f"15 letters, in {told.path}", "closed"]


def test_an_essential_lineage_sink_fails_the_run(bench: Bench) -> None:
    bench.use(shop(), run__lineage=["audit"]).put("raw", "n bigint, name string", (1, "x"))
    with pytest.raises(InfrastructureError) as caught:
        bench.run()
    assert str(caught.value).splitlines() == [
        "KDL-INFRA-010: the essential event sink 'lineage:audit' failed",
        "  why: OSError: the disk is full",
    ]


def test_no_task_is_traced_unless_asked_for(bench: Bench) -> None:
    bench.use(shop()).put("raw", "n bigint, name string", (1, "x"))
    bench.run()
    assert not any(isinstance(event, TaskTraced) for event in bench.heard)
    bench.set("run", "trace", value=True)
    bench.run(full_refresh=True)
    assert sum(isinstance(event, TaskTraced) for event in bench.heard) == 2


def test_a_trace_is_stored_with_the_outcome(told: Bench) -> None:
    result = told.run()
    rows = {row["key"]: row for row in told.state.outcomes(result.run_id)}
    assert rows["first"]["traced"]["lineage"]["columns"]["n"] == [["raw", "n", "identity"]]
    assert Path(told.run_dir(result) / "events.jsonl").read_text(encoding="utf-8").count("TaskTraced") == 2


def test_a_shared_memory_entity_is_an_input_of_its_readers(bench: Bench) -> None:
    app = shop()
    (big,) = (one for name, one in app.entities().items() if name == "big")
    app.sql("third", "SELECT max(twice) AS most FROM {big}", inputs={"big": big})
    bench.use(app, run__trace=True).put("raw", "n bigint, name string", (1, "x"))
    bench.run()
    traces = {event.key: event for event in bench.heard if isinstance(event, TaskTraced)}
    assert traces["big"].target == {
        "entity": "big",
        "address": {},
        "version": "",
        "schema": "`twice` bigint, `name` string",
    }
    assert traces["third"].lineage["columns"] == {"most": [["big", "twice", "aggregation"]]}
    assert [one["entity"] for one in traces["third"].inputs] == ["big"]
