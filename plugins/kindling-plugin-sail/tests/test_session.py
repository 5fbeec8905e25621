from __future__ import annotations

import datetime as dt
from decimal import Decimal
from pathlib import Path

import pyarrow as pa
import pytest
from deltalake import DeltaTable
from kindling_plugin_sail.platform import FEATURES, SailPlatform
from kindling_plugin_sail.session import INLINE_BYTES, SailSession

from kindling.errors import RunError, StoreError
from kindling.hooks.arrow import arrow_schema
from kindling.hooks.platform import (
    ArrowIn,
    ArrowOut,
    PathRead,
    Paths,
    PathWrite,
    Rows,
    Session,
    SessionSpec,
    Shares,
    Sql,
)
from kindling.schemas import Schema

ALL = Schema.of(
    i8="tinyint",
    i16="smallint",
    i32="int",
    i64="bigint",
    f32="float",
    f64="double",
    yes="boolean",
    text="string",
    raw="binary",
    day="date",
    instant="timestamp",
    clock="timestamp_ntz",
    money="decimal(10,2)",
    items="array<bigint>",
    counts="map<string,bigint>",
    nested="struct<a:bigint,b:array<struct<c:string>>>",
)
NOON = dt.datetime(2013, 1, 1, 12, 0, 0, 123456)  # noqa: DTZ001  # a wall clock
VALUES: dict[str, object] = {
    "i8": -128,
    "i16": -32768,
    "i32": 2**31 - 1,
    "i64": -(2**63),
    "f32": 1.5,
    "f64": -2.25,
    "yes": True,
    "text": "Zoë 航班",
    "raw": b"\x00\xff",
    "day": dt.date(1969, 12, 31),
    "instant": NOON.replace(tzinfo=dt.timezone.utc),
    "clock": NOON,
    "money": Decimal("-12345678.90"),
    "items": [1, None],
    "counts": [("a", 1), ("b", None)],
    "nested": {"a": 1, "b": [{"c": "x"}]},
}


def every_type(rows: int = 1) -> pa.Table:
    lines = [VALUES, dict.fromkeys(ALL.names)] * rows
    return pa.Table.from_pylist(lines, schema=arrow_schema(ALL))


def flights(session: SailSession, rows: int = 10) -> object:
    return session.spark.range(rows).selectExpr("id", "id * 2 AS delay")


def test_it_is_what_its_features_promise(session: SailSession) -> None:
    for protocol in (Session, ArrowIn, ArrowOut, Paths, Sql, Shares):
        assert isinstance(session, protocol)
    assert session.platform == "sail"
    assert session.features == FEATURES
    assert session.is_frame(flights(session))
    assert not session.is_frame("id")


def test_types_are_those_of_spark(session: SailSession) -> None:
    frame = session.sql(
        "SELECT count(*) AS n, sum(CAST(id AS INT)) AS s, avg(id) AS a, max(upper('x')) AS u FROM flights",
        {"flights": flights(session)},
    )
    assert [(field.name, field.type) for field in session.schema(frame).fields] == [
        ("n", "bigint"),
        ("s", "bigint"),
        ("a", "double"),
        ("u", "string"),
    ]
    ranked = session.select(flights(session), [("r", "row_number() OVER (ORDER BY id)")])
    assert session.schema(ranked).fields[0].type == "int"


def test_the_pipe_api_is_that_of_the_engine(session: SailSession) -> None:
    functions, window, types = session.frames.functions, session.frames.window, session.frames.types
    rank = functions.row_number().over(window.partitionBy("g").orderBy("id"))  # type: ignore[union-attr]
    frame = flights(session).withColumn("g", functions.col("id") % 2).withColumn("r", rank)  # type: ignore[attr-defined,union-attr]
    assert frame.schema["r"].dataType == types.IntegerType()  # type: ignore[union-attr]


def test_select_where_aggregate_and_preview_take_spark_sql(session: SailSession) -> None:
    frame = session.where(flights(session), "delay > 10")
    frame = session.select(frame, [("flight number", "id + 1"), ("late", "delay > 15")])
    assert session.preview(frame, 2) == Rows(("flight number", "late"), ((7, False), (8, False)))
    assert session.aggregate(frame, [("n", "count(*)"), ("all late", "every(late)")]) == {
        "n": 4,
        "all late": False,
    }
    assert session.preview(session.where(frame, "false"), 5) == Rows(("flight number", "late"), ())


def test_two_queries_may_use_one_name_for_different_frames(session: SailSession) -> None:
    few = session.sql("SELECT count(*) AS n FROM flights", {"flights": flights(session, 3)})
    many = session.sql("SELECT count(*) AS n FROM flights", {"flights": flights(session, 5)})
    both = session.sql("SELECT a.n AS a, b.n AS b FROM few a CROSS JOIN many b", {"few": few, "many": many})
    assert session.preview(both, 1).rows == ((3, 5),)


def test_a_wrong_query_is_told_in_one_line(platform: SailPlatform, session: SailSession) -> None:
    with pytest.raises(Exception, match="airlines") as caught:
        session.schema(session.sql("SELECT * FROM airlines", {}))
    message = platform.explain(caught.value)
    assert "airlines" in message
    assert "\n" not in message


def test_a_cast_gives_names_order_and_types_of_the_schema(session: SailSession) -> None:
    wanted = Schema.of(DELAY="decimal(10,2)", id="string")
    frame = session.cast(flights(session), wanted)
    before = session.wire.requests.copy()
    assert session.schema(frame).names == ("DELAY", "id")
    assert session.wire.requests == before, "the schema of a cast is known"
    assert session.preview(frame, 2).rows == ((Decimal("0.00"), "0"), (Decimal("2.00"), "1"))


@pytest.mark.parametrize(
    ("expression", "kind"),
    [
        ("id + 3000000000", "int"),
        ("'x'", "bigint"),
        ("'2.7'", "int"),
        ("double('NaN')", "int"),
        ("id + 300", "tinyint"),
        ("id + 123456", "decimal(5,2)"),
        ("'maybe'", "boolean"),
        ("'2013-13-01'", "date"),
        ("'noon'", "timestamp"),
    ],
)
def test_a_value_that_does_not_fit_fails_and_is_never_null(
    session: SailSession, expression: str, kind: str
) -> None:
    frame = session.select(session.spark.range(1), [("a", expression)])
    with pytest.raises(Exception, match=r".+"):
        session.preview(session.cast(frame, Schema.of(a=kind)), 1)


def test_a_column_of_nulls_counts_as_text_and_is_cast_to_it(session: SailSession) -> None:
    frame = session.select(session.spark.range(1), [("a", "NULL")])
    assert session.schema(frame) == Schema.of(a="string")
    exact = session.cast(frame, Schema.of(a="string"))
    assert exact is not frame
    assert session.to_arrow(exact).schema.field("a").type == pa.string()  # type: ignore[attr-defined]


@pytest.mark.parametrize("rows", [0, 1, 3000])
def test_all_neutral_types_survive_the_way_in_and_out(session: SailSession, rows: int) -> None:
    table = every_type(rows)
    assert (table.nbytes > INLINE_BYTES) == (rows > 1), "both ways in are taken"
    frame = session.from_arrow(table, ALL)
    assert session.schema(frame) == ALL
    before = session.wire.requests.copy()
    assert session.to_arrow(frame).equals(table)  # type: ignore[attr-defined]
    assert session.wire.requests - before == {"ExecutePlan": 1}
    assert session.preview(frame, 1).rows[:1] == rows_expected(rows)


def rows_expected(rows: int) -> tuple[tuple[object, ...], ...]:
    return (tuple({**VALUES, "counts": {"a": 1, "b": None}}.values()),) if rows else ()


@pytest.mark.parametrize("form", ["parquet", "delta"])
def test_all_neutral_types_survive_files(session: SailSession, table: str, form: str) -> None:
    frame = session.from_arrow(every_type(), ALL)
    session.save(frame, PathWrite(form, table, "overwrite"))
    loaded = session.load(PathRead(form, (table,)))
    assert session.schema(loaded) == ALL
    assert session.to_arrow(loaded).equals(every_type())  # type: ignore[attr-defined]


def test_a_delta_write_is_one_request_with_its_metadata(session: SailSession, table: str) -> None:
    before = session.wire.requests.copy()
    session.save(flights(session), PathWrite("delta", table, "error", ("delay",), '{"kindling":1}'))
    assert session.wire.requests - before == {"ExecutePlan": 1}
    assert DeltaTable(table).history(1)[0]["userMetadata"] == '{"kindling":1}'
    assert DeltaTable(table).metadata().partition_columns == ["delay"]


def test_delta_keeps_its_versions_and_replaces_a_schema_only_when_asked(
    session: SailSession, table: str
) -> None:
    session.save(flights(session, 3), PathWrite("delta", table, "overwrite"))
    other = session.select(flights(session, 5), [("carrier", "'UA'")])
    session.save(other, PathWrite("delta", table, "overwrite", overwrite_schema=True))
    assert session.schema(session.load(PathRead("delta", (table,)))).names == ("carrier",)
    old = session.load(PathRead("delta", (table,), version=0))
    assert session.aggregate(old, [("n", "count(*)")]) == {"n": 3}
    with pytest.raises(Exception, match="already exists"):
        session.save(other, PathWrite("delta", table, "error"))


def test_parquet_is_read_from_several_places_with_the_expected_columns(
    session: SailSession, tmp_path: Path
) -> None:
    for name in ("a", "b"):
        session.save(flights(session, 2), PathWrite("parquet", str(tmp_path / name), "overwrite"))
    uris = (str(tmp_path / "a"), str(tmp_path / "b"))
    frame = session.load(PathRead("parquet", uris, schema=Schema.of(id="bigint", gate="string")))
    assert session.schema(frame).names == ("id", "gate")
    assert session.aggregate(frame, [("n", "count(*)"), ("g", "count(gate)")]) == {"n": 4, "g": 0}


def test_a_missing_path_is_an_error_and_not_an_empty_frame(session: SailSession) -> None:
    with pytest.raises(StoreError) as caught:
        session.load(PathRead("parquet", ("/no/such/folder",)))
    assert str(caught.value) == "KDL-STORE-001: there is nothing at '/no/such/folder'"


def test_a_rule_aborts_the_write_and_leaves_the_table_as_it_was(
    platform: SailPlatform, session: SailSession, table: str
) -> None:
    session.save(flights(session, 3), PathWrite("delta", table, "overwrite"))
    rules = {"no long delay's allowed\\": "delay > 100", "plausible": "delay > 15"}
    guarded = session.fail_when(flights(session), rules)
    with pytest.raises(Exception, match="plausible") as caught:
        session.save(guarded, PathWrite("delta", table, "overwrite"))
    assert platform.explain(caught.value) == "plausible"
    assert DeltaTable(table).version() == 0
    assert session.aggregate(session.load(PathRead("delta", (table,))), [("n", "count(*)")]) == {"n": 3}
    guarded = session.fail_when(flights(session, 99), rules)
    with pytest.raises(Exception, match="no long delay's allowed") as caught:
        session.preview(session.where(guarded, "id > 60"), 99)
    assert platform.explain(caught.value) == "no long delay's allowed\\"


@pytest.mark.parametrize("source", ["range", "parquet", "delta"])
def test_a_rule_sees_only_the_rows_that_the_pipe_kept(session: SailSession, table: str, source: str) -> None:
    frame = flights(session)
    if source != "range":
        session.save(frame, PathWrite(source, table, "overwrite"))
        frame = session.load(PathRead(source, (table,)))
    rules = {"late": "delay > 10", "unknown": "CAST(NULL AS BOOLEAN)"}
    kept = session.where(frame, "id < 5")
    joined = kept.join(session.spark.range(5), "id")  # type: ignore[attr-defined]
    grouped = session.where(kept.groupBy("delay").count(), "delay < 9")  # type: ignore[attr-defined]
    for fitting in (kept, joined, grouped):
        guarded = session.fail_when(fitting, rules)
        assert session.preview(guarded, 20).columns == session.schema(fitting).names
        session.save(guarded, PathWrite("delta", f"{table}-out", "overwrite", overwrite_schema=True))
    with pytest.raises(Exception, match="late"):
        session.preview(session.fail_when(session.where(frame, "id < 8"), rules), 20)


def test_statements_are_one_request_each(session: SailSession, table: str) -> None:
    session.save(flights(session, 3), PathWrite("delta", table, "overwrite"))
    before = session.wire.requests.copy()
    session.execute(f"UPDATE delta.`{table}` SET delay = 9 WHERE id = 1")
    assert session.wire.requests - before == {"ExecutePlan": 1}
    rows = session.execute(f"SELECT delay FROM delta.`{table}` ORDER BY id")
    assert rows == Rows(("delay",), ((0,), (9,), (4,)))


def test_temporary_views_are_invisible_to_other_sessions(
    platform: SailPlatform, session: SailSession
) -> None:
    session.spark.range(1).createOrReplaceTempView("secret_view")
    other = platform.open_session(SessionSpec("other"))
    with pytest.raises(Exception, match="secret_view"):
        other.preview(other.sql("SELECT * FROM secret_view", {}), 1)
    other.close()


def test_a_shared_frame_is_computed_once(platform: SailPlatform, session: SailSession) -> None:
    ref = session.share(session.sql("SELECT uuid() AS u, NULL AS nothing", {}), "silver.orders")
    other = platform.open_session(SessionSpec("reader"))
    first, again = (other.preview(other.attach(ref), 1), other.preview(other.attach(ref), 1))
    assert first == again == session.preview(session.attach(ref), 1)
    assert first.columns == ("u", "nothing")
    other.close()


def test_a_pipe_costs_two_requests_beside_its_execution(platform: SailPlatform, table: str) -> None:
    session = platform.open_session(SessionSpec("counted"))
    assert isinstance(session, SailSession)
    frame = session.load(PathRead("delta", (table,))) if Path(table).exists() else flights(session)
    made = session.sql("SELECT id, delay > 15 AS late FROM flights", {"flights": frame})
    schema = session.schema(made)
    session.save(session.cast(made, schema), PathWrite("delta", table, "overwrite"))
    session.close()
    others = {name: count for name, count in session.wire.requests.items() if name != "ExecutePlan"}
    assert session.wire.requests["ExecutePlan"] == 1
    assert sum(others.values()) <= 2, others


def test_closing_twice_does_nothing(platform: SailPlatform) -> None:
    session = platform.open_session(SessionSpec("twice"))
    session.close()
    session.close()
    assert isinstance(session, SailSession)
    assert session.wire.requests["ReleaseSession"] == 0
    session = platform.open_session(SessionSpec("dirty"))
    assert isinstance(session, SailSession)
    session.spark.range(1).createOrReplaceTempView("left")
    session.close()
    session.close()
    assert session.wire.requests["ReleaseSession"] == 1


def test_a_column_that_is_missing_is_told_before_the_engine_is_asked(session: SailSession) -> None:
    with pytest.raises(RunError, match="KDL-PORT-030"):
        session.cast(flights(session), Schema.of(gate="string"))
