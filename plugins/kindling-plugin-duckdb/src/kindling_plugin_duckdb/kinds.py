"""Types of translated expressions, where they are certain without asking DuckDB. Reads trees, makes none.

A type is written as DuckDB's `typeof` writes it. None means unknown: then a macro that fits every type is
used, so a missing entry costs only time; `test_kinds` compares all others with `typeof`.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping

from sqlglot import exp

KIND = "kdl_kind"
"""Key in a node's `meta`: its type, set where it is known from elsewhere (columns, macros)."""

BOOLEAN, VARCHAR, DATE = "BOOLEAN", "VARCHAR", "DATE"
INTEGER, BIGINT, FLOAT, DOUBLE = "INTEGER", "BIGINT", "FLOAT", "DOUBLE"
WALL, INSTANT = "TIMESTAMP", "TIMESTAMP WITH TIME ZONE"
_WIDTHS = ("TINYINT", "SMALLINT", INTEGER, BIGINT)
WHOLE = frozenset(_WIDTHS)

_T = exp.DataType.Type
_TYPES = {
    _T.TINYINT: "TINYINT",
    _T.SMALLINT: "SMALLINT",
    _T.INT: INTEGER,
    _T.BIGINT: BIGINT,
    _T.FLOAT: FLOAT,
    _T.DOUBLE: DOUBLE,
    _T.BOOLEAN: BOOLEAN,
    _T.TEXT: VARCHAR,
    _T.VARCHAR: VARCHAR,
    _T.DATE: DATE,
    _T.TIMESTAMPTZ: INSTANT,
}
_TRUTHS = (
    exp.EQ, exp.NEQ, exp.GT, exp.GTE, exp.LT, exp.LTE, exp.And, exp.Or, exp.Not, exp.Is, exp.In, exp.Between,
    exp.Exists, exp.NullSafeEQ, exp.NullSafeNEQ, exp.Boolean,
)  # fmt: skip
_CALLS = {
    **dict.fromkeys(
        "lower upper trim ltrim rtrim strftime md5 to_base64 concat_ws lpad rpad regexp_replace".split(),  # noqa: SIM905  # a table reads better without quotes
        VARCHAR,
    ),
    **dict.fromkeys("regexp_matches starts_with ends_with contains".split(), BOOLEAN),  # noqa: SIM905  # the same
    **dict.fromkeys("cbrt cos cosh sin sinh tan tanh exp degrees radians".split(), DOUBLE),  # noqa: SIM905  # the same
    "count": BIGINT,
    "epoch_ms": BIGINT,
    "now": INSTANT,
    "last_day": DATE,
    "make_date": DATE,
}
_MACROS = {
    "to_tinyint": "TINYINT",
    "to_smallint": "SMALLINT",
    "to_int": INTEGER,
    "to_bigint": BIGINT,
    "to_float": FLOAT,
    "to_double": DOUBLE,
    "to_boolean": BOOLEAN,
    "to_string": VARCHAR,
    "to_date": DATE,
    "to_timestamp": INSTANT,
    "to_timestamp_ntz": WALL,
    "wall": WALL,
    "months": DATE,
    "seconds": BIGINT,
    "unix_time": BIGINT,
    "instant": INSTANT,
    "split_part": VARCHAR,
    "div": DOUBLE,
    "ratio": DOUBLE,
    "try_divide": DOUBLE,
    "intdiv": BIGINT,
    "ceil": BIGINT,
    "floor": BIGINT,
    "sign": DOUBLE,
    "isnan": BOOLEAN,
    "size": INTEGER,
    "octets": INTEGER,
    "initcap": VARCHAR,
    "substring_index": VARCHAR,
    "json_text": VARCHAR,
    "chr": VARCHAR,
}
_SAME_AS_FIRST = frozenset({"sum_input", "average_input", "approx_input", "part", "beside_decimal"})


def kind_of(node: exp.Expression) -> str | None:
    """Return the type of a translated expression, or None where it is not certain."""
    known = node.meta.get(KIND)
    if known is not None:
        return str(known)
    if isinstance(node, _TRUTHS):
        return BOOLEAN
    rule = _RULES.get(type(node))
    return rule(node) if rule else None


def _cast_kind(node: exp.Expression) -> str | None:
    target = node.args["to"]
    return None if target.expressions else _TYPES.get(target.this)


def _case_kind(node: exp.Expression) -> str | None:
    return _common([*(branch.args["true"] for branch in node.args["ifs"]), node.args.get("default")])


def _joined_kind(node: exp.Expression) -> str | None:
    return VARCHAR if {kind_of(node.this), kind_of(node.expression)} == {VARCHAR} else None


def _arithmetic_kind(node: exp.Expression) -> str | None:
    """Whole numbers keep the wider type, a double makes doubles; the rest is left to DuckDB."""
    kinds = {kind_of(node.this), kind_of(node.expression)}
    if DOUBLE in kinds:
        return DOUBLE if kinds <= {DOUBLE, FLOAT, *WHOLE} else None
    return max(kinds, key=_WIDTHS.index) if kinds <= WHOLE else None


def macro_kind(name: str, args: list[exp.Expression]) -> str | None:
    """Return the type that a macro's result has."""
    if name in _SAME_AS_FIRST:
        return kind_of(args[0])
    if name.startswith("substring") or name in ("left", "right"):
        return VARCHAR if kind_of(args[0]) == VARCHAR else None
    return _MACROS.get(name.removeprefix("try_") if name.startswith("try_to_") else name)


def _call_kind(node: exp.Expression) -> str | None:
    name, args = node.name.lower(), node.expressions
    if name == "date_trunc":
        return INSTANT if kind_of(args[1]) == INSTANT else None
    if name == "timezone":
        return {INSTANT: WALL, WALL: INSTANT}.get(kind_of(args[1]) or "")
    if name in ("coalesce", "greatest", "least"):
        return _common(args)
    if name in ("min", "max", "first", "last", "any_value", "lag", "lead"):
        return kind_of(args[0]) if args else None
    if name == "avg":
        return DOUBLE if kind_of(args[0]) in (DOUBLE, *WHOLE) else None
    return _CALLS.get(name)


def _common(nodes: list[exp.Expression | None]) -> str | None:
    """Return the type that all nodes have; a NULL has any."""
    kinds = {kind_of(node) for node in nodes if node is not None and not isinstance(node, exp.Null)}
    return kinds.pop() if len(kinds) == 1 else None


_RULES: Mapping[type[exp.Expression], Callable[[exp.Expression], str | None]] = {
    exp.Paren: lambda node: kind_of(node.this),
    exp.Window: lambda node: kind_of(node.this),
    exp.Filter: lambda node: kind_of(node.this),
    exp.Neg: lambda node: kind_of(node.this) if kind_of(node.this) in (INTEGER, BIGINT, DOUBLE) else None,
    exp.Cast: _cast_kind,
    exp.TryCast: _cast_kind,
    exp.Literal: lambda node: VARCHAR if node.is_string else None,
    exp.Anonymous: _call_kind,
    exp.Case: _case_kind,
    exp.DPipe: _joined_kind,
    **dict.fromkeys((exp.Add, exp.Sub, exp.Mul), _arithmetic_kind),
}
