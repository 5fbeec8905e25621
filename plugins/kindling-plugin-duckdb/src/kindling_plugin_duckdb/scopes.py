"""Which columns a SELECT sees and of which types, so that expressions over them need no macro that asks.

A column is looked up in its own SELECT only; what is not certain there has no type.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from typing import TypeAlias

from sqlglot import exp

from kindling_plugin_duckdb.kinds import KIND, kind_of

Kinds: TypeAlias = Mapping[str, "str | None"]
"""Type by column name in lower case; None where it is not certain."""
Columns: TypeAlias = Callable[[str], "Sequence[tuple[str, str]] | None"]
"""Returns a relation's column names and DuckDB types; None for an unknown relation."""
_OUTPUT = "kdl_output"


class Scopes:
    """The SELECTs around the node that is translated, innermost last."""

    def __init__(self, columns: Columns) -> None:
        self._columns = columns
        self._ctes: dict[str, Kinds | None] = {}
        # None: nothing is known there. Else the sources by their alias, and names that aliases may hide.
        self._stack: list[tuple[Mapping[str, Kinds | None], frozenset[str]] | None] = []

    @contextmanager
    def closed(self) -> Iterator[None]:
        """Look up no column inside: set operations, and FROM clauses before they are known."""
        self._stack.append(None)
        ctes = dict(self._ctes)
        try:
            yield
        finally:
            self._stack.pop()
            self._ctes = ctes

    def add_cte(self, cte: exp.Expression, *, recursive: bool) -> None:
        """Remember a translated CTE for the queries after it."""
        renamed = cte.args["alias"].args.get("columns")
        self._ctes[cte.alias.lower()] = None if renamed or recursive else output(cte.this)

    def note_table(self, node: exp.Expression, relation: str | None) -> None:
        """Note the columns of a table of the FROM clause: of a relation, or of the CTE of its name."""
        if relation is None:
            node.meta[_OUTPUT] = self._ctes.get(node.name.lower())
        else:
            columns = self._columns(relation)
            node.meta[_OUTPUT] = None if columns is None else {name.lower(): kind for name, kind in columns}

    def enter(self, select: exp.Expression) -> None:
        """Open the columns of a SELECT whose FROM clause is translated."""
        from_ = select.args.get("from_")
        nodes = [from_.this, *(join.this for join in select.args.get("joins") or ())] if from_ else []
        self._stack[-1] = ({node.alias_or_name.lower(): output(node) for node in nodes}, frozenset())

    def hide_aliases(self, select: exp.Expression) -> None:
        """Enter HAVING, the one clause where DuckDB takes an alias before a column of that name."""
        here = self._stack[-1]
        if here is not None:
            aliases = {item.alias.lower() for item in select.expressions if isinstance(item, exp.Alias)}
            self._stack[-1] = (here[0], frozenset(aliases))

    def leave(self, select: exp.Expression) -> None:
        """Note the types of a translated SELECT's own columns, in order."""
        here = self._stack[-1]
        found: dict[str, str | None] = {}
        count = 0
        for item in select.expressions:
            kinds = self._stars(item, here[0] if here else {})
            if kinds is None:
                return
            count += len(kinds)
            found.update(kinds)
        if count == len(found):  # else two columns have one name
            select.meta[_OUTPUT] = found

    def _stars(self, item: exp.Expression, sources: Mapping[str, Kinds | None]) -> Kinds | None:
        if isinstance(item, exp.Star) and not item.args.get("except_") and len(sources) == 1:
            return next(iter(sources.values()))
        if isinstance(item, exp.Alias):
            return {item.alias.lower(): kind_of(item.this)}
        if isinstance(item, exp.Column) and isinstance(item.this, exp.Identifier):
            return {item.name.lower(): kind_of(item)}
        return None

    def column(self, node: exp.Expression) -> exp.Expression:
        """Note the type of a column."""
        here = self._stack[-1] if self._stack else None
        name, table = node.name.lower(), node.args.get("table")
        if here is None or name in here[1] or not isinstance(node.this, exp.Identifier):
            return node
        sources, _ = here
        if node.args.get("db") or (table is not None and table.name.lower() not in sources):
            return node
        seen = [sources[table.name.lower()]] if table is not None else list(sources.values())
        if not sources or None in seen:
            return node
        kinds = {kinds[name] for kinds in seen if kinds is not None and name in kinds}
        if len(kinds) == 1:
            node.meta[KIND] = kinds.pop()
        return node


def output(query: exp.Expression) -> Kinds | None:
    """Return the types of a translated query's or table's columns, None where they are not known."""
    alias = query.args.get("alias")
    if isinstance(alias, exp.TableAlias) and alias.args.get("columns"):
        return None
    if isinstance(query, exp.Subquery):
        return output(query.this)
    if isinstance(query, exp.SetOperation):
        left, right = output(query.this), output(query.expression)
        if left is None or right is None or len(left) != len(right):
            return None
        pairs = zip(left.items(), right.values(), strict=True)
        return {name: kind if kind == other else None for (name, kind), other in pairs}
    found: Kinds | None = query.meta.get(_OUTPUT)
    return found
