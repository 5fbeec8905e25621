"""How aggregate and window functions of Spark become DuckDB's. Trees in, trees out.

A `FILTER` or an `OVER` must stand right behind DuckDB's own call, so each translation has two parts: the
call and what is put around it once the clauses are attached.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass

from sqlglot import exp

from kindling_plugin_duckdb.functions import AGGREGATES, WINDOW_INTEGERS, WINDOW_ONLY
from kindling_plugin_duckdb.nodes import as_type, call, integer, plain
from kindling_plugin_duckdb.portability import wrong_arguments
from kindling_plugin_duckdb.typed import macro


def _as_is(node: exp.Expression) -> exp.Expression:
    return node


@dataclass(frozen=True, slots=True)
class Aggregate:
    """An aggregate call of DuckDB.

    Attributes:
        call: The call that takes FILTER and OVER.
        around: Put around the call once these are attached.
        keep: Condition that the rows must also meet, or None.
    """

    call: exp.Expression
    around: Callable[[exp.Expression], exp.Expression] = _as_is
    keep: exp.Expression | None = None

    def filtered(self) -> exp.Expression:
        """Return the call with its FILTER."""
        if self.keep is None:
            return self.call
        return exp.Filter(this=self.call, expression=exp.Where(this=self.keep))

    def finished(self) -> exp.Expression:
        """Return the whole expression, without an OVER."""
        return self.around(self.filtered())


def aggregate(name: str, args: Sequence[exp.Expression], *, ignore_nulls: bool, over: bool) -> Aggregate:
    """Return DuckDB's form of an aggregate or window function.

    Args:
        name: Spark's name, lower case, a key of `AGGREGATES` or `WINDOW_ONLY`.
        args: Its translated arguments; DISTINCT stands as one `exp.Distinct`.
        ignore_nulls: Whether IGNORE NULLS stands behind it.
        over: Whether it is a window function here.
    """
    distinct = bool(args) and isinstance(args[0], exp.Distinct)
    values = list(args[0].expressions) if distinct else list(args)
    if name in WINDOW_ONLY:
        return _window_only(name, values, ignore_nulls=ignore_nulls)
    target = AGGREGATES[name]
    if target in ("first", "last"):
        return _end(target, values, ignore_nulls=ignore_nulls, over=over)
    if ignore_nulls:
        raise wrong_arguments(name, "IGNORE NULLS is not portable here", "filter the nulls before")
    special = _SPECIAL.get(target)
    if special:
        return special(name, values, distinct)
    if target in ("avg", "sum"):
        values = [macro("average_input" if target == "avg" else "sum_input", values[0])]
    return Aggregate(_call(target, values, distinct=distinct), _AROUND.get(target, _as_is))


def _call(name: str, values: list[exp.Expression], *, distinct: bool) -> exp.Expression:
    return call(name, exp.Distinct(expressions=values)) if distinct else call(name, *values)


def _window_only(name: str, values: list[exp.Expression], *, ignore_nulls: bool) -> Aggregate:
    if ignore_nulls:
        return Aggregate(exp.IgnoreNulls(this=_ignoring(name, values)))
    return Aggregate(call(WINDOW_ONLY[name], *values), _as_int if name in WINDOW_INTEGERS else _as_is)


def _ignoring(name: str, values: list[exp.Expression]) -> exp.Expression:
    """Return a call as the node class for which sqlglot writes IGNORE NULLS inside its parentheses."""
    if name in ("lag", "lead"):
        kind = exp.Lag if name == "lag" else exp.Lead
        return kind(**dict(zip(("this", "offset", "default"), values, strict=False)))
    if name == "nth_value":
        return exp.NthValue(this=values[0], offset=values[1])
    raise wrong_arguments(name, "IGNORE NULLS is not portable here", "filter the nulls before")


def _as_int(node: exp.Expression) -> exp.Expression:
    return as_type(node, "INTEGER")


def _as_bigint(node: exp.Expression) -> exp.Expression:
    return as_type(node, "BIGINT")


def _nan_to_null(node: exp.Expression) -> exp.Expression:
    """Spark's statistics are null where they would divide by zero (since 3.1)."""
    return call("nullif", node, as_type(exp.Literal.string("nan"), "DOUBLE"))


def _end(target: str, values: list[exp.Expression], *, ignore_nulls: bool, over: bool) -> Aggregate:
    flag = plain(values[1]) if len(values) > 1 else None
    if flag is not None and not isinstance(flag, exp.Boolean):
        raise wrong_arguments(target, "the second argument is not true or false", "write true or false")
    skip = ignore_nulls or (flag is not None and bool(flag.this))
    if over:
        made = exp.FirstValue(this=values[0]) if target == "first" else exp.LastValue(this=values[0])
        return Aggregate(exp.IgnoreNulls(this=made) if skip else made)
    keep = exp.Not(this=exp.Is(this=values[0].copy(), expression=exp.Null())) if skip else None
    return Aggregate(call(target, values[0]), keep=keep)


def _count(_name: str, values: list[exp.Expression], distinct: bool) -> Aggregate:  # noqa: FBT001  # one shape for all
    if len(values) > 1:
        present = exp.and_(*(exp.Not(this=exp.Is(this=v.copy(), expression=exp.Null())) for v in values))
        row = call("row", *values)
        values = [exp.Case(ifs=[exp.If(this=present, true=row)])]
    return Aggregate(_call("count", values, distinct=distinct))


def _list(name: str, values: list[exp.Expression], distinct: bool) -> Aggregate:  # noqa: FBT001  # one shape for all
    keep = exp.Not(this=exp.Is(this=values[0].copy(), expression=exp.Null()))
    made = _call("list", values, distinct=distinct or name == "collect_set")
    return Aggregate(made, lambda node: call("coalesce", node, call("list_value")), keep)


def _percentile(name: str, values: list[exp.Expression], distinct: bool) -> Aggregate:  # noqa: FBT001  # one shape
    if name == "median":
        values = [values[0], exp.Literal.number("0.5")]
    if distinct or len(values) != 2:  # noqa: PLR2004  # (column, percentage)
        raise wrong_arguments(name, "DISTINCT or a frequency is not portable", "give column and percentage")
    return Aggregate(call("quantile_cont", macro("to_double", values[0]), values[1]))


def _percentile_approx(name: str, values: list[exp.Expression], distinct: bool) -> Aggregate:  # noqa: FBT001  # one shape
    if distinct:
        raise wrong_arguments(name, "DISTINCT is not portable", "take distinct rows before")
    return Aggregate(call("quantile_disc", macro("approx_input", values[0]), *values[1:2]))


_SPECIAL: dict[str, Callable[[str, list[exp.Expression], bool], Aggregate]] = {
    "count": _count,
    "list": _list,
    "quantile_cont": _percentile,
    "quantile_disc": _percentile_approx,
}
_AROUND: dict[str, Callable[[exp.Expression], exp.Expression]] = {
    "count_if": lambda node: call("coalesce", _as_bigint(node), integer(0)),
    "corr": _nan_to_null,
    "grouping": lambda node: as_type(node, "TINYINT"),
}
