"""The columns of a Spark Connect plan and the inputs that they come from, read off its protocol messages.

Sail and Spark Connect have the same plans, which the client makes; no server is asked. This module
imports no pyspark: it walks messages by the names of their fields (pyspark 4.2, `relations.proto`).
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from typing import Any, TypeAlias

from kindling.hooks.connect_origins import Scope, expression_origins, items
from kindling.hooks.sql_traces import parsed, query_trace
from kindling.hooks.traces import OpaqueError, Part, Trace, through
from kindling.lineage import ColumnLineage

Message: TypeAlias = Any
"""A message of pyspark's protocol."""

_JOINS = {1: "inner", 2: "full", 3: "left", 4: "right", 5: "anti", 6: "semi", 7: "cross"}
_INTERSECT, _UNION, _EXCEPT = 1, 2, 3
_GROUPINGS = (1, 2, 3)
"""GROUPBY, ROLLUP, CUBE."""
_SAME = ("limit", "offset", "tail", "repartition", "repartition_by_expression", "hint", "sample")
"""What changes neither columns nor, by their values, rows."""


def lineage(
    frame: Message, inputs: Mapping[str, Message], names: Callable[[Message], Sequence[str]]
) -> ColumnLineage | None:
    """Return what the columns of a Connect frame come from; None where its plan is not understood.

    Args:
        frame: A frame of pyspark's Connect client.
        inputs: The frames where tracing stops, by entity.
        names: The column names of a frame, as the engine shows them.
    """
    known: dict[int, Trace] = {}
    for entity, given in inputs.items():
        known.setdefault(given._plan._plan_id, Trace.of_input(entity, names(given)))  # noqa: SLF001  # pyspark 4.2
    try:
        relation = frame._plan.plan(frame._session.client)  # noqa: SLF001  # pyspark 4.2
        return relation_trace(relation, known).shown(names(frame)).lineage()
    except OpaqueError:
        return None


def relation_trace(relation: Message, inputs: Mapping[int, Trace]) -> Trace:
    """Return the trace of a plan.

    Args:
        relation: Its root.
        inputs: The traces of the inputs, by the ids of their plans.

    Raises:
        OpaqueError: A part of it is not understood.
    """
    return _Walk(inputs).trace(relation)


class _Walk:
    def __init__(self, inputs: Mapping[int, Trace]) -> None:
        self.known = dict(inputs)
        self.steps: dict[str, Callable[[Message], Trace]] = {
            "project": self._project,
            "filter": self._filter,
            "join": self._join,
            "set_op": self._set_operation,
            "sort": self._sort,
            "aggregate": self._aggregate,
            "deduplicate": self._deduplicate,
            "subquery_alias": self._alias,
            "with_columns": self._with_columns,
            "with_columns_renamed": self._renamed,
            "to_df": lambda step: self.trace(step.input).renamed(list(step.column_names)),
            "drop": self._drop,
            "fill_na": self._fill,
            "replace": self._fill,
            "drop_na": self._drop_nulls,
            "with_relations": self._with_relations,
            "local_relation": _local,
            "range": lambda _: Trace.constant(["id"]),
        }

    def trace(self, relation: Message) -> Trace:
        plan = int(relation.common.plan_id) if relation.common.HasField("plan_id") else None
        if plan is not None and plan in self.known:
            return self.known[plan]
        kind = relation.WhichOneof("rel_type")
        step: Message = getattr(relation, kind) if kind else None
        if kind in _SAME:
            found = self.trace(step.input)
        elif kind in self.steps:
            found = self.steps[kind](step)
        else:
            raise OpaqueError
        if plan is not None:
            self.known[plan] = found
        return found

    def _scope(self, trace: Trace) -> Scope:
        return Scope(trace, self.known)

    def _project(self, step: Message) -> Trace:
        below = self.trace(step.input) if step.HasField("input") else Trace()
        scope = self._scope(below)
        parts = [part for node in step.expressions for part in items(node, scope)]
        return Trace(tuple(parts), below.rows | through(scope.rows, "indirect"))

    def _filter(self, step: Message) -> Trace:
        below = self.trace(step.input)
        scope = self._scope(below)
        return below.decided(expression_origins(step.condition, scope), scope.rows)

    def _join(self, step: Message) -> Trace:
        left, right = self.trace(step.left), self.trace(step.right)
        kind = _JOINS.get(step.join_type)
        if kind is None:
            raise OpaqueError
        joined = left.joined(right, kind, list(step.using_columns))
        if not step.HasField("join_condition"):
            return joined
        scope = self._scope(left.joined(right, "inner"))
        return joined.decided(expression_origins(step.join_condition, scope), scope.rows)

    def _set_operation(self, step: Message) -> Trace:
        left, right = self.trace(step.left_input), self.trace(step.right_input)
        if step.set_op_type == _UNION:
            made = left.united(right, by_name=step.by_name, missing=step.allow_missing_columns)
            return made if step.is_all else made.distinct()
        if step.set_op_type not in (_INTERSECT, _EXCEPT) or step.by_name:
            raise OpaqueError
        return left.compared(right)

    def _sort(self, step: Message) -> Trace:
        below = self.trace(step.input)
        scope = self._scope(below)
        return below.decided(*(expression_origins(order.child, scope) for order in step.order))

    def _aggregate(self, step: Message) -> Trace:
        if step.group_type not in _GROUPINGS or step.HasField("pivot"):
            raise OpaqueError
        below = self.trace(step.input)
        scope = self._scope(below)
        keys = [part for node in step.grouping_expressions for part in items(node, scope)]
        made = [part for node in step.aggregate_expressions for part in items(node, scope)]
        return Trace((*keys, *made), below.rows).decided(*(part.origins for part in keys), scope.rows)

    def _deduplicate(self, step: Message) -> Trace:
        if step.within_watermark:
            raise OpaqueError
        below = self.trace(step.input)
        return below.distinct(None if step.all_columns_as_keys else list(step.column_names))

    def _alias(self, step: Message) -> Trace:
        if step.qualifier:
            raise OpaqueError
        return self.trace(step.input).named(step.alias)

    def _with_columns(self, step: Message) -> Trace:
        below = self.trace(step.input)
        scope = self._scope(below)
        parts = []
        for alias in step.aliases:
            if len(alias.name) != 1:
                raise OpaqueError
            parts.append(Part(alias.name[0], expression_origins(alias.expr, scope)))
        return below.replaced(parts).decided(scope.rows)

    def _renamed(self, step: Message) -> Trace:
        below = self.trace(step.input)
        new = {item.col_name.lower(): item.new_col_name for item in step.renames}
        new.update({old.lower(): name for old, name in dict(step.rename_columns_map).items()})
        parts = (Part(new[part.name.lower()], part.origins) if part.name.lower() in new else part
                 for part in below.parts)  # fmt: skip
        return Trace(tuple(parts), below.rows)

    def _drop(self, step: Message) -> Trace:
        below = self.trace(step.input)
        names = {name.lower() for name in step.column_names}
        marks = []
        for node in step.columns:
            if node.WhichOneof("expr_type") != "unresolved_attribute":
                raise OpaqueError
            found = self._scope(below).parts_of(node.unresolved_attribute)
            if len(found) > 1:
                raise OpaqueError
            marks += [part.mark for part in found]
        return below.without(lambda part: part.name.lower() in names or part.mark in marks)

    def _fill(self, step: Message) -> Trace:
        """`fillna` and `replace` of named columns; of all, the types decide which ones are changed."""
        if not step.cols:
            raise OpaqueError
        below = self.trace(step.input)
        lower = {name.lower() for name in step.cols}
        changed = (part for part in below.parts if part.name.lower() in lower)
        return below.replaced(Part(part.name, through(part.origins, "transformation")) for part in changed)

    def _drop_nulls(self, step: Message) -> Trace:
        return self.trace(step.input).distinct(list(step.cols) or None)

    def _with_relations(self, step: Message) -> Trace:
        """A SQL text with the frames that it names; frames in subqueries of columns are opaque."""
        if step.root.WhichOneof("rel_type") != "sql":
            raise OpaqueError
        return self._sql(step.root.sql, step.references)

    def _sql(self, step: Message, references: Sequence[Message]) -> Trace:
        tables: dict[str, Message] = {}
        for reference in references:
            if reference.WhichOneof("rel_type") != "subquery_alias":
                raise OpaqueError
            tables[reference.subquery_alias.alias.lower()] = reference.subquery_alias.input

        def table(name: str) -> Trace:
            if name.lower() not in tables:
                raise OpaqueError
            return self.trace(tables[name.lower()])

        return query_trace(parsed(step.query), table)


def _local(step: Message) -> Trace:
    """Rows that stand in the plan; without any, only the server reads their schema."""
    if not step.HasField("data"):
        raise OpaqueError
    import pyarrow as pa

    with pa.ipc.open_stream(step.data) as reader:
        return Trace.constant(reader.schema.names)
