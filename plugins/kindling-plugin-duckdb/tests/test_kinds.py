"""A type that is known without asking is the one that DuckDB finds."""

from __future__ import annotations

import json
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest
from kindling_plugin_duckdb.corrections import _Correction
from kindling_plugin_duckdb.kinds import kind_of
from kindling_plugin_duckdb.spark_text import parse_expression, parse_query
from sqlglot import exp

if TYPE_CHECKING:
    from kindling_plugin_duckdb.session import DuckDBSession

CASES = [
    case[0]
    for case in json.loads((Path(__file__).parent / "spark_expressions.json").read_text(encoding="utf-8"))
]
MORE = [
    "i + b", "i - 1", "d * i", "-d", "f + i", "b - i * 2", "f * f", "tn + interval 1 day",
    "dt + interval 1 day",
    "ts - interval 1 hour", "case when bo then i else j end", "case when bo then dt else ts end",
    "coalesce(s, sn)", "coalesce(i, b)", "greatest(dt, cast(ts as date))", "substring(s, 2)", "left(s, 1)",
    "to_date(date_trunc('day', ts))", "from_utc_timestamp(ts, 'UTC')", "s || sn || 'x'", "exp(f)", "sin(i)",
    "max(dt)", "avg(i)", "count(*)", "min(s)", "first(ts)", "round(i, 1)", "i % 3", "cast(round(d) as int)",
    "lag(i) over (order by j)", "cast(bo as int)", "(i - j) - d", "upper(substring(s, -2))",
]  # fmt: skip


def known_parts(tree: exp.Expression) -> list[tuple[str, str]]:
    """Return the text and type of each part whose type is known, outside of lambdas."""
    found = []
    for node in tree.walk(prune=lambda item: isinstance(item, exp.Lambda)):
        bare = isinstance(node.parent, (exp.Window, exp.Filter, exp.IgnoreNulls)) and node.arg_key == "this"
        kind = None if isinstance(node, exp.Lambda) or bare else kind_of(node)
        if kind is not None:
            found.append((node.sql(dialect="duckdb"), kind))
    return found


@pytest.mark.parametrize("text", [*CASES, *MORE])
def test_a_known_type_is_the_one_that_duckdb_finds(session: DuckDBSession, table: Any, text: str) -> None:
    relation = session._views.relation(table)
    query = parse_query(f"SELECT {text} AS c FROM {relation}")
    made = _Correction({relation: relation}, session._views._columns.get).fix(query)
    for part, kind in known_parts(made.selects[0].this):
        columns = session._views.describe_query(f"SELECT {part} AS c FROM {relation}")
        assert columns == [("c", kind)], part


def test_most_types_of_the_portable_subset_are_known(session: DuckDBSession, table: Any) -> None:
    relation = session._views.relation(table)
    known = 0
    for text in CASES:
        query = parse_query(f"SELECT {text} AS c FROM {relation}")
        made = _Correction({relation: relation}, session._views._columns.get).fix(query)
        known += kind_of(made.selects[0].this) is not None
    assert known > len(CASES) // 2


def test_a_type_that_is_not_known_is_none() -> None:
    made = _Correction({}).fix(parse_expression("coalesce(x, y)"))
    assert kind_of(made) is None
