"""What frames, expressions and SQL send to the engine means there what it means on Spark."""

from __future__ import annotations

from typing import Any

import pyarrow as pa
import pytest
from kindling_plugin_sail.session import SailSession

from kindling.errors import RunError
from kindling.schemas import parse_schema

SCHEMA = parse_schema("d double, t date, s string, a array<int>")


@pytest.fixture
def table(session: SailSession) -> Any:
    from datetime import date

    rows = pa.table(
        {
            "d": pa.array([2.5, None], pa.float64()),
            "t": pa.array([date(2023, 1, 1), None], pa.date32()),
            "s": pa.array(["abc", None], pa.string()),
            "a": pa.array([[1, None], None], pa.list_(pa.int32())),
        }
    )
    return session.from_arrow(rows, SCHEMA)


def test_calls_of_frames_are_replaced_and_keep_their_names(session: SailSession, table: Any) -> None:
    f: Any = session.frames.functions
    made = table.select(
        f.isnan("d"), f.weekday("t").alias("w"), f.rint("d").alias("r"), f.left("s", f.lit(-1))
    )
    assert [field.name for field in session.schema(made).fields] == ["isnan(d)", "w", "r", "left(s, -1)"]
    assert session.preview(made, 2).rows == ((False, 6, 2.0, ""), (False, None, None, None))


def test_calls_inside_of_calls_filters_and_groups_are_replaced(session: SailSession, table: Any) -> None:
    f: Any = session.frames.functions
    made = table.where(~f.isnan("d")).groupBy(f.weekday("t").alias("w")).agg(f.sum(f.rint("d")).alias("r"))
    assert sorted(session.preview(made, 9).rows, key=str) == [(6, 2.0), (None, None)]


def test_expression_texts_and_queries_are_replaced(session: SailSession, table: Any) -> None:
    selected = session.select(table, [("c", "array_contains(a, 2)"), ("q", "'it''s'")])
    assert session.preview(selected, 2).rows == ((None, "it's"), (None, "it's"))
    found = session.sql("SELECT datediff(t, t) AS n FROM x", {"x": table})
    assert [field.type for field in session.schema(found).fields] == ["int"]


def test_what_sail_computes_otherwise_is_refused_wherever_it_stands(session: SailSession, table: Any) -> None:
    f: Any = session.frames.functions
    told = "KDL-PORT-034: this call of 'percentile_approx' is not portable to sail"
    with pytest.raises(RunError, match=told):
        session.schema(table.agg(f.percentile_approx("d", 0.5).alias("p")))
    with pytest.raises(RunError, match=told):
        session.schema(session.sql("SELECT percentile_approx(d, 0.5) AS p FROM x", {"x": table}))
    with pytest.raises(RunError, match="'split' is not portable"):
        table.select(f.split("s", "").alias("p")).collect()


def test_a_set_over_a_window_is_empty_where_no_value_is_left(session: SailSession, table: Any) -> None:
    f: Any = session.frames.functions
    w: Any = session.frames.window
    frame = table.where("s IS NULL").select(f.collect_set("s").over(w.partitionBy("t")).alias("c"))
    assert session.preview(frame, 9).rows == (([],),)
    made = session.sql(
        "SELECT collect_set(s) OVER (PARTITION BY t) AS c FROM x WHERE s IS NULL", {"x": table}
    )
    assert session.preview(made, 9).rows == (([],),)


def test_arithmetic_of_numbers_in_texts_is_refused_where_sail_wraps(session: SailSession, table: Any) -> None:
    told = "KDL-PORT-035: 2147483647 [+] 1 is not portable to sail"
    with pytest.raises(RunError, match=told):
        session.schema(session.sql("SELECT 2147483647 + 1 AS n FROM x", {"x": table}))
    with pytest.raises(RunError, match=told):
        session.schema(session.select(table, [("n", "2147483647 + 1")]))
    assert session.preview(session.select(table, [("n", "2147483646 + 1")]), 1).rows == ((2147483647,),)
