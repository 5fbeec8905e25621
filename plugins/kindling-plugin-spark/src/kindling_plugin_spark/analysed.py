"""Lineage on classic Spark: the analysed plan as Spark writes it in JSON, its columns told by expression ids.

Where a plan is used twice, Spark gives the second use ids of its own, so inputs are found by comparing
plans. Source: Spark 4.2, `TreeNode.toJSON` (nodes in pre-order) and `LogicalPlan.sameResult`.
"""

from __future__ import annotations

import json
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

from kindling.hooks.traces import NONE, OpaqueError, Origins, Part, Trace, merged, through
from kindling.lineage import Origin

if TYPE_CHECKING:
    from kindling.lineage import ColumnLineage

_SAME = frozenset(
    (
        "GlobalLimit",
        "LocalLimit",
        "Offset",
        "Tail",
        "Repartition",
        "RepartitionByExpression",
        "RebalancePartitions",
        "ResolvedHint",
        "Sample",
        "SubqueryAlias",
        "View",
        "CTERelationDef",
    )
)
_CONSTANT = frozenset(("OneRowRelation", "Range"))
_SIDES = ("LeftSemi$", "LeftAnti$")
_JOINS = ("Inner$", "Cross$", "LeftOuter$", "RightOuter$", "FullOuter$", *_SIDES)
_SCALAR_UDFS = (100, 101, 200, 204, 250, 251)
"""Python functions of one row's values. Source: pyspark 4.2, `PythonEvalType`."""
_FOREIGN = frozenset(("OuterReference", "PythonUDAF", "ScalaUDAF", "TempResolvedColumn"))


@dataclass(frozen=True, slots=True)
class Node:
    """A plan's or an expression's node."""

    kind: str
    fields: Mapping[str, Any]
    children: tuple[Node, ...]


@dataclass(frozen=True, slots=True)
class Step:
    """The columns of one node of a plan, by expression id in order, and what decides about its rows."""

    columns: tuple[tuple[int, Origins], ...] = ()
    rows: Origins = NONE

    def decided(self, *origins: Origins) -> Step:
        """Return it with more that decides about its rows."""
        return Step(self.columns, self.rows | through(merged(origins), "indirect"))


@dataclass(slots=True)
class _Walk:
    inputs: Sequence[tuple[Any, str, tuple[str, ...]]]
    queries: dict[int, Step] = field(default_factory=dict)

    def step(self, node: Node, plan: Any) -> Step:  # noqa: ANN401  # a JVM object
        found = self._input(node, plan)
        if found is not None:
            return found
        below = plan.children()
        steps = [self.step(child, below.apply(place)) for place, child in enumerate(node.children)]
        taken = getattr(self, f"_{node.kind.lower()}", None)
        if node.kind in _SAME and len(steps) == 1:
            made = steps[0]
        elif node.kind in _CONSTANT:
            made = Step(tuple((one, NONE) for one in _ids(plan)))
        elif taken is None:
            raise OpaqueError
        else:
            made = taken(node, plan, steps)
        if node.kind == "CTERelationDef":
            self.queries[node.fields["id"]] = made
        return made

    def _input(self, node: Node, plan: Any) -> Step | None:  # noqa: ANN401  # the same
        equal = [given for given in self.inputs if plan.equals(given[0])]
        if not equal and node.kind not in ("SubqueryAlias", "View"):  # below them stands the plan itself
            equal = [given for given in self.inputs if plan.sameResult(given[0])]
            if len({entity for _, entity, _ in equal}) > 1:
                raise OpaqueError
        if not equal:
            return None
        _, entity, names = equal[0]
        pairs = zip(_ids(plan), names, strict=True)
        return Step(tuple((one, frozenset((Origin(entity, name),))) for one, name in pairs))

    def _project(self, node: Node, _plan: object, steps: list[Step]) -> Step:
        return Step(tuple(_items(node.fields["projectList"], steps)), steps[0].rows)

    def _filter(self, node: Node, _plan: object, steps: list[Step]) -> Step:
        return steps[0].decided(_of(node.fields["condition"], steps))

    def _join(self, node: Node, _plan: object, steps: list[Step]) -> Step:
        kind = str(node.fields["joinType"].get("object", "")).rpartition(".")[2]
        if kind not in _JOINS:
            raise OpaqueError
        condition = node.fields.get("condition")
        columns = steps[0].columns + (() if kind in _SIDES else steps[1].columns)
        made = Step(columns, steps[0].rows | steps[1].rows)
        return made.decided(_of(condition, steps)) if condition else made

    def _aggregate(self, node: Node, _plan: object, steps: list[Step]) -> Step:
        made = Step(tuple(_items(node.fields["aggregateExpressions"], steps)), steps[0].rows)
        return made.decided(*(_of(key, steps) for key in node.fields["groupingExpressions"]))

    def _window(self, node: Node, _plan: object, steps: list[Step]) -> Step:
        made = tuple(_items(node.fields["windowExpressions"], steps))
        return Step(steps[0].columns + made, steps[0].rows)

    def _sort(self, node: Node, _plan: object, steps: list[Step]) -> Step:
        return steps[0].decided(*(_of(order, steps) for order in node.fields["order"]))

    def _distinct(self, _node: Node, _plan: object, steps: list[Step]) -> Step:
        return steps[0].decided(*(origins for _, origins in steps[0].columns))

    def _deduplicate(self, node: Node, _plan: object, steps: list[Step]) -> Step:
        return steps[0].decided(*(_of(key, steps) for key in node.fields["keys"]))

    def _union(self, _node: Node, _plan: object, steps: list[Step]) -> Step:
        if len({len(step.columns) for step in steps}) != 1:
            raise OpaqueError
        columns = (
            (same[0][0], merged(origins for _, origins in same))
            for same in zip(*(step.columns for step in steps), strict=True)
        )
        return Step(tuple(columns), merged(step.rows for step in steps))

    def _intersect(self, _node: Node, _plan: object, steps: list[Step]) -> Step:
        made = Step(steps[0].columns, merged(step.rows for step in steps))
        return made.decided(*(origins for step in steps for _, origins in step.columns))

    _except = _intersect

    def _generate(self, node: Node, _plan: object, steps: list[Step]) -> Step:
        origins = through(_of(node.fields["generator"], steps), "transformation")
        made = tuple((_id(tree(one)), origins) for one in node.fields["generatorOutput"])
        return Step(steps[0].columns + made, steps[0].rows).decided(origins)

    def _withcte(self, _node: Node, _plan: object, steps: list[Step]) -> Step:
        return steps[-1]

    def _cterelationref(self, node: Node, plan: object, _steps: list[Step]) -> Step:
        query = self.queries.get(node.fields["cteId"])
        if query is None:
            raise OpaqueError
        pairs = zip(_ids(plan), query.columns, strict=True)
        return Step(tuple((one, origins) for one, (_, origins) in pairs), query.rows)


def lineage(
    plan: Any,  # noqa: ANN401  # a JVM object
    names: Sequence[str],
    inputs: Iterable[tuple[Any, str, tuple[str, ...]]],
) -> ColumnLineage | None:
    """Return what the columns of an analysed plan come from; None where a part of it is not understood.

    Args:
        plan: The plan of the frame.
        names: Its columns.
        inputs: The analysed plan, the entity and the columns of each input.
    """
    try:
        made = _Walk(tuple(inputs)).step(tree(json.loads(plan.toJSON())), plan)
        columns = zip(names, made.columns, strict=True)
        return Trace(tuple(Part(name, found) for name, (_, found) in columns), made.rows).lineage()
    except OpaqueError:
        return None


def tree(listed: Sequence[Mapping[str, Any]]) -> Node:
    """Return the tree of nodes that are listed in pre-order."""
    rest = iter(listed)
    return _next(rest)


def _next(rest: Iterator[Mapping[str, Any]]) -> Node:
    own = next(rest)
    kind = str(own["class"]).rpartition(".")[2]
    return Node(kind, own, tuple(_next(rest) for _ in range(own["num-children"])))


def _ids(plan: Any) -> list[int]:  # noqa: ANN401  # a JVM object
    output = plan.output()
    return [int(output.apply(place).exprId().id()) for place in range(output.size())]


def _id(node: Node) -> int:
    return int(node.fields["exprId"]["id"])


def _items(listed: Iterable[Any], steps: list[Step]) -> Iterator[tuple[int, Origins]]:
    for one in listed:
        node = tree(one)
        if node.kind not in ("Alias", "AttributeReference"):
            raise OpaqueError
        yield _id(node), _of(one, steps)


def _of(listed: Any, steps: Iterable[Step]) -> Origins:  # noqa: ANN401  # an expression in JSON
    known = {one: origins for step in steps for one, origins in step.columns}
    return _origins(tree(listed), known)


def _origins(node: Node, known: Mapping[int, Origins]) -> Origins:
    if node.kind == "AttributeReference":
        if _id(node) not in known:
            raise OpaqueError
        return known[_id(node)]
    if node.kind in _FOREIGN or "plan" in node.fields:
        raise OpaqueError
    if node.kind == "PythonUDF" and node.fields.get("evalType") not in _SCALAR_UDFS:
        raise OpaqueError
    inner = [_origins(child, known) for child in node.children]
    if node.kind in ("Alias", "SortOrder"):
        return inner[0]
    if "replacement" in node.fields:  # rewritten by Spark: what decides there was a plain argument
        return frozenset(Origin(one.entity, one.column, "transformation") if one.how == "indirect" else one
                         for one in through(merged(inner), "transformation"))  # fmt: skip
    return _combined(node.kind, inner)


def _combined(kind: str, inner: list[Origins]) -> Origins:
    if kind == "CaseWhen":
        pairs = len(inner) // 2 * 2
        conditions, values = inner[:pairs:2], inner[1:pairs:2] + inner[pairs:]
    elif kind == "If":
        conditions, values = inner[:1], inner[1:]
    elif kind in ("AggregateExpression", "WindowExpression"):
        decided = through(merged(inner[1:]), "indirect")
        return through(inner[0], "aggregation") | decided
    else:
        conditions, values = [], inner
    return through(merged(conditions), "indirect") | through(merged(values), "transformation")
