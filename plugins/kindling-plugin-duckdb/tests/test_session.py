"""A session's own promises beyond the contract: decimals, casts, Arrow, sharing, planning twice."""

from __future__ import annotations

from decimal import Decimal
from typing import TYPE_CHECKING, Any

import pyarrow as pa
import pytest

from kindling.errors import EngineLostError, RunError
from kindling.hooks.arrow import arrow_schema
from kindling.hooks.platform import SharedRef
from kindling.schemas import Schema, parse_schema

if TYPE_CHECKING:
    from kindling_plugin_duckdb.session import DuckDBSession

SETTLED = [
    "SELECT m FROM t",
    "SELECT cast(m * 2 AS decimal(20,2)) AS m FROM t",
    "SELECT max(m) AS m FROM t",
    "SELECT lag(m) OVER (ORDER BY i) AS m FROM t",
    "SELECT -m AS m FROM t",
    "SELECT 2.5 AS m",
    "WITH c AS (SELECT cast(i AS decimal(5,1)) AS x FROM t) SELECT x AS m FROM c",
    "SELECT x.m FROM (SELECT m FROM t) x",
    "SELECT m FROM t UNION ALL SELECT cast(1 AS decimal(10,2)) AS other",
    "SELECT * FROM t",
]
UNSETTLED = [
    "SELECT sum(m) AS m FROM t",
    "SELECT m * 2 AS m FROM t",
    "WITH c AS (SELECT m + m AS x FROM t) SELECT x AS m FROM c",
    "SELECT x.m FROM (SELECT m * m AS m FROM t) x",
    "SELECT m FROM t UNION ALL SELECT m + 1 AS other FROM t",
    "SELECT m FROM (SELECT * FROM (SELECT sum(m) AS m FROM t))",
]


@pytest.mark.parametrize("text", SETTLED)
def test_a_decimal_that_was_cast_or_stored_has_a_certain_type(
    session: DuckDBSession, table: Any, text: str
) -> None:
    frame = session.sql(text, {"t": table})
    field = session.schema(frame).field("m")
    assert field is not None
    assert field.type.startswith("decimal(")


@pytest.mark.parametrize("text", UNSETTLED)
def test_a_computed_decimal_must_be_cast(session: DuckDBSession, table: Any, text: str) -> None:
    frame = session.sql(text, {"t": table})
    with pytest.raises(RunError, match="KDL-PORT-025: the column 'm' is a computed decimal"):
        session.schema(frame)


def test_a_computed_decimal_is_found_through_frames_and_views(session: DuckDBSession, table: Any) -> None:
    F: Any = session.frames.functions  # noqa: N806  # PySpark's name
    summed = table.groupBy("s").agg(F.sum("m").alias("m"))
    derived = session.where(session.select(summed, [("m", "m"), ("s", "s")]), "s IS NOT NULL")
    for frame in (summed, derived, derived.select("m")):
        with pytest.raises(RunError) as caught:
            session.schema(frame)
        assert str(caught.value) == (
            "KDL-PORT-025: the column 'm' is a computed decimal(38,2)\n"
            "  why: Spark gives decimal arithmetic another precision than DuckDB does\n"
            "  do: say its type: cast it as the last step, like CAST(... AS DECIMAL(18,2)) AS m, "
            "or declare the entity's schema"
        )
    assert session.schema(session.cast(derived, parse_schema("m decimal(20,2)"))).ddl() == "`m` decimal(20,2)"


def test_casting_to_the_same_schema_returns_the_frame_itself(session: DuckDBSession, table: Any) -> None:
    assert session.cast(table, session.schema(table)) is table


def test_casting_a_huge_sum_makes_it_a_bigint(session: DuckDBSession, table: Any) -> None:
    frame = session.sql("SELECT sum(b) AS x, collect_list(i) AS l FROM t", {"t": table})
    assert session.schema(frame) == Schema.of(x="bigint", l="array<int>")
    cast = session.cast(frame, Schema.of(x="bigint", l="array<bigint>"))
    stream: Any = session.to_arrow(cast)
    assert stream.schema == arrow_schema(Schema.of(x="bigint", l="array<bigint>"))


def test_a_missing_column_is_named(session: DuckDBSession, others: Any) -> None:
    with pytest.raises(RunError) as caught:
        session.cast(others, Schema.of(id="int"))
    assert str(caught.value).splitlines() == [
        "KDL-INFRA-205: the frame has no column 'id'",
        "  why: its columns: i, name",
        "  do: select 'id', or remove it from the schema",
    ]


def test_a_sum_that_is_no_bigint_fails(session: DuckDBSession, make: Any) -> None:
    frame = session.sql("SELECT sum(n) AS x FROM t", {"t": make("n bigint", [(2**62,), (2**62,)])})
    with pytest.raises(Exception, match="out of range"):
        session.collect(frame)


def test_two_columns_of_one_name_are_refused(session: DuckDBSession, table: Any) -> None:
    with pytest.raises(RunError) as caught:
        session.sql("SELECT i, j AS I FROM t", {"t": table})
    assert str(caught.value).splitlines() == [
        "KDL-INFRA-206: the frame has two columns 'I'",
        "  why: after a join on a condition both sides keep their columns",
        "  do: join on the name, or keep one: left['I'] with an alias, or right.drop('I')",
    ]


def test_sql_results_are_frames_for_later_frame_code(session: DuckDBSession, table: Any) -> None:
    frame: Any = session.sql("SELECT s, sum(i) AS Total FROM t GROUP BY s", {"t": table})
    assert session.collect(frame.where("total > 5").select("Total")).rows == ((6,),)
    again = session.sql("SELECT Total FROM x WHERE s = 'Zed'", {"x": frame.where("Total > 0")})
    assert session.collect(again).rows == ((5,),)


def test_frames_over_views_stay_lazy(session: DuckDBSession, make: Any) -> None:
    bad = session.select(make("s string", [("x",)]), [("n", "cast(s AS int)")])
    assert session.schema(bad) == Schema.of(n="int")
    with pytest.raises(Exception, match="CAST_INVALID_INPUT"):
        session.preview(bad, 1)


def test_arrow_comes_out_as_a_stream_of_exactly_the_neutral_types(session: DuckDBSession, table: Any) -> None:
    F: Any = session.frames.functions  # noqa: N806  # PySpark's name
    frame = table.withColumn("t", F.sum("i").over(session.frames.window.partitionBy("s")))  # type: ignore[union-attr]
    stream = session.to_arrow(frame)
    assert isinstance(stream, pa.RecordBatchReader)
    assert stream.schema == arrow_schema(session.schema(frame))
    assert stream.schema.field("t").type == pa.int64()
    assert stream.schema.field("ts").type == pa.timestamp("us", "UTC")
    assert stream.read_all().num_rows == 3


def test_arrow_of_other_layouts_gets_the_declared_types(session: DuckDBSession) -> None:
    given = pa.table(
        {
            "D": pa.array(["a", "b", "a"]).dictionary_encode(),
            "U": pa.array([1, 2, 3], pa.uint32()),
            "L": pa.array(["x", None, "y"], pa.large_string()),
            "V": pa.array(["x", None, "y"], pa.string_view()),
            "N": pa.array([1, 2, 3], pa.timestamp("ns")),
        }
    )
    schema = Schema.of(D="string", U="bigint", L="string", V="string", N="timestamp_ntz")
    frame = session.from_arrow(given, schema)
    assert session.schema(frame) == schema
    assert [row[:4] for row in session.collect(frame).rows] == [
        ("a", 1, "x", "x"),
        ("b", 2, None, None),
        ("a", 3, "y", "y"),
    ]


def test_a_one_way_stream_may_be_used_more_than_once(session: DuckDBSession) -> None:
    given = pa.table({"n": [1, 2, 3]})
    frame = session.from_arrow(given.to_reader(), Schema.of(n="bigint"))
    assert [session.count(frame), session.count(frame)] == [3, 3]


def test_empty_arrow_keeps_its_schema(session: DuckDBSession, make: Any) -> None:
    frame = make("n int, s string", [])
    assert session.schema(frame) == Schema.of(n="int", s="string")
    stream: Any = session.to_arrow(frame)
    assert stream.read_all().num_rows == 0


def test_a_frame_of_a_closed_engine_is_gone(session: DuckDBSession) -> None:
    with pytest.raises(EngineLostError) as caught:
        session.attach(SharedRef("another", "x"))
    assert str(caught.value).splitlines() == [
        "KDL-INFRA-202: the shared frame 'x' is gone",
        "  why: the duckdb instance that held it was closed",
        "  do: run again: its producer is computed once more",
    ]


def test_markers_may_hold_any_text(session: DuckDBSession, table: Any) -> None:
    guarded = session.fail_when(table, {"it's \\ 100%": "i = 5"})
    with pytest.raises(Exception, match=r"it's .* 100%"):
        session.collect(guarded)
    assert session.count(session.fail_when(table, {})) == 3


def test_nothing_of_the_kernels_keys_is_needed_for_binary_text(session: DuckDBSession, make: Any) -> None:
    """The keyed hash of the masking plans: the same Spark text on every engine."""
    import hashlib
    import hmac

    key = b"secret".ljust(64, b"\0")
    pads = (bytes(b ^ 0x36 for b in key), bytes(b ^ 0x5C for b in key))
    frame = make("c string, ip binary, op binary", [("größe", *pads)])
    made = session.select(
        frame,
        [("h", "sha2(concat(op, unhex(sha2(concat(ip, encode(c,'utf-8')),256))),256)")],
    )
    expected = hmac.new(b"secret", "größe".encode(), hashlib.sha256).hexdigest()
    assert session.collect(made).rows == ((expected,),)


def test_aggregates_come_with_python_values(session: DuckDBSession, table: Any) -> None:
    found = session.aggregate(table, [("s", "sum(m)"), ("c", "count_if(i > 3)"), ("x", "1")])
    assert found == {"s": Decimal("19.35"), "c": 1, "x": 1}
