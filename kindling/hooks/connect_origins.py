"""The inputs that one expression of a Spark Connect plan comes from."""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping, Sequence
from typing import Any

from kindling.hooks.sql_traces import selected
from kindling.hooks.traces import (
    AGGREGATES,
    GENERATORS,
    NONE,
    OpaqueError,
    Origins,
    Part,
    Trace,
    merged,
    through,
)

_SCALAR_UDFS = (100, 101, 200, 204, 250, 251)
"""Python functions of one row's values. Source: pyspark 4.2, `PythonEvalType`."""
_PART = re.compile(r"`((?:[^`]|``)*)`|([^.`]+)")


class Scope:
    """The columns that an expression may name.

    Attributes:
        trace: Those of the step below.
        plans: The traces of all steps by plan id: `frame["x"]` names a column of one of them.
        rows: What the expressions that were looked at decide about rows: calls that make several of one.
    """

    def __init__(self, trace: Trace, plans: Mapping[int, Trace]) -> None:
        self.trace = trace
        self.plans = plans
        self.rows: Origins = NONE

    def found(self, attribute: Any) -> Origins:  # noqa: ANN401  # a message of pyspark's protocol
        """Return the origins of an attribute."""
        names = name_parts(attribute.unparsed_identifier)
        if not attribute.HasField("plan_id"):
            return self.trace.require(names)
        if not self.parts_of(attribute):
            raise OpaqueError
        return self.plans[int(attribute.plan_id)].require(names)

    def parts_of(self, attribute: Any) -> list[Part]:  # noqa: ANN401  # the same
        """Return the columns of the step below that an attribute names."""
        names = [name.lower() for name in name_parts(attribute.unparsed_identifier)]
        if not attribute.HasField("plan_id"):
            is_qualified = len(names) > 1
            return [
                part
                for part in self.trace.parts
                if part.name.lower() == names[-1] and (not is_qualified or part.qualifier == names[0])
            ]
        plan = self.plans.get(int(attribute.plan_id))
        if plan is None:
            raise OpaqueError
        marks = [part.mark for part in plan.parts if part.name.lower() == names[0]]
        return [part for part in (*self.trace.parts, *self.trace.hidden) if part.mark in marks]


def items(node: Any, scope: Scope) -> list[Part]:  # noqa: ANN401  # the same
    """Return the columns that one item of a list makes."""
    kind = node.WhichOneof("expr_type")
    if kind == "unresolved_star":
        return [Part(part.name, part.origins, mark=part.mark) for part in _star(node.unresolved_star, scope)]
    if kind == "expression_string":
        made = selected(node.expression_string.expression, scope.trace)
        scope.rows |= made.rows - scope.trace.rows
        return list(made.parts)
    if kind == "unresolved_attribute":
        found = scope.parts_of(node.unresolved_attribute)
        if len(found) == 1 and len(name_parts(node.unresolved_attribute.unparsed_identifier)) == 1:
            return [Part(found[0].name, found[0].origins, found[0].qualifier, found[0].mark)]
    origins = expression_origins(node, scope)
    if kind == "alias":
        return [Part(name, origins) for name in node.alias.name]
    return [Part(column_name(node), origins)]


def expression_origins(node: Any, scope: Scope) -> Origins:  # noqa: ANN401  # the same
    """Return what an expression comes from.

    Raises:
        OpaqueError: A part of it is not understood.
    """
    kind = node.WhichOneof("expr_type")
    taken = _KINDS.get(kind)
    if taken is None:
        raise OpaqueError
    return taken(getattr(node, kind), scope)


def column_name(node: Any) -> str:  # noqa: ANN401  # the same
    """Return the name of an expression's column; "" where the engine makes one up."""
    kind = node.WhichOneof("expr_type")
    if kind == "unresolved_attribute":
        return name_parts(node.unresolved_attribute.unparsed_identifier)[-1]
    if kind == "unresolved_extract_value":
        return str(node.unresolved_extract_value.extraction.literal.string)
    return ""


def name_parts(text: str) -> list[str]:
    """Return the parts of a name as users write it, backticks removed."""
    found = [quoted.replace("``", "`") or plain for quoted, plain in _PART.findall(text)]
    if not found:
        raise OpaqueError
    return found


def _star(star: Any, scope: Scope) -> Sequence[Part]:  # noqa: ANN401  # the same
    if star.HasField("plan_id"):
        raise OpaqueError
    target = star.unparsed_target.removesuffix(".*") if star.HasField("unparsed_target") else ""
    return scope.trace.of(name_parts(target)[-1]) if target else scope.trace.parts


def _text(node: Any, scope: Scope) -> Origins:  # noqa: ANN401  # the same
    made = selected(node.expression, scope.trace)
    scope.rows |= made.rows - scope.trace.rows
    return merged(part.origins for part in made.parts)


def _call(node: Any, scope: Scope) -> Origins:  # noqa: ANN401  # the same
    name = node.function_name.lower()
    arguments = list(node.arguments)
    if name == "count" and [item.WhichOneof("expr_type") for item in arguments] == ["unresolved_star"]:
        return NONE
    found = [expression_origins(item, scope) for item in arguments]
    if name == "when":
        conditions = found[: len(found) // 2 * 2 : 2]
        values = found[1::2] + (found[-1:] if len(found) % 2 else [])
        return through(merged(conditions), "indirect") | through(merged(values), "transformation")
    origins = through(merged(found), "aggregation" if name in AGGREGATES else "transformation")
    if name in GENERATORS:
        scope.rows |= through(origins, "indirect")
    return origins


def _window(node: Any, scope: Scope) -> Origins:  # noqa: ANN401  # the same
    keys = [*node.partition_spec, *(order.child for order in node.order_spec)]
    decided = merged(expression_origins(key, scope) for key in keys)
    value = expression_origins(node.window_function, scope)
    return through(value, "aggregation") | through(decided, "indirect")


def _function(node: Any, scope: Scope) -> Origins:  # noqa: ANN401  # the same
    if node.WhichOneof("function") != "python_udf" or node.python_udf.eval_type not in _SCALAR_UDFS:
        raise OpaqueError
    return _inner(scope, *node.arguments)


def _inner(scope: Scope, *nodes: Any) -> Origins:  # noqa: ANN401  # the same
    return through(merged(expression_origins(node, scope) for node in nodes), "transformation")


_KINDS: Mapping[str, Callable[[Any, Scope], Origins]] = {
    "literal": lambda _node, _scope: NONE,
    "unresolved_attribute": lambda node, scope: scope.found(node),
    "unresolved_function": _call,
    "call_function": _call,
    "expression_string": _text,
    "alias": lambda node, scope: expression_origins(node.expr, scope),
    "cast": lambda node, scope: _inner(scope, node.expr),
    "sort_order": lambda node, scope: expression_origins(node.child, scope),
    "lambda_function": lambda node, scope: _inner(scope, node.function),
    "unresolved_named_lambda_variable": lambda _node, _scope: NONE,
    "window": _window,
    "unresolved_extract_value": lambda node, scope: _inner(scope, node.child, node.extraction),
    "update_fields": lambda node, scope: _inner(
        scope, node.struct_expression, *([node.value_expression] if node.HasField("value_expression") else [])
    ),
    "common_inline_user_defined_function": _function,
    "named_argument_expression": lambda node, scope: _inner(scope, node.value),
}
