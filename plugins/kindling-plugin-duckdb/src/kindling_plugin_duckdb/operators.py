"""Spark's operators in DuckDB: division, intervals, what stands beside a decimal. Trees in, trees out."""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping

from sqlglot import exp

from kindling_plugin_duckdb.calls import concat, extracted
from kindling_plugin_duckdb.kinds import DOUBLE, VARCHAR, kind_of
from kindling_plugin_duckdb.mixing import arithmetic, case
from kindling_plugin_duckdb.nodes import Args, Build, as_type, bound, call, plain
from kindling_plugin_duckdb.portability import refused_syntax
from kindling_plugin_duckdb.typed import macro

_TIME_UNITS = frozenset(
    "HOUR HOURS MINUTE MINUTES SECOND SECONDS MILLISECOND MICROSECOND".split()  # noqa: SIM905  # a table reads better without quotes
)
_DAY_UNITS = frozenset(
    "YEAR YEARS QUARTER QUARTERS MONTH MONTHS WEEK WEEKS DAY DAYS".split()  # noqa: SIM905  # a table reads better without quotes
)
_DECIMAL = re.compile(r"\d*\.\d*")
_FRACTION = re.compile(r"\s*[+-]?\d*\.\d+\s*")


def _moved(node: exp.Expression, suffix: str) -> exp.Expression:
    left, right = node.this.unnest(), node.expression.unnest()
    if not isinstance(right, exp.Interval):
        if isinstance(left, exp.Interval) and not suffix:
            left, right = right, left
        elif suffix and not any(isinstance(side, (exp.Literal, exp.Neg)) for side in (left, right)):
            return macro("minus", node.this, node.expression)
        else:
            return node
    unit = right.args["unit"].name.upper()
    made = macro(("shift_time" if unit in _TIME_UNITS else "shift") + suffix, left, right)
    return made if unit in _TIME_UNITS | _DAY_UNITS else node


def _interval(node: exp.Expression) -> exp.Expression:
    unit = node.args.get("unit")
    if not isinstance(unit, exp.Var) or unit.name.upper() not in _TIME_UNITS | _DAY_UNITS:
        raise refused_syntax("a compound INTERVAL", "write one unit: INTERVAL 1 DAY")
    return node


def _beside_decimal(node: exp.Expression) -> exp.Expression:
    """Guard what stands beside a decimal literal: a float there is computed in double on Spark."""
    sides = list(node.iter_expressions())
    if any(_is_decimal(side) for side in sides):
        for side in sides:
            found = side.unnest()
            found = found.this.unnest() if isinstance(found, exp.Neg) else found
            if not isinstance(found, (exp.Literal, exp.Null)):
                side.replace(macro("beside_decimal", side.copy()))
    return node


def _compared(node: exp.Expression) -> exp.Expression:
    """Guard a comparison with a decimal literal, or with a fraction in quotes."""
    for side, other in ((node.this, node.expression), (node.expression, node.this)):
        literal = plain(side)
        if isinstance(literal, exp.Literal) and literal.is_string and _FRACTION.fullmatch(literal.this):
            if kind_of(other) in (DOUBLE, VARCHAR):  # both engines compare these alike
                return node
            return bound((other,), 2, _beside_fraction(node, side))
    return _beside_decimal(node)


def _beside_fraction(node: exp.Expression, literal: exp.Expression) -> Build:
    """Return a maker of the comparison of a fraction in quotes with a value that is named twice."""
    first = literal is node.this

    def build(values: Args) -> exp.Expression:
        guarded = macro("beside_fraction", literal, values[0].copy())
        left, right = (guarded, values[0]) if first else (values[0], guarded)
        made: exp.Expression = type(node)(this=left, expression=right)
        return made

    return build


def _is_decimal(node: exp.Expression) -> bool:
    found = plain(node)
    found = plain(found.this) if isinstance(found, exp.Neg) else found
    return (
        isinstance(found, exp.Literal) and not found.is_string and _DECIMAL.fullmatch(found.this) is not None
    )


def _trim(node: exp.Expression) -> exp.Expression:
    where = str(node.args.get("position") or "BOTH").upper()
    name = {"BOTH": "trim", "LEADING": "ltrim", "TRAILING": "rtrim"}[where]
    letters = node.expression
    return call(name, node.this, *((letters,) if letters else ()))


def _position(node: exp.Expression) -> exp.Expression:
    start = node.args.get("position")
    name, tail = ("locate", ()) if start is None else ("locate_from", (start,))
    return macro(name, node.args["substr"], node.this, *tail)


def _remainder(node: exp.Expression) -> exp.Expression:
    return macro("mod", node.this, node.expression)


def _ordered(node: exp.Expression) -> exp.Expression:
    """Refuse what the engines order differently: the nulls inside of arrays and structs."""
    for side in (node.this, node.expression):
        if (kind_of(side) or "").endswith(("]", ")")) and not (kind_of(side) or "").startswith("DECIMAL"):
            raise refused_syntax("an order of arrays or structs", "compare their elements")
    return node


OPERATORS: Mapping[type[exp.Expression], Callable[[exp.Expression], exp.Expression]] = {
    exp.Div: lambda node: macro("div", node.this, node.expression),
    exp.IntDiv: lambda node: macro("intdiv", node.this, node.expression),
    exp.Mod: lambda node: _remainder(arithmetic(node)),
    exp.Add: lambda node: _moved(_beside_decimal(arithmetic(node)), ""),
    exp.Sub: lambda node: _moved(_beside_decimal(arithmetic(node)), "_back"),
    exp.Mul: lambda node: _beside_decimal(arithmetic(node)),
    exp.Case: case,
    exp.Between: _beside_decimal,
    exp.In: _beside_decimal,
    **dict.fromkeys((exp.EQ, exp.NEQ), _compared),
    **dict.fromkeys((exp.GT, exp.GTE, exp.LT, exp.LTE), lambda node: _compared(_ordered(node))),
    exp.Interval: _interval,
    exp.DPipe: lambda node: concat((node.this, node.expression)),
    exp.Trim: _trim,
    exp.Extract: lambda node: extracted(node.this.name, node.expression),
    exp.StrPosition: _position,
    exp.CurrentDate: lambda _node: as_type(call("now"), "DATE"),
    exp.CurrentTimestamp: lambda _node: call("now"),
    exp.RegexpLike: lambda node: call("regexp_matches", node.this, node.expression),
}
"""By node class; operands are translated already."""
