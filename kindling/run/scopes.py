"""Walk a parsed SQL query scope by scope and collect what its columns come from: for `run.tracing`.

It imports sqlglot, which takes 0.1 s; it reads no data and knows no classes.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

import sqlglot
from sqlglot import exp
from sqlglot.errors import SqlglotError
from sqlglot.optimizer.qualify import qualify
from sqlglot.optimizer.scope import Scope, build_scope

from kindling.lineage import HOWS, Origin

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Iterator, Mapping
    from typing import TypeAlias

    from kindling.schemas import Schema

    Origins: TypeAlias = frozenset[Origin]
    Columns: TypeAlias = dict[str, Origins]

NOTHING: frozenset[Origin] = frozenset()
_MAKE_ROWS = (exp.Query, exp.Subquery, exp.Exists, exp.UDTF, exp.Explode, exp.Posexplode, exp.Inline)
_SQUARE = ("laterals", "pivots", "connect", "match", "cluster", "distribute", "sort")
"""Parts of a SELECT that are not understood: generators and pivots, and ways to spread rows."""
_DECIDE = ("where", "group", "having", "qualify", "order")
_HALF = ("SEMI", "ANTI")
_STRAIGHT = (exp.Alias, exp.Paren, exp.Column)


class Opaque(Exception):  # noqa: N818  # a signal, not an error
    """Some part of the query is not understood."""


class Walk:
    """One query.

    Args:
        text: The query in Spark's dialect.
        tables: Entity and schema by the table's name in the text.
    """

    def __init__(self, text: str, tables: Mapping[str, tuple[str, Schema]]) -> None:
        self._tables = {name.lower(): item for name, item in tables.items()}
        self._seen: dict[int, tuple[list[tuple[str, Origins]], Origins]] = {}
        schema: dict[str, object] = {
            name: {field.name: field.type for field in found.fields} for name, (_, found) in tables.items()
        }
        try:
            tree = qualify(sqlglot.parse_one(text, read="spark"), schema=schema, dialect="spark")
            scope = build_scope(tree)
        except (SqlglotError, RecursionError) as error:
            raise Opaque from error
        if scope is None:
            raise Opaque
        self._root = scope

    def result(self) -> tuple[list[Origins], Origins]:
        """Return the origins of each column, and of the rows; raises Opaque."""
        columns, rows = self._scope(self._root)
        return [origins for _, origins in columns], rows

    def _scope(self, scope: Scope) -> tuple[list[tuple[str, Origins]], Origins]:
        if id(scope) not in self._seen:
            tree = scope.expression
            if isinstance(tree, exp.Select):
                self._seen[id(scope)] = self._select(scope, tree)
            elif isinstance(tree, exp.SetOperation):
                self._seen[id(scope)] = self._set_operation(scope, tree)
            else:  # VALUES, table functions, subqueries with their own pivot
                raise Opaque
        return self._seen[id(scope)]

    # --- SELECT ----------------------------------------------------------------------------------

    def _select(self, scope: Scope, tree: exp.Select) -> tuple[list[tuple[str, Origins]], Origins]:
        if scope.subquery_scopes or scope.udtf_scopes or any(tree.args.get(name) for name in _SQUARE):
            raise Opaque
        sources, rows = self._sources(scope)
        select = _Select(sources)
        columns = [(item.alias_or_name, select.value(item)) for item in tree.selects]
        select.aliases = {name.lower(): origins for name, origins in columns}
        parts: list[exp.Expr | None] = [tree.args.get(name) for name in _DECIDE]
        parts += [join.args.get("on") for join in tree.args.get("joins") or ()]
        group, distinct = tree.args.get("group"), tree.args.get("distinct")
        for part in parts:
            rows |= select.value(part) if part is not None else NOTHING
        if distinct is not None or (group is not None and group.args.get("all")):
            rows |= frozenset().union(*(origins for _, origins in columns))
        return columns, indirect(rows)

    def _sources(self, scope: Scope) -> tuple[dict[str, Columns], Origins]:
        """Return the columns of each table of FROM and JOIN by its alias, and what decides their rows."""
        for join in scope.expression.args.get("joins") or ():
            if join.args.get("method") or join.args.get("using") or join.args.get("match_condition"):
                raise Opaque
        found: dict[str, Columns] = {}
        rows: Origins = NOTHING
        for alias, node, source in self._named(scope):
            if isinstance(node, exp.Table) and (node.args.get("pivots") or node.args.get("joins")):
                raise Opaque
            if isinstance(source, Scope):
                columns, inner = self._scope(source)
                names = [str(name) for name in node.alias_column_names] or [name for name, _ in columns]
                found[alias.lower()] = {
                    name.lower(): origins for name, (_, origins) in zip(names, columns, strict=False)
                }
                rows |= inner
            else:
                found[alias.lower()] = self._table(source)
        if len(found) != _count_sources(scope.expression):
            raise Opaque  # something stands in FROM that is neither a table nor a query
        return found, rows

    def _named(self, scope: Scope) -> Iterator[tuple[str, exp.Expr, exp.Expr | Scope]]:
        yield from ((alias, *pair) for alias, pair in scope.selected_sources.items())
        for join in scope.expression.args.get("joins") or ():
            if join.kind in _HALF:  # its columns can be named in ON only
                alias = join.this.alias_or_name
                if alias in scope.selected_sources or alias not in scope.sources:
                    raise Opaque
                yield alias, join.this, scope.sources[alias]

    def _table(self, source: exp.Expr) -> Columns:
        item = self._tables.get(source.name.lower()) if isinstance(source, exp.Table) else None
        if item is None:
            raise Opaque
        entity, schema = item
        return {field.name.lower(): frozenset((Origin(entity, field.name),)) for field in schema.fields}

    # --- UNION and its like ----------------------------------------------------------------------

    def _set_operation(
        self, scope: Scope, tree: exp.SetOperation
    ) -> tuple[list[tuple[str, Origins]], Origins]:
        if tree.args.get("by_name") or tree.args.get("on"):
            raise Opaque
        left_side, right_side = scope.set_operation_scopes
        left, left_rows = self._scope(left_side)
        right, right_rows = self._scope(right_side)
        if len(left) != len(right):
            raise Opaque
        rows = left_rows | right_rows
        every = frozenset().union(*(origins for _, origins in (*left, *right)))
        if not isinstance(tree, exp.Union) or tree.args.get("distinct"):
            rows |= indirect(every)
        if isinstance(tree, exp.Union):
            both = zip(left, right, strict=True)
            left = [(name, origins | others) for (name, origins), (_, others) in both]
        order = tree.args.get("order")
        if order is not None:
            select = _Select({})
            select.aliases = {name.lower(): origins for name, origins in left}
            rows |= indirect(select.value(order))
        return left, rows


class _Select:
    """The expressions of one SELECT.

    Attributes:
        aliases: Its own columns by name, for ORDER BY and HAVING.
    """

    def __init__(self, sources: Mapping[str, Columns]) -> None:
        self._sources = sources
        self.aliases: Columns = {}
        self._ways: tuple[tuple[tuple[type[exp.Expr], ...], Callable[..., Origins]], ...] = (
            ((exp.Column,), self._column),
            ((exp.Star,), self._star),
            (_MAKE_ROWS, self._opaque),
            ((exp.Window,), self._window),
            ((exp.Case,), self._case),
            ((exp.If,), lambda node: indirect(self.value(node.this)) | self._parts(node, "true", "false")),
            ((exp.Filter,), lambda node: self.value(node.this) | indirect(self.value(node.expression))),
        )

    def value(self, node: exp.Expr) -> Origins:
        """Return what an expression's value comes from; raises Opaque."""
        own = next((way for kinds, way in self._ways if isinstance(node, kinds)), None)
        if own is not None:
            return own(node)
        found = frozenset().union(*(self.value(child) for child in node.iter_expressions()))
        if isinstance(node, exp.AggFunc):
            return at_least("aggregation", found)
        return found if isinstance(node, _STRAIGHT) else at_least("transformation", found)

    def _column(self, node: exp.Column) -> Origins:
        name = node.name.lower()
        columns = self._sources.get(node.table.lower(), {}) if node.table else self.aliases
        if name not in columns:
            raise Opaque
        return columns[name]

    def _star(self, node: exp.Star) -> Origins:
        if isinstance(node.parent, exp.Count):  # count(*) counts rows
            return NOTHING
        raise Opaque

    def _opaque(self, _node: exp.Expr) -> Origins:
        raise Opaque

    def _window(self, node: exp.Window) -> Origins:
        rest = [*node.args.get("partition_by", ()), node.args.get("order"), node.args.get("spec")]
        if node.args.get("alias") is not None:  # a named window of the WINDOW clause
            raise Opaque
        decide = frozenset().union(*(self.value(part) for part in rest if isinstance(part, exp.Expr)))
        return self.value(node.this) | indirect(decide)

    def _case(self, node: exp.Case) -> Origins:
        compared = [node.this] if node.this is not None else []
        branches = node.args.get("ifs") or []
        asked = [self.value(part) for part in (*compared, *(branch.this for branch in branches))]
        given = frozenset().union(*(self._parts(branch, "true") for branch in branches))
        return indirect(frozenset().union(*asked)) | given | self._parts(node, "default")

    def _parts(self, node: exp.Expr, *names: str) -> Origins:
        found = (node.args.get(name) for name in names)
        values = frozenset().union(*(self.value(part) for part in found if part is not None))
        return at_least("transformation", values)


def at_least(how: str, origins: Iterable[Origin]) -> Origins:
    """Return origins of which none says less than `how`; what is indirect stays so."""
    return frozenset(one.replace(how=max(one.how, how, key=HOWS.index)) for one in origins)


def indirect(origins: Iterable[Origin]) -> Origins:
    """Return origins that decide, without being part of a value."""
    return frozenset(one.replace(how="indirect") for one in origins)


def _count_sources(tree: exp.Expr) -> int:
    first = tree.args.get("from_") or tree.args.get("from")
    return (first is not None) + len(tree.args.get("joins") or ())
