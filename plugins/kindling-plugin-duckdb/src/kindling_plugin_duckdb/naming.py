"""Names of computed columns in queries: Spark's where it is known exactly, else a refusal; and group keys."""

from __future__ import annotations

from typing import cast

from sqlglot import exp

from kindling_plugin_duckdb.portability import unnamed_column

_NAMED_AGGREGATES = frozenset({"sum", "avg", "min", "max", "count"})


def name_outputs(tree: exp.Query) -> None:
    """Give each unnamed column of a query, its CTEs and FROM subqueries the name that Spark gives it.

    Raises:
        RunError: KDL-PORT-022, Spark's name of a column is not known here.
    """
    for select in tree.find_all(exp.Select):
        if _shows_names(select):
            select.set("expressions", [_named(item) for item in select.expressions])


def place_keys(select: exp.Expression) -> None:
    """Name a GROUP BY key by its place where it repeats a computed column, so that DuckDB binds it once.

    Args:
        select: A translated SELECT; its GROUP BY is changed.
    """
    group = select.args.get("group")
    items = [item.this if isinstance(item, exp.Alias) else item for item in select.expressions]
    keys = group.expressions if group else ()
    for key in keys:
        if not isinstance(key, (exp.Column, exp.Literal)) and key in items:
            key.replace(exp.Literal.number(items.index(key) + 1))


def spark_name(node: exp.Expression) -> str:
    """Return the name that Spark gives a computed column, or "" where it is not known exactly."""
    if isinstance(node, exp.Cast) and isinstance(node.this, (exp.Column, exp.Dot)):
        return str(node.this.name)
    if isinstance(node, exp.Anonymous) and node.name.lower() in _NAMED_AGGREGATES:
        args = node.expressions
        if len(args) == 1 and isinstance(args[0], exp.Column) and not args[0].table:
            return f"{node.name.lower()}({'1' if isinstance(args[0].this, exp.Star) else args[0].name})"
        if len(args) == 1 and isinstance(args[0], (exp.Star, exp.Literal)) and args[0].name in ("*", "1"):
            return "count(1)" if node.name.lower() == "count" else ""
    return ""


def _shows_names(select: exp.Select) -> bool:
    """Tell whether the names of a SELECT's columns can be seen: not in scalar subqueries, EXISTS, IN."""
    node: exp.Expression = select
    while isinstance(node.parent, (exp.SetOperation, exp.Subquery)):
        if isinstance(node.parent, exp.SetOperation) and node.arg_key == "expression":
            return False  # the first query of a UNION names its columns
        if isinstance(node.parent, exp.Subquery) and isinstance(node.parent.parent, (exp.From, exp.Join)):
            return True
        node = cast("exp.Expression", node.parent)
    return node.parent is None or isinstance(node.parent, exp.CTE)


def _named(item: exp.Expression) -> exp.Expression:
    if isinstance(item, (exp.Alias, exp.Aliases, exp.Column, exp.Dot, exp.Star)):
        return item
    name = spark_name(item)
    if not name:
        raise unnamed_column(item.sql(dialect="spark"))
    return exp.Alias(this=item, alias=exp.to_identifier(name, quoted=True))
