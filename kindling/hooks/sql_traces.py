"""The columns of a Spark SQL query and the inputs that they come from, read off sqlglot's tree.

sqlglot is imported by the functions that need it; a platform whose plans hold SQL text depends on it.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from typing import TYPE_CHECKING, TypeAlias

from kindling.hooks.sql_origins import expression_origins, generators
from kindling.hooks.traces import NONE, OpaqueError, Origins, Part, Trace, merged, through

if TYPE_CHECKING:
    from sqlglot import exp

Tables: TypeAlias = Callable[[str], Trace]
"""The trace of a table by its name; raises OpaqueError for one that is not known."""

_SELECT_PARTS = frozenset(
    (
        "with_",
        "with",
        "kind",
        "expressions",
        "hint",
        "distinct",
        "from_",
        "from",
        "joins",
        "laterals",
        "where",
        "group",
        "having",
        "qualify",
        "windows",
        "distribute",
        "sort",
        "cluster",
        "order",
        "limit",
        "offset",
    )
)
_SET_PARTS = frozenset(
    ("with_", "with", "this", "expression", "distinct", "by_name", "order", "limit", "offset")
)
_TABLE_PARTS = frozenset(("this", "alias", "joins", "laterals"))


def parsed(text: str) -> exp.Expr:
    """Return the tree of a Spark SQL text; an installation without sqlglot understands none."""
    try:
        from sqlglot import errors, parse_one
    except ImportError as error:
        raise OpaqueError from error
    try:
        return parse_one(text, read="spark")
    except errors.SqlglotError as error:
        raise OpaqueError from error


def query_trace(tree: exp.Expr, tables: Tables, outer: Trace | None = None) -> Trace:
    """Return the trace of a query.

    Args:
        tree: A SELECT, a set operation, or one of these in brackets.
        tables: What its tables are.
        outer: The columns around a subquery, which it may name.

    Raises:
        OpaqueError: A part of it is not understood.
    """
    from sqlglot import exp

    tables = _with_ctes(tree, tables)
    if isinstance(tree, exp.Select):
        return _Select(tree, tables, outer).trace()
    if isinstance(tree, exp.SetOperation):
        return _set_operation(tree, tables, outer)
    if isinstance(tree, exp.Subquery):
        _only(tree, _TABLE_PARTS)
        return query_trace(tree.this, tables, outer)
    if isinstance(tree, exp.Values):
        return _values(tree)
    raise OpaqueError


def selected(text: str, scope: Trace) -> Trace:
    """Return the columns that a text of expressions makes of those in scope; it may end in aliases."""
    from sqlglot import exp

    tree = parsed(f"SELECT {text}")  # nothing is computed
    if not isinstance(tree, exp.Select) or tree.args.get("from_") or tree.args.get("from"):
        raise OpaqueError
    made = _Select(tree, _nothing, None)
    made.scope = scope
    return made.trace()


class _Select:
    """One SELECT: its scope, then its clauses."""

    def __init__(self, tree: exp.Select, tables: Tables, outer: Trace | None) -> None:
        _only(tree, _SELECT_PARTS)
        self.tree = tree
        self.tables = tables
        self.outer = outer
        self.scope = Trace()
        self.made: dict[str, Origins] = {}
        self.more = NONE

    def trace(self) -> Trace:
        self._sources()
        tree = self.tree
        parts = [part for item in tree.expressions for part in self._item(item)]
        rows = self.scope.rows | self.more
        result = Trace(tuple(parts), rows).decided(*self._clauses(parts))
        return result.distinct() if tree.args.get("distinct") else result

    def _sources(self) -> None:
        tree = self.tree
        start = tree.args.get("from_") or tree.args.get("from")
        if start is not None:
            self.scope = self._table(start.this)
        self._joins(tree.args.get("joins") or ())
        for lateral in tree.args.get("laterals") or ():
            self._lateral(lateral)
        if tree.args.get("where"):
            self.scope = self.scope.decided(self._origins(tree.args["where"].this))

    def _table(self, node: exp.Expr) -> Trace:
        from sqlglot import exp

        _only(node, _TABLE_PARTS if not isinstance(node, exp.Values) else frozenset(("expressions", "alias")))
        if isinstance(node, exp.Table):
            if node.db or not isinstance(node.this, exp.Identifier):
                raise OpaqueError
            found = self.tables(node.name)
        else:
            found = query_trace(node, self.tables, self.outer)
        columns = node.alias_column_names
        name = node.alias or (node.name if isinstance(node, exp.Table) else "")
        found = (found.renamed(columns) if columns else found).named(name)
        outer_scope, self.scope = self.scope, found
        self._joins(node.args.get("joins") or ())
        for lateral in node.args.get("laterals") or ():
            self._lateral(lateral)
        found, self.scope = self.scope, outer_scope
        return found

    def _joins(self, joins: Iterable[exp.Join]) -> None:
        for join in joins:
            _only(join, frozenset(("this", "method", "side", "kind", "on", "using", "global_", "hint")))
            other = self._table(join.this)
            using = [item.name for item in join.args.get("using") or ()]
            if join.method == "NATURAL":
                using = [part.name for part in self.scope.parts if other.found((part.name,)) is not None]
            elif join.method:
                raise OpaqueError
            condition = join.args.get("on")
            if condition is not None:
                both = self.scope.joined(other, "inner")
                kept = self._origins(condition, both)
                self.scope = self.scope.joined(other, _kind(join)).decided(kept)
            else:
                self.scope = self.scope.joined(other, _kind(join), using)

    def _lateral(self, node: exp.Lateral) -> None:
        if not node.args.get("view") or node.args.get("ordinality"):
            raise OpaqueError
        names = node.alias_column_names
        if not names:
            raise OpaqueError
        origins = self._origins(node.this)
        parts = tuple(Part(name, origins, node.alias.lower()) for name in names)
        scope = self.scope
        self.scope = Trace((*scope.parts, *parts), scope.rows, scope.hidden).decided(origins)

    def _item(self, item: exp.Expr) -> list[Part]:
        """Return the columns of one item of the list; what it makes of rows is noted."""
        from sqlglot import exp

        stars = self._star(item)
        if stars is not None:
            return stars
        made = list(generators(item))
        for call in made:
            self.more |= through(self._origins(call), "indirect")
        if isinstance(item, exp.Aliases):
            origins = self._origins(item.this)
            return [Part(str(name), origins) for name in item.aliases]
        origins = self._origins(item)
        name = item.alias_or_name if isinstance(item, (exp.Alias, exp.Column, exp.Dot)) else ""
        if isinstance(item, exp.Dot):
            name = item.expression.name
        if any(not isinstance(call, exp.Explode) or isinstance(call, exp.Posexplode) for call in made):
            raise OpaqueError  # several columns, of which nobody knows the names
        if isinstance(item, exp.Alias):
            self.made[name.lower()] = origins
        return [Part(name, origins)]

    def _star(self, item: exp.Expr) -> list[Part] | None:
        from sqlglot import exp

        is_qualified = isinstance(item, exp.Column) and isinstance(item.this, exp.Star)
        if not is_qualified and not isinstance(item, exp.Star):
            return None
        star = item.this if isinstance(item, exp.Column) else item
        _only(star, frozenset(("except_", "except")))
        left_out = star.args.get("except_") or star.args.get("except") or ()
        names = {node.name.lower() for node in left_out}
        if isinstance(item, exp.Column) and (item.db or not item.table):
            raise OpaqueError
        parts = self.scope.of(item.table) if isinstance(item, exp.Column) else self.scope.parts
        return [Part(part.name, part.origins) for part in parts if part.name.lower() not in names]

    def _clauses(self, parts: list[Part]) -> list[Origins]:
        """Return what decides about rows after the list: its aliases may be named there."""
        from sqlglot import exp

        tree, found = self.tree, []
        group = tree.args.get("group")
        if group is not None:
            if group.args.get("all"):
                found += [
                    self._origins(item.unalias())
                    for item in tree.expressions
                    if not list(item.find_all(exp.AggFunc))
                ]
            for clause in ("expressions", "rollup", "cube", "grouping_sets"):
                listed = group.args.get(clause) or ()
                found += [self._ordinal(node, parts) for node in listed if isinstance(node, exp.Expr)]
        for clause in ("having", "qualify"):
            if tree.args.get(clause):
                found.append(self._origins(tree.args[clause].this))
        for clause in ("order", "sort", "distribute", "cluster"):
            if tree.args.get(clause):
                found += [self._ordinal(node, parts) for node in tree.args[clause].expressions]
        return found

    def _ordinal(self, node: exp.Expr, parts: list[Part]) -> Origins:
        """Return the origins of a key, which may be the number or the name of a column of the list."""
        from sqlglot import exp

        bare = node.this if isinstance(node, exp.Ordered) else node
        if isinstance(bare, exp.Literal) and not bare.is_string:
            place = int(bare.name) - 1
            if not 0 <= place < len(parts):
                raise OpaqueError
            return parts[place].origins
        named = [part.origins for part in parts if part.name.lower() == bare.name.lower()]
        if isinstance(bare, exp.Column) and not bare.table and named:
            own = self.scope.found((bare.name,))
            return merged((*named, own or NONE))
        return self._origins(bare)

    def _origins(self, node: exp.Expr, scope: Trace | None = None) -> Origins:
        found, rows = expression_origins(
            node, self._resolver(scope or self.scope), self._subquery, self._window
        )
        self.more |= rows
        return found

    def _resolver(self, scope: Trace) -> Callable[[list[str]], Origins]:
        def resolve(names: list[str]) -> Origins:
            found = scope.found(names)
            if found is None and len(names) == 1:
                found = self.made.get(names[0].lower())
            if found is None and self.outer is not None:
                found = self.outer.found(names)
            if found is None:
                raise OpaqueError
            return found

        return resolve

    def _subquery(self, tree: exp.Expr) -> Trace:
        outer = self.scope
        if self.outer is not None:
            outer = Trace((*outer.parts, *outer.hidden), outer.rows, (*self.outer.parts, *self.outer.hidden))
        return query_trace(tree, self.tables, outer)

    def _window(self, name: str) -> exp.Expr:
        for window in self.tree.args.get("windows") or ():
            if window.name.lower() == name.lower():
                found: exp.Expr = window
                return found
        raise OpaqueError


def _nothing(_name: str) -> Trace:
    raise OpaqueError


def _with_ctes(tree: exp.Expr, tables: Tables) -> Tables:
    clause = tree.args.get("with_") or tree.args.get("with")
    if clause is None:
        return tables
    if clause.args.get("recursive"):
        raise OpaqueError
    known: dict[str, Trace] = {}

    def lookup(name: str) -> Trace:
        return known[name.lower()] if name.lower() in known else tables(name)

    for cte in clause.expressions:
        found = query_trace(cte.this, lookup)
        columns = cte.alias_column_names
        known[cte.alias.lower()] = found.renamed(columns) if columns else found
    return lookup


def _set_operation(tree: exp.SetOperation, tables: Tables, outer: Trace | None) -> Trace:
    from sqlglot import exp

    _only(tree, _SET_PARTS)
    left, right = query_trace(tree.this, tables, outer), query_trace(tree.expression, tables, outer)
    if isinstance(tree, exp.Union):
        made = left.united(right, by_name=bool(tree.args.get("by_name")))
        made = made.distinct() if tree.args.get("distinct") else made
    else:
        made = left.compared(right)
    order = tree.args.get("order")
    if order is None:
        return made

    def resolve(names: list[str]) -> Origins:
        return made.require(names)

    def refuse(_node: object) -> Trace:
        raise OpaqueError

    keys = []
    for node in order.expressions:
        if isinstance(node.this, exp.Literal):
            keys.append(made.parts[int(node.this.name) - 1].origins)
        else:
            keys.append(expression_origins(node.this, resolve, refuse, None)[0])
    return made.decided(*keys)


def _values(tree: exp.Values) -> Trace:
    from sqlglot import exp

    if list(tree.find_all(exp.Column)):
        raise OpaqueError
    first = tree.expressions[0]
    width = len(first.expressions) if isinstance(first, exp.Tuple) else 1
    return Trace.constant(f"col{place}" for place in range(1, width + 1))


def _kind(join: exp.Join) -> str:
    kind, side = (join.kind or "").upper(), (join.side or "").upper()
    if kind in ("SEMI", "ANTI"):
        return kind.lower()
    if kind not in ("", "INNER", "OUTER", "CROSS"):
        raise OpaqueError
    return side.lower() or kind.lower() or "inner"


def _only(node: exp.Expr, known: Iterable[str]) -> None:
    """Refuse a node with a clause that nobody here has heard of."""
    given: Mapping[str, object] = node.args
    if any(value not in (None, False, "", []) and name not in known for name, value in given.items()):
        raise OpaqueError
