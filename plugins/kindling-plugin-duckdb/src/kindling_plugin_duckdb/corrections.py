"""Spark SQL trees to DuckDB SQL text: every difference is corrected or refused, none passes unseen.

What is not known to mean the same on both engines is refused: a node class that is not in `_KEPT` or has
no method here, and a function that is not in the tables of `functions`.
"""

# ruff: noqa: S608  # SQL text is what this module makes

from __future__ import annotations

from collections.abc import Callable, Collection, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from typing import cast as typed

from sqlglot import ErrorLevel, exp
from sqlglot.errors import UnsupportedError

from kindling_plugin_duckdb import functions
from kindling_plugin_duckdb.aggregates import Aggregate, aggregate
from kindling_plugin_duckdb.calls import BUILDERS, date_part, literal_text
from kindling_plugin_duckdb.casts import cast
from kindling_plugin_duckdb.mixing import branches, literal
from kindling_plugin_duckdb.naming import name_outputs, place_keys
from kindling_plugin_duckdb.nodes import as_type, call, integer, plain
from kindling_plugin_duckdb.operators import OPERATORS
from kindling_plugin_duckdb.portability import (
    refused_syntax,
    unknown_function,
    unknown_table,
    wrong_arguments,
)
from kindling_plugin_duckdb.scopes import Columns, Scopes
from kindling_plugin_duckdb.typed import macro

_KEPT = (
    exp.Add, exp.Alias, exp.Aliases, exp.And, exp.Between, exp.BitwiseAnd, exp.BitwiseNot,
    exp.BitwiseOr, exp.BitwiseXor, exp.Boolean, exp.CTE, exp.Case, exp.Column, exp.Cube, exp.DataType,
    exp.DataTypeParam, exp.Distinct, exp.Dot, exp.EQ, exp.Except, exp.Exists, exp.From, exp.GT, exp.GTE,
    exp.Group, exp.GroupingSets, exp.Having, exp.Identifier, exp.If, exp.In, exp.Intersect, exp.Interval,
    exp.Is, exp.Join, exp.LT, exp.LTE, exp.Limit, exp.Literal, exp.Mul, exp.NEQ, exp.Neg, exp.Not, exp.Null,
    exp.NullSafeEQ, exp.NullSafeNEQ, exp.Offset, exp.Or, exp.Order, exp.Ordered, exp.Paren, exp.Qualify,
    exp.Rollup, exp.Select, exp.Star, exp.Sub, exp.Subquery, exp.Table, exp.TableAlias, exp.Tuple, exp.Union,
    exp.Values, exp.Var, exp.Where, exp.Window, exp.WindowSpec, exp.With,
)  # fmt: skip
_SYNTAX: dict[type[exp.Expression], tuple[str, str]] = {
    exp.Lateral: ("LATERAL VIEW", "write explode(...) in the SELECT list"),
    exp.Pivot: ("PIVOT", functions.HINTS["pivot"]),
    exp.TableSample: ("TABLESAMPLE", "filter by a hash of a key"),
    exp.Cluster: ("CLUSTER BY", "leave it out"),
    exp.Distribute: ("DISTRIBUTE BY", "leave it out"),
    exp.Sort: ("SORT BY", "write ORDER BY"),
}
_INDEXED = frozenset({"transform", "filter", "exists", "forall"})


@dataclass(frozen=True, slots=True)
class Translated:
    """A query in DuckDB's dialect.

    Attributes:
        sql: Its text.
        unions: For each UNION, EXCEPT and INTERSECT in it: the queries of both sides.
    """

    sql: str
    unions: tuple[tuple[str, str], ...] = ()


def duckdb_query(
    tree: exp.Query, tables: Mapping[str, str], columns: Columns = lambda _relation: None
) -> Translated:
    """Return a Spark query in DuckDB's dialect; the tree is changed.

    Args:
        tree: From `spark_text`.
        tables: DuckDB relation name by the table name (lower case) that stands in the query.
        columns: Returns the columns of a relation; what it knows makes the query simpler.

    Raises:
        RunError: KDL-PORT-02x, a part of it is not portable.
    """
    name_outputs(tree)
    made = _Correction(tables, columns).fix(typed("exp.Expression", tree))
    return Translated(_text(made), tuple(_sides(node) for node in made.find_all(exp.SetOperation)))


def duckdb_sql(tree: exp.Query, tables: Mapping[str, str]) -> str:
    """Return only the text of `duckdb_query`."""
    return duckdb_query(tree, tables).sql


def duckdb_expression(tree: exp.Expression) -> str:
    """Return the DuckDB text of a Spark expression; the tree is changed."""
    return _text(_Correction({}).fix(tree))


def _sides(node: exp.Expression) -> tuple[str, str]:
    """Return both sides of a set operation as queries of their own, with the CTEs that they see."""
    ctes: list[str] = []
    parent: exp.Expression | None = node
    while parent is not None:
        with_ = parent.args.get("with_")
        ctes = [_text(cte) for cte in (with_.expressions if with_ else ())] + ctes
        parent = typed("exp.Expression | None", parent.parent)
    prefix = f"WITH {', '.join(ctes)} SELECT * FROM " if ctes else "SELECT * FROM "
    return f"{prefix}({_text(node.this)}) AS l", f"{prefix}({_text(node.expression)}) AS r"


def _text(tree: exp.Expression) -> str:
    try:
        return tree.sql(dialect="duckdb", unsupported_level=ErrorLevel.IMMEDIATE)
    except UnsupportedError as error:
        raise refused_syntax(str(error), "write it another way") from error


class _Correction:
    """One walk over one query: children first, then the node itself."""

    def __init__(self, tables: Mapping[str, str], columns: Columns = lambda _relation: None) -> None:
        self._tables = tables
        self._scopes = Scopes(columns)
        self._ctes: set[str] = set()
        self._nodes: dict[type[exp.Expression], Callable[[exp.Expression], exp.Expression]] = {
            exp.Anonymous: self._call,
            exp.Window: self._window,
            exp.Filter: self._filter,
            exp.IgnoreNulls: self._ignore_nulls,
            exp.Cast: self._cast,
            exp.TryCast: self._cast,
            **OPERATORS,
            exp.Column: self._scopes.column,
            exp.Bracket: self._bracket,
            exp.Literal: literal,
        }

    def fix(self, node: exp.Expression) -> exp.Expression:
        """Return the translated form of a node; children are replaced in place."""
        kind = type(node)
        if kind in _SYNTAX:
            raise refused_syntax(*_SYNTAX[kind])
        special = self._parents.get(kind)
        if special:
            return special(self, node)
        self._children(node)
        handler = self._nodes.get(kind)
        if handler:
            return handler(node)
        if kind not in _KEPT:
            raise refused_syntax(
                f"{kind.__name__} ({node.sql(dialect='spark')[:60]})", "write it another way"
            )
        return node

    def _children(self, node: exp.Expression, skip: Collection[str] = ()) -> None:
        for key, child in list(node.args.items()):
            if key in skip:
                continue
            if isinstance(child, exp.Expression):
                node.set(key, self.fix(child))
            elif isinstance(child, list):
                node.set(key, [self.fix(c) if isinstance(c, exp.Expression) else c for c in child])

    # Nodes that must see their children before these are translated.

    def _select(self, node: exp.Expression) -> exp.Expression:
        node.set("hint", None)
        merged = any(
            join.args.get("using") or join.args.get("method") == "NATURAL"
            for join in node.args.get("joins") or ()
        )
        if merged and any(isinstance(item, exp.Star) for item in node.expressions):
            raise refused_syntax("SELECT * over JOIN ... USING", "name the columns: their order differs")
        with self._query_scope(node):
            for source in (node.args.get("from_"), *(node.args.get("joins") or ())):
                if source is not None:
                    source.set("this", self.fix(source.this))
            self._scopes.enter(node)
            for source in node.args.get("joins") or ():
                self._children(source, skip=("this",))
            self._children(node, skip=("with_", "from_", "joins", "having"))
            self._scopes.leave(node)
            self._scopes.hide_aliases(node)
            self._children(node, skip=set(node.args) - {"having"})
        place_keys(node)
        return node

    def _set_operation(self, node: exp.Expression) -> exp.Expression:
        with self._query_scope(node):
            self._children(node, skip=("with_",))
        return node

    @contextmanager
    def _query_scope(self, node: exp.Expression) -> Iterator[None]:
        """Translate the CTEs of a query; they and its columns are known inside only."""
        outer, with_ = self._ctes, node.args.get("with_")
        with self._scopes.closed():
            if with_:
                self._ctes = outer | {cte.alias.lower() for cte in with_.expressions}
                for cte in with_.expressions:
                    self._children(cte)
                    self._scopes.add_cte(cte, recursive=bool(with_.args.get("recursive")))
            yield
        self._ctes = outer

    def _like(self, node: exp.Expression) -> exp.Expression:
        self._children(node)
        return exp.Escape(this=node, expression=exp.Literal.string("\\"))

    def _escape(self, node: exp.Expression) -> exp.Expression:
        self._children(node.this)
        self._children(node, skip=("this",))
        return node

    def _lambda(self, node: exp.Expression) -> exp.Expression:
        parent = node.parent
        names = [name.name for name in node.expressions]
        if isinstance(parent, exp.Anonymous) and parent.name.lower() in _INDEXED and len(names) > 1:
            body = node.this
            for found in list(body.find_all(exp.Identifier)):
                if found.name == names[1]:
                    # DuckDB counts from 1 and in bigint, Spark from 0 and in int.
                    index = exp.Paren(this=exp.Sub(this=found.copy(), expression=integer(1)))
                    counted = exp.Cast(this=index, to=exp.DataType.build("INT"))
                    if found is body:
                        node.set("this", counted)
                    else:
                        found.replace(counted)
        node.set("this", self.fix(node.this))
        node.set("colon", True)  # sqlglot's flag for DuckDB's new lambda syntax
        return node

    def _struct_call(self, node: exp.Anonymous) -> exp.Expression:
        named = node.name.lower() == "named_struct"
        pairs: list[exp.Expression] = []
        args = node.expressions
        if named:
            for key, value in zip(args[0::2], args[1::2], strict=False):
                pairs.append(_field(literal_text("named_struct", key), self.fix(value)))
        else:
            for place, arg in enumerate(args, 1):
                value = arg.this if isinstance(arg, exp.Alias) else arg
                pairs.append(_field(arg.alias_or_name or f"col{place}", self.fix(value)))
        return exp.Struct(expressions=pairs)

    # Nodes whose children are translated already.

    def _call(self, node: exp.Expression) -> exp.Expression:
        return self._aggregate(node).finished() if self._is_aggregate(node) else self._function(node)

    def _is_aggregate(self, node: exp.Expression) -> bool:
        name = node.name.lower()
        return isinstance(node, exp.Anonymous) and (
            name in functions.AGGREGATES or name in functions.WINDOW_ONLY
        )

    def _aggregate(
        self, node: exp.Expression, *, ignore_nulls: bool = False, over: bool = False
    ) -> Aggregate:
        return aggregate(node.name.lower(), node.expressions, ignore_nulls=ignore_nulls, over=over)

    def _function(self, node: exp.Expression) -> exp.Expression:
        name, args = node.name.lower(), node.expressions
        if any(isinstance(arg, (exp.Distinct, exp.Alias)) for arg in args):
            raise wrong_arguments(name, "DISTINCT or a name stands among its arguments")
        args = branches(name, args)
        if name in BUILDERS:
            return self._built(name, args)
        if name in functions.MACRO_CALLS:
            by_count = functions.MACRO_CALLS[name]
            if len(args) not in by_count:
                why = f"{len(args)} arguments are not portable"
                raise wrong_arguments(name, why, functions.HINTS.get(name, ""))
            return macro(by_count[len(args)], *args)
        return _tabled(name, args)

    def _built(self, name: str, args: list[exp.Expression]) -> exp.Expression:
        try:
            return BUILDERS[name](args)
        except IndexError as error:
            raise wrong_arguments(name, f"{len(args)} arguments are too few") from error

    def _parted(self, node: exp.Expression, *, over: bool) -> Aggregate:
        """Return the aggregate below a FILTER and IGNORE NULLS, with the filter attached to its call."""
        if isinstance(node, exp.Filter):
            inner = self._parted(node.this, over=over)
            where = self.fix(node.expression.this)
            kept = exp.And(this=where, expression=inner.keep) if inner.keep else where
            return Aggregate(inner.call, inner.around, kept)
        if isinstance(node, (exp.IgnoreNulls, exp.RespectNulls)):
            ignore = isinstance(node, exp.IgnoreNulls)
            self._children(node.this)
            return self._aggregate(self._known(node.this), ignore_nulls=ignore, over=over)
        self._children(node)
        return self._aggregate(self._known(node), over=over)

    def _known(self, node: exp.Expression) -> exp.Expression:
        if not self._is_aggregate(node):
            name = node.name.lower() or type(node).__name__
            raise unknown_function(name, tuple(functions.PORTABLE), functions.HINTS.get(name, ""))
        return node

    def _window(self, node: exp.Expression) -> exp.Expression:
        if isinstance(node.this, exp.Identifier):  # a definition of the WINDOW clause
            self._children(node, skip=("this",))
            return node
        parted = self._parted(node.this, over=True)
        self._children(node, skip=("this",))
        node.set("this", parted.filtered())
        return parted.around(node)

    def _filter(self, node: exp.Expression) -> exp.Expression:
        return self._parted(node, over=False).finished()

    _ignore_nulls = _filter

    def _cast(self, node: exp.Expression) -> exp.Expression:
        safe = isinstance(node, exp.TryCast) and bool(node.args.get("safe"))
        return cast(node.this, node.args["to"], safe=safe)

    def _bracket(self, node: exp.Expression) -> exp.Expression:
        key = node.expressions[0]
        if len(node.expressions) != 1 or isinstance(key, exp.Slice):
            raise refused_syntax("a slice in brackets", "write slice(array, start, length)")
        if isinstance(plain(key), exp.Literal) and plain(key).is_string:
            return exp.Bracket(this=node.this, expressions=[key])
        return macro("item", node.this, key)

    def _table(self, node: exp.Expression) -> exp.Expression:
        name = node.name
        if not isinstance(node.this, exp.Identifier):
            raise refused_syntax(f"the table function {node.this.sql(dialect='spark')[:40]}", "use an input")
        self._children(node)
        if node.args.get("db") is None and name.lower() in self._ctes:
            self._scopes.note_table(node, None)
            return node
        relation = self._tables.get(name.lower()) if node.args.get("db") is None else None
        if relation is None:
            raise unknown_table(node.sql(dialect="spark"), tuple(self._tables))
        alias = node.args.get("alias") or exp.TableAlias(this=exp.to_identifier(name, quoted=True))
        node.set("alias", alias)
        node.set("this", exp.to_identifier(relation, quoted=True))
        self._scopes.note_table(node, relation)
        return node

    def _anonymous(self, node: exp.Expression) -> exp.Expression:
        if node.name.lower() in ("struct", "named_struct") and isinstance(node, exp.Anonymous):
            return self._struct_call(node)
        self._children(node)
        return self._call(node)

    _parents: Mapping[type[exp.Expression], Callable[[_Correction, exp.Expression], exp.Expression]] = {
        exp.Select: _select,
        **dict.fromkeys((exp.Union, exp.Except, exp.Intersect, exp.Subquery), _set_operation),
        exp.Like: _like,
        exp.ILike: _like,
        exp.Escape: _escape,
        exp.Lambda: _lambda,
        exp.Anonymous: _anonymous,
        exp.Table: _table,
        exp.Window: _window,
        exp.Filter: _filter,
        exp.IgnoreNulls: _ignore_nulls,
        exp.RespectNulls: _ignore_nulls,
    }


def _tabled(name: str, args: list[exp.Expression]) -> exp.Expression:
    """Return a call that one of the tables of `functions` translates whatever its arguments are."""
    if name in functions.DATE_PARTS and name not in functions.EXTRACT_ONLY:
        return date_part(functions.DATE_PARTS[name], args)
    if name in functions.INTEGERS:
        return as_type(call(functions.INTEGERS[name], *args), "INTEGER")
    if name in functions.CAST_CALLS and len(args) == 1:
        return cast(args[0], exp.DataType.build(functions.CAST_CALLS[name], dialect="spark"), safe=False)
    if name in functions.SAME or name in functions.RENAMED:
        return call(functions.RENAMED.get(name, name), *args)
    raise unknown_function(name, tuple(functions.PORTABLE), functions.HINTS.get(name, ""))


def _field(name: str, value: exp.Expression) -> exp.Expression:
    return exp.PropertyEQ(this=exp.to_identifier(name, quoted=True), expression=value)
