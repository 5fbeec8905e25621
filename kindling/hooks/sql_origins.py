"""The inputs that one Spark SQL expression comes from, read off sqlglot's tree."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import TYPE_CHECKING, Any, NoReturn, TypeAlias

from kindling.hooks.traces import AGGREGATES, GENERATORS, NONE, OpaqueError, Origins, Trace, merged, through

if TYPE_CHECKING:
    from sqlglot import exp

Resolve: TypeAlias = Callable[[list[str]], Origins]
Subquery: TypeAlias = "Callable[[exp.Expr], Trace]"
Window: TypeAlias = "Callable[[str], exp.Expr] | None"


def expression_origins(
    node: exp.Expr, resolve: Resolve, subquery: Subquery, window: Window
) -> tuple[Origins, Origins]:
    """Return what an expression comes from, and what its subqueries' rows do.

    Args:
        node: The expression.
        resolve: The origins of a column by its name's parts.
        subquery: The trace of a query inside of the expression.
        window: The definition of a named window.

    Raises:
        OpaqueError: A part of it is not understood.
    """
    walk = _Walk(resolve, subquery, window)
    return walk.origins(node), walk.rows


def generators(node: exp.Expr) -> Iterator[exp.Expr]:
    """Yield the calls in an expression that make several rows of one."""
    from sqlglot import exp

    for found in node.find_all(exp.Func):
        if _name(found) in GENERATORS:
            yield found


class _Walk:
    def __init__(self, resolve: Resolve, subquery: Subquery, window: Window) -> None:
        self.resolve = resolve
        self.subquery = subquery
        self.window = window
        self.rows = NONE

    def origins(self, node: exp.Expr) -> Origins:
        for kinds, taken in self._known():
            if isinstance(node, kinds):
                return taken(node)
        inner = merged(self.origins(child) for child in node.iter_expressions())
        return through(inner, "aggregation" if _is_aggregate(node) else "transformation")

    def _known(self) -> Iterator[tuple[tuple[type, ...], Callable[[Any], Origins]]]:
        from sqlglot import exp

        yield (exp.Column,), self._column
        yield (exp.Alias, exp.Aliases, exp.Paren), lambda node: self.origins(node.this)
        yield (exp.Case, exp.If), self._choice
        yield (exp.Window,), self._window
        yield (exp.Filter,), self._filter
        yield (exp.Query, exp.Subquery), self._query
        yield (exp.Exists,), self._exists
        yield (exp.Count,), self._count
        yield (exp.Placeholder, exp.Parameter, exp.SessionParameter, exp.Command, exp.Star), _refuse

    def _filter(self, node: exp.Filter) -> Origins:
        return self.origins(node.this) | through(self.origins(node.expression.this), "indirect")

    def _exists(self, node: exp.Exists) -> Origins:
        from sqlglot import exp

        if isinstance(node.this, (exp.Query, exp.Subquery)):
            self._query(node.this)
            return NONE
        inner = merged(self.origins(child) for child in node.iter_expressions())
        return through(inner, "transformation")

    def _count(self, node: exp.Count) -> Origins:
        from sqlglot import exp

        if isinstance(node.this, exp.Star):
            return NONE
        return through(merged(self.origins(child) for child in node.iter_expressions()), "aggregation")

    def _column(self, node: exp.Column) -> Origins:
        from sqlglot import exp

        if isinstance(node.this, exp.Star):
            raise OpaqueError
        return self.resolve([part.name for part in node.parts])

    def _choice(self, node: exp.Expr) -> Origins:
        """CASE and IF: conditions decide, values are part of the result."""
        from sqlglot import exp

        cases = node.args.get("ifs") if isinstance(node, exp.Case) else [node]
        conditions, values = [], []
        for case in cases or ():
            conditions.append(self.origins(case.this))
            values += [self.origins(case.args[key]) for key in ("true", "false") if case.args.get(key)]
        if isinstance(node, exp.Case):
            if node.this is not None:
                conditions.append(self.origins(node.this))
            if node.args.get("default") is not None:
                values.append(self.origins(node.args["default"]))
        return through(merged(values), "transformation") | through(merged(conditions), "indirect")

    def _window(self, node: exp.Window) -> Origins:
        found = through(self.origins(node.this), "aggregation")
        if node.alias:
            if self.window is None:
                raise OpaqueError
            return found | self._order(self.window(node.alias))
        return found | self._order(node)

    def _order(self, node: exp.Expr) -> Origins:
        order = node.args.get("order")
        keys = list(node.args.get("partition_by") or ()) + list(order.expressions if order else ())
        return through(merged(self.origins(key) for key in keys), "indirect")

    def _query(self, node: exp.Expr) -> Origins:
        trace = self.subquery(node)
        self.rows |= trace.rows
        return through(merged(part.origins for part in trace.parts), "transformation")


def _name(node: exp.Expr) -> str:
    from sqlglot import exp

    if isinstance(node, exp.Anonymous):
        return str(node.name).lower()
    return str(node.sql_name()).lower() if isinstance(node, exp.Func) else ""


def _refuse(_node: object) -> NoReturn:
    raise OpaqueError


def _is_aggregate(node: exp.Expr) -> bool:
    from sqlglot import exp

    return isinstance(node, (exp.AggFunc, exp.WithinGroup, exp.Any)) or _name(node) in AGGREGATES
