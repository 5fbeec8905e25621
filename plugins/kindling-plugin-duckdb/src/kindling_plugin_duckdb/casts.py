"""Spark's casts in DuckDB: ANSI rules, by target type. Trees in, trees out."""

from __future__ import annotations

from sqlglot import exp

from kindling_plugin_duckdb.nodes import call, plain
from kindling_plugin_duckdb.portability import wrong_arguments
from kindling_plugin_duckdb.typed import macro

_T = exp.DataType.Type
_MACROS = {
    _T.TINYINT: "to_tinyint",
    _T.SMALLINT: "to_smallint",
    _T.INT: "to_int",
    _T.BIGINT: "to_bigint",
    _T.FLOAT: "to_float",
    _T.DOUBLE: "to_double",
    _T.BOOLEAN: "to_boolean",
    _T.TEXT: "to_string",
    _T.VARCHAR: "to_string",
    _T.DATE: "to_date",
    _T.TIMESTAMPTZ: "to_timestamp",
    _T.TIMESTAMPLTZ: "to_timestamp",
    _T.TIMESTAMP: "to_timestamp",
    _T.TIMESTAMPNTZ: "to_timestamp_ntz",
    _T.BINARY: "to_binary",
    _T.VARBINARY: "to_binary",
}
_NUMBERS = frozenset({_T.TINYINT, _T.SMALLINT, _T.INT, _T.BIGINT, _T.FLOAT, _T.DOUBLE})
_NO_TRY = frozenset({"to_string", "to_binary"})


def cast(value: exp.Expression, target: exp.DataType, *, safe: bool) -> exp.Expression:
    """Return a value cast to a type of Spark's, by Spark's ANSI rules.

    Args:
        value: A translated expression.
        target: The type as it stands in Spark SQL.
        safe: Null instead of an error (`try_cast`).

    Raises:
        RunError: KDL-PORT-021, the target is nested or an interval.
    """
    kind = target.this
    found = plain(value)
    if isinstance(found, exp.Null) or (kind in _NUMBERS and _is_number(found, kind)):
        return exp.Cast(this=value, to=target)
    if kind == _T.DECIMAL:
        if not target.expressions:
            target = exp.DataType.build("DECIMAL(10, 0)", dialect="duckdb")
        source = macro("decimal_source", value)
        return exp.TryCast(this=source, to=target) if safe else exp.Cast(this=source, to=target)
    name = _MACROS.get(kind)
    if name:
        return macro(f"try_{name}" if safe and name not in _NO_TRY else name, value)
    if isinstance(found, exp.Anonymous) and found.this in ("list_value", "map") and not found.expressions:
        return exp.Cast(this=call("list_value"), to=target)
    raise wrong_arguments(
        "cast", f"a cast to {target.sql(dialect='spark').lower()} is not portable", "cast the parts"
    )


def _is_number(node: exp.Expression, kind: object) -> bool:
    """Tell whether a node is a number literal that needs no rule: whole, or cast to a fraction type."""
    node = plain(node.this) if isinstance(node, exp.Neg) else node
    if not isinstance(node, exp.Literal) or node.is_string:
        return False
    return str(node.this).isdigit() or kind in (_T.FLOAT, _T.DOUBLE)
