"""Values of different types side by side: DuckDB casts them otherwise than Spark. Trees in, trees out."""

from __future__ import annotations

import re

from sqlglot import exp

from kindling_plugin_duckdb.kinds import DOUBLE, FLOAT, VARCHAR, WHOLE, kind_of
from kindling_plugin_duckdb.nodes import Args, as_type, plain
from kindling_plugin_duckdb.portability import refused_syntax, wrong_arguments

_NUMBERS = frozenset({*WHOLE, FLOAT, DOUBLE})
_BRANCHES = {
    **dict.fromkeys("coalesce nvl ifnull greatest least nullif nanvl".split(), 0),  # noqa: SIM905  # a table reads better without quotes
    "if": 1,
    "nvl2": 1,
}
"""Functions whose result has the common type of their arguments, after so many others."""
_TYPED = frozenset(
    """
    coalesce nvl ifnull nvl2 nanvl greatest least array map struct named_struct nullif if lag lead
    array_append array_prepend array_repeat sequence aggregate reduce
    """.split()  # noqa: SIM905  # a table reads better without quotes
)
_ZERO = re.compile(r"0*\.(\d+)")


def branches(name: str, args: Args) -> list[exp.Expression]:
    """Return a call's arguments, those that give its type cast to one that Spark would take.

    Raises:
        RunError: KDL-PORT-021, text stands beside a number: Spark makes a bigint or double of both.
    """
    first = _BRANCHES.get(name)
    if first is None:
        return list(args)
    return [*args[:first], *_common(name, args[first:])]


def case(node: exp.Expression) -> exp.Expression:
    """Bring the results of a CASE to one type.

    Raises:
        RunError: KDL-PORT-021 or KDL-PORT-024, results of text and numbers, or NULL as a condition.
    """
    ifs, default = node.args["ifs"], node.args.get("default")
    if node.this is None and any(isinstance(plain(item.this), exp.Null) for item in ifs):
        raise refused_syntax("NULL as a condition", "write FALSE")
    results = [item.args["true"] for item in ifs] + ([default] if default is not None else [])
    for old, new in zip(results, _common("case", results), strict=True):
        if new is not old:
            old.replace(new)
    return node


def arithmetic(node: exp.Expression) -> exp.Expression:
    """Bring both sides of an operator to one type.

    Raises:
        RunError: KDL-PORT-024, a side is text.
    """
    for side in (node.this, node.expression):
        if _is_text(side):
            raise refused_syntax("arithmetic with text", "cast it: CAST(... AS INT)")
    left, right = _common("", (node.this, node.expression))
    node.set("this", left)
    node.set("expression", right)
    return node


def literal(node: exp.Expression) -> exp.Expression:
    """Return a number with Spark's type where DuckDB would fit it to what is around it."""
    if node.args.get("is_string"):
        return node
    fraction = _ZERO.fullmatch(str(node.this))
    if fraction:  # DuckDB counts the zero before the point as a digit
        return as_type(node.copy(), f"DECIMAL({len(fraction[1])}, {len(fraction[1])})")
    if not str(node.this).isdigit() or int(node.this) > 2**31 - 1:
        return node
    parent = node.parent
    while isinstance(parent, (exp.Paren, exp.Neg)):
        parent = parent.parent
    typed = isinstance(parent, (exp.Add, exp.Sub, exp.Mul, exp.Mod, exp.If, exp.Case)) or (
        isinstance(parent, exp.Anonymous) and parent.name.lower() in _TYPED
    )
    # DuckDB fits a bare literal to the narrowest type around it; Spark's is always an int.
    return as_type(node.copy(), "INTEGER") if typed else node


def _common(name: str, nodes: Args) -> list[exp.Expression]:
    kinds = {kind_of(node) for node in nodes}
    if name and kinds & _NUMBERS and any(_is_text(node) for node in nodes):
        raise wrong_arguments(name, "text stands beside a number", "cast one of them")
    if FLOAT in kinds and kinds & WHOLE:  # a double on Spark, a float on DuckDB
        return [as_type(node.copy(), DOUBLE) if kind_of(node) in _NUMBERS else node for node in nodes]
    return list(nodes)


def _is_text(node: exp.Expression) -> bool:
    found = plain(node)
    return (isinstance(found, exp.Literal) and bool(found.is_string)) or kind_of(node) == VARCHAR
