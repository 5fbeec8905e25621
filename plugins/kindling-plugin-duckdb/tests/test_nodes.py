"""Nested calls stay linear: in the text that DuckDB binds once its macros are written out, and in time."""

from __future__ import annotations

import re
from itertools import pairwise
from time import perf_counter
from typing import TYPE_CHECKING, Any, cast

import duckdb
import pytest
import sqlglot
from kindling_plugin_duckdb.corrections import _Correction
from kindling_plugin_duckdb.frame_api import FUNCTIONS as F
from kindling_plugin_duckdb.macros import MACROS, statements
from kindling_plugin_duckdb.nodes import bound, call
from kindling_plugin_duckdb.nodes import generic as macro
from kindling_plugin_duckdb.spark_text import parse_expression
from sqlglot import exp

if TYPE_CHECKING:
    from kindling_plugin_duckdb.session import DuckDBSession

# (column, calls that are put around it in turn)
LADDERS = {
    "instants": ("ts", "to_timestamp({})", "date_trunc('day', {})"),
    "dates": ("ts", "to_date({})", "to_timestamp({})", "date_add({}, 1)", "add_months({}, 1)"),
    "parsed dates": ("dt", "date_format({}, 'yyyy-MM-dd')", "to_date({})"),
    "seconds": ("ts", "unix_timestamp({})", "timestamp_seconds({})"),
    "texts": ("s", "substring({}, -4)", "upper({})", "substring_index({}, '.', 1)", "initcap({})"),
    "casts": ("sn", "CAST({} AS STRING)", "CAST({} AS INT)"),
    "tried casts": ("sn", "try_cast({} AS INT)", "CAST({} AS STRING)"),
    "instants as text": ("ts", "CAST({} AS STRING)", "CAST({} AS TIMESTAMP)"),
    "whole numbers": ("i", "pmod({}, 50)"),
    "fractions": ("d", "(100 / ({} + 7))"),
    "fractions in quotes": ("sn", "if({} > '1.5', arr, array(9))[0]", "CAST({} AS STRING)"),
    "rounded": ("d", "round({}, 2)"),
    "numbers": ("i", "CAST({} AS INT)", "CAST({} AS DOUBLE)", "round({}, 1)", "({} % 97)"),
    "joined": ("s", "concat({}, 'x')"),
    "joined by ||": ("s", "({} || 'x')"),
    "lists": ("arr", "array_distinct({})", "array_remove({}, 9)", "slice({}, -2, 2)"),
}
DEPTH = 5


def nested(name: str, depth: int) -> str:
    column, *calls = LADDERS[name]
    for step in range(depth):
        column = calls[step % len(calls)].format(column)
    return column


def expanded(node: exp.Expression) -> exp.Expression:
    """Write macros out, as DuckDB does before it binds."""
    for child in list(node.iter_expressions()):
        child.replace(expanded(child))
    name = node.name.lower() if isinstance(node, exp.Anonymous) else ""
    if not name.startswith("kdl_"):
        return node
    head, body = MACROS[name.removeprefix("kdl_")].split(" AS ", 1)
    values = dict(zip(re.findall(r"\w+", head), node.expressions, strict=True))
    tree = cast("exp.Expression", sqlglot.parse_one(f"SELECT {body} AS c", read="duckdb").selects[0].this)
    made = exp.Paren(this=tree)
    for column in list(made.find_all(exp.Column)):
        if column.name in values and not column.table:
            column.replace(values[column.name].copy())
    return expanded(made)


@pytest.mark.parametrize("name", LADDERS)
def test_the_text_that_duckdb_binds_grows_linearly_with_the_depth(name: str) -> None:
    sizes = []
    for depth in range(1, DEPTH + 4):
        made = exp.Paren(this=_Correction({}).fix(parse_expression(nested(name, depth))))
        sizes.append(sum(1 for _ in expanded(made).walk()))
    period = len(LADDERS[name]) - 1
    steps = [after - before for before, after in pairwise(sizes)]
    # The first level stands in place; from then on a level costs what the same call cost before.
    assert max(steps[DEPTH - 1 :]) <= 4 * max(sizes[0], *steps[: max(period, 2)])
    assert sizes[-1] < 5_000


@pytest.mark.parametrize("name", LADDERS)
def test_a_deep_expression_is_bound_and_computed_in_less_than_a_second(
    session: DuckDBSession, table: Any, name: str
) -> None:
    started = perf_counter()
    frame = session.sql(f"SELECT {nested(name, DEPTH)} AS c FROM t", {"t": table})
    session.schema(frame)
    assert len(session.collect(frame).rows) == len(session.collect(table).rows)
    assert perf_counter() - started < 1.0


def test_a_computed_group_key_is_bound_once(session: DuckDBSession, table: Any) -> None:
    key = F.to_timestamp(F.date_trunc("DAY", "ts")).alias("ts")
    frame = table.groupBy(key).agg(F.sum("i").alias("i"), F.count("*").alias("n"))
    started = perf_counter()
    assert [str(field) for field in session.schema(frame).fields] != []
    assert sorted(row[1:] for row in session.collect(frame).rows) == [(3, 1), (3, 1), (5, 1)]
    assert perf_counter() - started < 1.0
    assert re.search(r"GROUP BY 1\b", session._views.compiled(frame))


MEANINGS = [
    (
        ("SELECT pmod(pmod(i, 4), 3) AS k, count(*) AS n FROM t GROUP BY pmod(pmod(i, 4), 3) ORDER BY k"),
        [(0, 2), (1, 1)],
    ),
    (
        (
            "SELECT CAST(CAST(CAST(i AS STRING) AS INT) AS STRING) AS k, sum(j) AS n FROM t GROUP BY"
            " CAST(CAST(i AS STRING) AS INT) HAVING CAST(CAST(i AS STRING) AS INT) > 3"
        ),
        [("5", 2)],
    ),
    (
        (
            "SELECT pmod(i, 4) + 1 AS k, round(round(sum(d) / count(*), 2) / pmod(i, 4), 1) AS r"
            " FROM t GROUP BY pmod(i, 4) ORDER BY k"
        ),
        [(2, -1.3), (4, 0.9)],
    ),
    (
        (
            "SELECT CAST(CAST(CAST(sum(j) OVER (PARTITION BY s) AS STRING) AS INT) AS STRING) AS c"
            " FROM t ORDER BY c"
        ),
        [("16",), ("16",), ("2",)],
    ),
    (
        (
            "SELECT CAST(CAST(CAST((SELECT max(j) FROM t u WHERE u.i = t.i) AS STRING) AS INT) AS"
            " STRING) AS c FROM t ORDER BY c"
        ),
        [("2",), ("9",), ("9",)],
    ),
    (
        (
            "SELECT transform(arr, x -> CAST(CAST(CAST(x + i AS STRING) AS INT) AS STRING)) AS c"
            " FROM t ORDER BY j"
        ),
        [(["9", "6"],), (["4", "5", "6"],), (["10"],)],
    ),
    ("SELECT pmod(pmod(i, j) + 1, pmod(pmod(j, i), 2) + 1) AS c FROM t ORDER BY j", [(0,), (0,), (0,)]),
]


@pytest.mark.parametrize(("query", "rows"), MEANINGS)
def test_nested_calls_keep_their_meaning_in_groups_windows_subqueries_and_lambdas(
    session: DuckDBSession, table: Any, query: str, rows: list[tuple[object, ...]]
) -> None:
    assert list(session.collect(session.sql(query, {"t": table})).rows) == rows


@pytest.mark.parametrize(
    "kind", ["DOUBLE", "DECIMAL(10,2)", "VARCHAR", "DATE", "TIMESTAMP WITH TIME ZONE", "INTEGER[]"]
)
def test_typeof_and_branches_work_inside_of_a_lambda(kind: str) -> None:
    con = duckdb.connect()
    made: set[str] = set()
    for statement in statements({"size", "to_string"}, made):
        con.execute(statement)
    query = (
        f"SELECT list_extract(list_transform(list_value(x), lambda kdl_v: CASE WHEN typeof(kdl_v) <> '{kind}'"
        f" THEN error('never') ELSE typeof(kdl_v) END), 1) FROM (SELECT CAST(NULL AS {kind}) AS x)"
    )
    assert con.sql(query).fetchall() == [(kind,)]


def test_only_long_arguments_are_put_into_a_lambda() -> None:
    short = macro("pmod", exp.column("a"), exp.Literal.number(3))
    assert short.sql(dialect="duckdb") == "KDL_PMOD(a, 3)"
    twice = macro("pmod", short, exp.Literal.number(5))
    nest = macro("pmod", macro("pmod", twice, exp.Literal.number(7)), twice.copy()).sql(dialect="duckdb")
    assert "LAMBDA kdl_v : KDL_PMOD(kdl_v, 7)" in nest
    assert "STRUCT_EXTRACT(kdl_v, 'p1')" in nest


def test_an_expression_that_names_its_argument_once_needs_no_lambda() -> None:
    long = call("f", *(exp.column("a") for _ in range(200)))
    made = bound([long], 1, lambda values: call("g", *values))
    assert "LAMBDA" not in made.sql(dialect="duckdb").upper()
