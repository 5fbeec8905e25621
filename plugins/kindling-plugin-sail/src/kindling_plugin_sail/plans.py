"""Requests to the engine: calls that Sail computes otherwise are replaced or refused before they are sent.

The plans of frames, SQL texts and expression texts all pass here, whoever made them.
"""

from __future__ import annotations

from typing import Any

from kindling_plugin_sail.portability import refused_call
from kindling_plugin_sail.rules import NEVER_NULL, REFUSED, REPLACED, Tree, is_needed
from kindling_plugin_sail.sql_text import corrected

_EXPRESSION = "spark.connect.Expression"
_NAMING = ("spark.connect.Project", "spark.connect.Aggregate")
_FIELDS = frozenset({"expressions", "aggregate_expressions"})


def correct(message: Any) -> None:  # noqa: ANN401  # a message of pyspark's protocol
    """Change a request in place.

    Raises:
        RunError: KDL-PORT-034 or KDL-PORT-035, it holds what cannot be corrected.
    """
    owner = message.DESCRIPTOR.full_name
    for field, value in message.ListFields():
        if field.message_type is None or field.message_type.GetOptions().map_entry:
            continue
        if hasattr(value, "DESCRIPTOR"):
            correct(value)
        else:
            _correct_each(value, names=owner in _NAMING and field.name in _FIELDS)
    if owner == _EXPRESSION:
        _correct_expression(message)
    elif owner == "spark.connect.SQL":
        message.query = corrected(message.query)
    elif owner == "spark.connect.SqlCommand" and message.sql:
        message.sql = corrected(message.sql)


def _correct_each(items: Any, *, names: bool) -> None:  # noqa: ANN401  # the same
    """Correct repeated messages; `names` says that they name columns, which stay as they were."""
    for item in items:
        shown = _name(item) if names else ""
        correct(item)
        if shown and item.WhichOneof("expr_type") != "alias" and _name(item) != shown:
            _alias(item, shown)


def _correct_expression(node: Any) -> None:  # noqa: ANN401  # the same
    kind = node.WhichOneof("expr_type")
    if kind == "expression_string":
        node.expression_string.expression = corrected(node.expression_string.expression)
    elif kind == "window":
        _correct_window(node)
    elif kind in ("unresolved_function", "call_function"):
        call = getattr(node, kind)
        name = call.function_name.lower()
        literals = [_literal(item) for item in call.arguments]
        if name in REFUSED and REFUSED[name][0](literals):
            raise refused_call(name, *REFUSED[name][1:])
        tree = REPLACED.get((name, len(literals)))
        if tree is not None and is_needed(name, literals):
            made = type(node)()
            _build(made, tree, [_copied(item) for item in call.arguments])
            node.CopyFrom(made)


def _correct_window(node: Any) -> None:  # noqa: ANN401  # the same
    call = node.window.window_function.unresolved_function  # empty for any other expression
    if call.function_name.lower() in NEVER_NULL:
        made = type(node)()
        _build(made, ("coalesce", "$0", ("array",)), [_copied(node)])
        node.CopyFrom(made)


def _copied(node: Any) -> Any:  # noqa: ANN401  # the same
    made = type(node)()
    made.CopyFrom(node)
    return made


def _build(node: Any, tree: Tree, args: list[Any]) -> None:  # noqa: ANN401  # the same
    """Fill an empty expression with a replacement."""
    if isinstance(tree, str) and tree.startswith("$"):
        node.CopyFrom(args[int(tree[1:])])
    elif not isinstance(tree, tuple):
        _build_literal(node, tree)
    elif tree[0] == "cast":
        _build(node.cast.expr, tree[1], args)
        node.cast.type_str = str(tree[2])
    else:
        node.unresolved_function.function_name = "when" if tree[0] == "case" else str(tree[0])
        for item in tree[1:]:
            _build(node.unresolved_function.arguments.add(), item, args)


def _build_literal(node: Any, value: str | int | bool | None) -> None:  # noqa: ANN401, FBT001  # the same; a literal
    if value is None:
        node.literal.null.null.SetInParent()
    elif isinstance(value, bool):
        node.literal.boolean = value
    elif isinstance(value, int):
        node.literal.integer = value
    else:
        node.literal.string = value


def _literal(node: Any) -> str | int | None:  # noqa: ANN401  # the same
    if node.WhichOneof("expr_type") != "literal":
        return None
    kind = node.literal.WhichOneof("literal_type")
    value: str | int | None = getattr(node.literal, kind) if kind in ("integer", "string") else None
    return value


def _name(node: Any) -> str:  # noqa: ANN401  # the same
    """Return the name that a bare call of columns and literals gives to its column, or ""."""
    kind = node.WhichOneof("expr_type")
    if kind == "unresolved_attribute":
        return str(node.unresolved_attribute.unparsed_identifier)
    if kind == "literal":
        return str(_literal(node) or "")
    if kind != "unresolved_function":
        return ""
    parts = [_name(item) for item in node.unresolved_function.arguments]
    return f"{node.unresolved_function.function_name}({', '.join(parts)})" if all(parts) else ""


def _alias(node: Any, name: str) -> None:  # noqa: ANN401  # the same
    made = type(node)()
    made.alias.expr.CopyFrom(node)
    made.alias.name.append(name)
    node.CopyFrom(made)
