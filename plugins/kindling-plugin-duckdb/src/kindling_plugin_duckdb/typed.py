"""Macros replaced by plain expressions where their arguments' types are known. Trees in, trees out.

What is not known keeps the macro that fits every type. Each form here means what the macro of its name
does for that type; `test_typed` compares the two over values of each type.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import TypeAlias

from sqlglot import exp

from kindling_plugin_duckdb.kinds import (
    BIGINT,
    BOOLEAN,
    DATE,
    DOUBLE,
    FLOAT,
    INSTANT,
    INTEGER,
    KIND,
    VARCHAR,
    WALL,
    WHOLE,
    kind_of,
)
from kindling_plugin_duckdb.nodes import Args, as_type, call, generic, parted

Form: TypeAlias = Callable[[exp.Expression, str], "exp.Expression | None"]

_NUMBERS = (*WHOLE, FLOAT, DOUBLE)
_DATED = (DATE, WALL, INSTANT)
_PLAIN_TEXT = {*WHOLE, BOOLEAN, DATE, WALL}
_TARGETS = {
    "to_tinyint": "TINYINT",
    "to_smallint": "SMALLINT",
    "to_int": INTEGER,
    "to_bigint": BIGINT,
}


def macro(name: str, *args: exp.Expression) -> exp.Expression:
    """Return what one of this plugin's macros does with these arguments, as plainly as can be."""
    return _plain(name, args) or generic(name, *args)


def _plain(name: str, args: Args) -> exp.Expression | None:
    special = _PAIRS.get(name)
    if special:
        return special(*args)
    kind = kind_of(args[0]) if args and not isinstance(args[0], exp.Literal) else None
    if kind is None:
        return None
    if len(args) == 1:
        form = _FORMS.get(name)
        return form(args[0], kind) if form else None
    moved = _MOVED.get(name)
    return moved(args[0], args[1], kind) if moved else None


def _mod(left: exp.Expression, right: exp.Expression) -> exp.Expression | None:
    """A divisor that is a number other than zero needs no test."""
    if not _is_nonzero(right):
        return None
    return exp.Paren(this=exp.Mod(this=parted(left), expression=right))


def _divided(left: exp.Expression, right: exp.Expression) -> exp.Expression | None:
    """Only decimals are refused; DuckDB divides by zero without a word."""
    if kind_of(left) not in _NUMBERS:
        return None
    if _is_nonzero(right):
        made = exp.Div(this=as_type(left, DOUBLE), expression=as_type(right, DOUBLE), typed=False, safe=True)
        paren = exp.Paren(this=made)
        paren.meta[KIND] = DOUBLE
        return paren
    return generic("ratio", left, right) if kind_of(right) in _NUMBERS else None


def _is_nonzero(node: exp.Expression) -> bool:
    """Tell whether a node is a whole number other than zero."""
    number = node.this if isinstance(node, exp.Cast) and kind_of(node) == INTEGER else node
    return (
        isinstance(number, exp.Literal)
        and not number.is_string
        and str(number.this).isdigit()
        and int(number.this) != 0
    )


def _minus(left: exp.Expression, right: exp.Expression) -> exp.Expression | None:
    """Only the difference of two dates is refused."""
    if not any(kind_of(side) in _NUMBERS for side in (left, right)):
        return None
    return exp.Paren(this=exp.Sub(this=parted(left), expression=parted(right)))


def _whole(target: str) -> Form:
    def cast(value: exp.Expression, kind: str) -> exp.Expression | None:
        if kind == target:
            return parted(value)
        if kind in WHOLE or kind == BOOLEAN:
            return as_type(value, target)
        if kind == DOUBLE:
            return as_type(call("trunc", value), target)
        return as_type(generic("digits", value), target) if kind == VARCHAR else None

    return cast


def _fraction(target: str) -> Form:
    def cast(value: exp.Expression, kind: str) -> exp.Expression | None:
        if kind == target:
            return parted(value)
        if kind in (*WHOLE, FLOAT, DOUBLE, BOOLEAN):
            return as_type(value, target)
        return as_type(generic("number_text", value), target) if kind == VARCHAR else None

    return cast


def _dated(target: str, reader: str) -> Form:
    def cast(value: exp.Expression, kind: str) -> exp.Expression | None:
        if kind == target:
            return parted(value)
        if kind in _DATED:
            return as_type(value, target)
        return as_type(generic(reader, value), target) if kind == VARCHAR else None

    return cast


def _string(value: exp.Expression, kind: str) -> exp.Expression | None:
    if kind == VARCHAR:
        return parted(value)
    if kind == INSTANT:
        return as_type(as_type(value, WALL), VARCHAR)
    return as_type(value, VARCHAR) if kind in _PLAIN_TEXT else None


def _same(*kinds: str) -> Form:
    return lambda value, kind: parted(value) if kind in kinds else None


def _shifted(
    sign: type[exp.Binary],
) -> Callable[[exp.Expression, exp.Expression, str], exp.Expression | None]:
    def shift(value: exp.Expression, by: exp.Expression, kind: str) -> exp.Expression | None:
        made = exp.Paren(this=sign(this=parted(value), expression=by))
        if kind in (WALL, INSTANT):
            return made
        return as_type(made, DATE) if kind == DATE else None

    return shift


def _shifted_time(
    sign: type[exp.Binary],
) -> Callable[[exp.Expression, exp.Expression, str], exp.Expression | None]:
    def shift(value: exp.Expression, by: exp.Expression, kind: str) -> exp.Expression | None:
        if kind not in (WALL, INSTANT):
            return None
        return exp.Paren(this=sign(this=parted(value), expression=by))

    return shift


_FORMS: Mapping[str, Form] = {
    **{name: _whole(target) for name, target in _TARGETS.items()},
    "to_double": _fraction(DOUBLE),
    "to_float": _fraction(FLOAT),
    "to_boolean": _same(BOOLEAN),
    "to_string": _string,
    "to_date": _dated(DATE, "date_text"),
    "to_timestamp": _dated(INSTANT, "stamp_text"),
    "to_timestamp_ntz": _dated(WALL, "stamp_text"),
    "wall": _dated(WALL, "stamp_text"),
    **{f"try_{name}": _same(target) for name, target in _TARGETS.items()},
    "try_to_double": _same(DOUBLE),
    "try_to_date": _same(DATE),
    "try_to_timestamp": _same(INSTANT),
    "part": _same(VARCHAR, *_PLAIN_TEXT),
    "sum_input": _same(*_NUMBERS),
    "average_input": _same(*_NUMBERS),
    "approx_input": _same(*WHOLE),
    "beside_decimal": _same(*WHOLE, DOUBLE),
}
_PAIRS = {"mod": _mod, "div": _divided, "minus": _minus}
_MOVED = {
    "shift": _shifted(exp.Add),
    "shift_back": _shifted(exp.Sub),
    "shift_time": _shifted_time(exp.Add),
    "shift_time_back": _shifted_time(exp.Sub),
}
