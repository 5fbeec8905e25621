"""Reading and writing Spark SQL text as sqlglot trees in which every call keeps its Spark name.

sqlglot's own Spark reader turns calls into engine-neutral nodes and its DuckDB writer guesses from
them what was meant; the guesses are wrong in places (division, casts, day of week). Here a call stays
`Anonymous("dayofweek", ...)`, and `corrections` translates it by its Spark name.
"""

from __future__ import annotations

from typing import ClassVar, cast

import sqlglot
from sqlglot import exp
from sqlglot.dialects.spark import Spark
from sqlglot.errors import SqlglotError
from sqlglot.parsers.spark import SparkParser

from kindling_plugin_duckdb.portability import unreadable_sql

_SYNTAX = ("CAST", "TRY_CAST", "EXTRACT", "POSITION", "TRIM")


class _Parser(SparkParser):
    """Only calls with a syntax of their own are parsed specially."""

    FUNCTIONS: ClassVar = {}  # sqlglot's parsers are made of such tables
    FUNCTION_PARSERS: ClassVar = {key: SparkParser.FUNCTION_PARSERS[key] for key in _SYNTAX}
    NO_PAREN_FUNCTION_PARSERS: ClassVar = {
        key: SparkParser.NO_PAREN_FUNCTION_PARSERS[key] for key in ("CASE", "IF")
    }


class PlainSpark(Spark):
    """Spark SQL without function semantics."""

    Parser = _Parser


def parse_query(text: str) -> exp.Query:
    """Return the tree of one query.

    Raises:
        RunError: KDL-PORT-028, it cannot be parsed or is no single query.
    """
    tree = _parse(text)
    if not isinstance(tree, exp.Query):
        raise unreadable_sql(text, "it is not a SELECT")
    return tree


def parse_expression(text: str) -> exp.Expression:
    """Return the tree of one expression.

    Raises:
        RunError: KDL-PORT-028, it cannot be parsed or is no single expression.
    """
    tree = parse_query(f"SELECT {text}")
    if not isinstance(tree, exp.Select) or len(tree.expressions) != 1 or tree.args.get("from_"):
        raise unreadable_sql(text, "it is not one expression")
    found: exp.Expression = tree.expressions[0]
    return found.pop()


def spark_sql(tree: exp.Expression) -> str:
    """Return a tree's Spark SQL text."""
    return tree.sql(dialect=PlainSpark)


def _parse(text: str) -> exp.Expression:
    try:
        trees = sqlglot.parse(text, read=PlainSpark)
    except SqlglotError as error:
        first = str(error).splitlines()[0]
        raise unreadable_sql(text, first.replace("\x1b[4m", "").replace("\x1b[0m", "")) from error
    found = [tree for tree in trees if tree is not None]
    if len(found) != 1:
        raise unreadable_sql(text, f"it holds {len(found)} statements")
    return cast("exp.Expression", found[0])
