"""Whether a decimal column's precision is certain: it was cast, or comes from a source as it is.

Both engines compute decimals exactly, but give results another precision (`sum`: +10 digits on Spark, always
38 on DuckDB), so a computed decimal must be cast before its type goes into a table.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import cast

from sqlglot import exp

_KEEPING = frozenset({"min", "max", "first", "last", "any_value", "first_value", "last_value", "lag", "lead"})
Trees = Callable[[str], "exp.Query | None"]


def is_settled(tree: exp.Query, column: str, trees: Trees) -> bool:
    """Tell whether an output column's decimal type is certain.

    Args:
        tree: A Spark query.
        column: Name of one of its output columns.
        trees: Returns the query behind a relation, or None for one that holds stored rows.
    """
    return _Trace(trees).query(cast("exp.Expression", tree), column.lower(), {})


class _Trace:
    def __init__(self, trees: Trees) -> None:
        self._trees = trees

    def query(self, tree: exp.Expression, column: str, outer: Mapping[str, exp.Expression]) -> bool:
        with_ = tree.args.get("with_")
        scope = {**outer, **{cte.alias.lower(): cte.this for cte in (with_.expressions if with_ else ())}}
        if isinstance(tree, exp.Subquery):
            return self.query(tree.this, column, scope)
        if isinstance(tree, exp.SetOperation):
            # The second side's columns may be named otherwise: its place counts.
            place = [name.lower() for name in tree.named_selects].index(column)
            other = [name.lower() for name in tree.expression.named_selects][place]
            return self.query(tree.this, column, scope) and self.query(tree.expression, other, scope)
        for item in tree.expressions:
            if item.alias_or_name.lower() == column:
                return self.expression(item, tree, scope)
        return self.source(tree, "", column, scope)

    def expression(
        self, node: exp.Expression, select: exp.Expression, scope: Mapping[str, exp.Expression]
    ) -> bool:
        while isinstance(node, (exp.Alias, exp.Paren, exp.Neg, exp.Window)):
            node = node.this
        if isinstance(node, (exp.Cast, exp.Literal)):
            return True
        if isinstance(node, exp.Column):
            return self.source(select, node.table.lower(), node.name.lower(), scope)
        if isinstance(node, exp.Anonymous) and node.name.lower() in _KEEPING:
            return len(node.expressions) == 1 and self.expression(node.expressions[0], select, scope)
        return False

    def source(
        self, select: exp.Expression, table: str, column: str, scope: Mapping[str, exp.Expression]
    ) -> bool:
        """Tell it of a column of the FROM clause; of all sources that may have it, each must be settled."""
        from_ = select.args.get("from_")
        sources = [from_, *(select.args.get("joins") or ())] if from_ else []
        found = [item.this for item in sources if not table or item.this.alias_or_name.lower() == table]
        return bool(found) and all(self._relation(item, column, scope) for item in found)

    def _relation(self, node: exp.Expression, column: str, scope: Mapping[str, exp.Expression]) -> bool:
        if isinstance(node, exp.Table):
            query = scope.get(node.name.lower()) or self._trees(node.name.lower())
            if query is None:
                return True
        elif isinstance(node, exp.Subquery):
            query = node.this
        else:
            return False
        names = [name.lower() for name in cast("exp.Query", query).named_selects]
        if column not in names and "*" not in names:
            return True
        return self.query(cast("exp.Expression", query), column, scope)
