"""What pipe code reaches through `k.F` and `k.Window`: sqlframe's functions, with Spark's names and texts."""

from __future__ import annotations

import inspect
from collections.abc import Callable
from types import ModuleType
from typing import cast

from sqlframe.base import functions
from sqlframe.base.window import Window
from sqlglot import exp

from kindling.hooks.platform import FrameApi
from kindling_plugin_duckdb.naming import spark_name
from kindling_plugin_duckdb.plans import Column, prepare_sqlframe, types
from kindling_plugin_duckdb.portability import unknown_function, unnamed_column
from kindling_plugin_duckdb.spark_text import parse_expression, spark_sql

_PLAIN = (exp.Column, exp.Star, exp.Aliases, exp.Ordered)


class Functions:
    """The functions of PySpark that sqlframe has, without the names that sqlframe makes up for results."""

    def __getattr__(self, name: str) -> Callable[..., Column]:
        """Return a function.

        Raises:
            RunError: KDL-PORT-020, sqlframe has no such function.
        """
        if name.startswith("__"):
            raise AttributeError(name)
        found = getattr(functions, name, None)
        if not callable(found) or isinstance(found, (type, ModuleType)) or name.startswith("_"):
            raise unknown_function(name, [item for item in dir(functions) if not item.startswith("_")])
        return cast("Callable[..., Column]", inspect.unwrap(found))

    def expr(self, text: str) -> Column:
        """Return a Spark SQL expression as a column; its functions keep their Spark names."""
        return Column(parse_expression(text))

    def timestamp_seconds(self, col: Column | str) -> Column:
        """Return the instant that many seconds after 1970 (sqlframe would drop fractions)."""
        return Column.invoke_anonymous_function(col, "timestamp_seconds")

    def broadcast(self, frame: object) -> object:
        """Return the frame: how a join is computed is DuckDB's affair."""
        return frame

    def udf(self, *_args: object, **_kwargs: object) -> Callable[..., Column]:
        """Refuse: there are no Python workers on DuckDB."""
        raise unknown_function("udf", (), "use functions of F, or run this pipe on a Spark platform")

    pandas_udf = udf


prepare_sqlframe()
FUNCTIONS = Functions()
FRAME_API = FrameApi(functions=FUNCTIONS, window=Window, types=types)


def named(column: object) -> object:
    """Return a column that has a name, as `select` and `agg` need one.

    Raises:
        RunError: KDL-PORT-022, it is computed and Spark's name of it is not known here.
    """
    if isinstance(column, str):
        return FUNCTIONS.col(column) if "." in column and not column.endswith("*") else column
    if not isinstance(column, Column):
        return column
    node = column.expression
    if isinstance(node, (exp.Alias, *_PLAIN)):
        return column
    text = spark_sql(cast("exp.Expression", node))
    name = spark_name(parse_expression(text))
    if not name:
        raise unnamed_column(text)
    made = column.alias(f"`{name}`")
    made.expression.meta["display_name"] = name
    return made
