"""Makers of DuckDB expression trees; calls of macros stay small however deeply they are nested.

A macro names its parameters several times, and DuckDB writes the argument out at each of them before it
binds: nested calls would grow exponentially. So an argument that is itself long is computed once, as the
parameter of a lambda: `list_extract(list_transform([x], lambda kdl_v: kdl_to_int(kdl_v)), 1)`.
Short arguments are left in place, because a lambda costs about 0.3 us per row (measured, DuckDB 2.0.1).
"""

from __future__ import annotations

import re
from collections.abc import Callable, Sequence
from typing import TypeAlias

from sqlglot import exp

from kindling_plugin_duckdb.kinds import KIND, kind_of, macro_kind
from kindling_plugin_duckdb.macros import MACROS, PREFIX

Args: TypeAlias = Sequence[exp.Expression]
Build: TypeAlias = Callable[[Args], exp.Expression]

_BOUND = "kdl_v"
_WEIGHT = "kdl_weight"
_LONGEST = 64
"""Nodes that the copies of one argument may add; DuckDB binds a node in about 10 us."""
_FIXED = (
    exp.Literal, exp.Neg, exp.Paren, exp.Cast, exp.DataType, exp.DataTypeParam, exp.Null, exp.Boolean,
    exp.Interval, exp.Var,
)  # fmt: skip
_PARAMETERS = re.compile(r"\(([^)]*)\) AS ")
_CALLS = re.compile(r"\bkdl_([a-z_0-9]+)\(")


def call(name: str, *args: exp.Expression) -> exp.Expression:
    """Return a call of a DuckDB function."""
    return exp.Anonymous(this=name, expressions=list(args))


def generic(name: str, *args: exp.Expression) -> exp.Expression:
    """Return a call of one of this plugin's macros; long arguments are computed once."""
    made = bound(args, _uses(name), lambda values: call(PREFIX + name, *values))
    made.meta[KIND] = macro_kind(name, list(args))
    return made


def parted(node: exp.Expression) -> exp.Expression:
    """Return a node as it can stand anywhere: in parentheses, unless it needs none."""
    if isinstance(node, (exp.Column, exp.Anonymous, exp.Cast, exp.Paren, exp.Literal)):
        return node
    made = exp.Paren(this=node)
    made.meta[KIND] = kind_of(node)
    return made


def bound(args: Args, uses: int, build: Build) -> exp.Expression:
    """Return an expression over arguments that are computed once where they are long.

    Args:
        args: Translated arguments.
        uses: How often the expression names its arguments.
        build: Makes the expression from the arguments, or from what stands for them.
    """
    weights = [_weight(arg) for arg in args]
    if uses <= len(args) or uses * max(weights, default=0) <= _LONGEST:
        made = build(args)
        return _weighed(made, uses * sum(weights) // max(len(args), 1) + uses)
    open_ = [place for place, arg in enumerate(args) if not _is_fixed(arg)]
    if len(open_) == 1:
        value = args[open_[0]]
        values = [exp.column(_BOUND) if place in open_ else arg for place, arg in enumerate(args)]
    else:
        fields = [
            exp.PropertyEQ(this=exp.to_identifier(f"p{place}"), expression=args[place]) for place in open_
        ]
        value = exp.Struct(expressions=fields)
        values = [
            call("struct_extract", exp.column(_BOUND), text(f"p{place}")) if place in open_ else arg
            for place, arg in enumerate(args)
        ]
    body = exp.Lambda(this=build(values), expressions=[exp.to_identifier(_BOUND)], colon=True)
    once = call("list_extract", call("list_transform", call("list_value", value), body), integer(1))
    return _weighed(once, uses + sum(weights))


def as_type(value: exp.Expression, kind: str) -> exp.Expression:
    """Return a plain cast to a DuckDB type."""
    return exp.Cast(this=value, to=exp.DataType.build(kind, dialect="duckdb"))


def text(value: str) -> exp.Expression:
    """Return a text literal."""
    return exp.Literal.string(value)


def integer(value: int) -> exp.Expression:
    """Return an integer literal."""
    literal = exp.Literal.number(str(abs(value)))
    return exp.Neg(this=literal) if value < 0 else literal


def plain(node: exp.Expression) -> exp.Expression:
    """Return a node without the cast and the parentheses around it."""
    while isinstance(node, (exp.Paren, exp.Cast)):
        node = node.this
    return node


def _uses(name: str) -> int:
    """Return how often a macro, with the macros that it calls, names its parameters."""
    body = MACROS[name]
    head = _PARAMETERS.match(body)
    names = [part.strip() for part in head[1].split(",")] if head else []
    found = len(re.findall(rf"\b(?:{'|'.join(names)})\b", body)) - len(names)
    return found + sum(_uses(inner) - 1 for inner in _CALLS.findall(body))


def _is_fixed(node: exp.Expression) -> bool:
    """Tell whether a node is made of literals only."""
    return all(isinstance(part, _FIXED) for part in node.walk())


def _weight(node: exp.Expression) -> int:
    """Return how many nodes DuckDB binds for an expression, about."""
    known = node.meta.get(_WEIGHT)
    if known is not None:
        return int(known)
    if isinstance(node, (exp.Column, exp.DataType)):
        return 1
    return 1 + sum(_weight(child) for child in node.iter_expressions())


def _weighed(node: exp.Expression, weight: int) -> exp.Expression:
    node.meta[_WEIGHT] = weight
    return node
