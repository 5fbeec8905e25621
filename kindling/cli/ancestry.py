"""The columns behind a column, or made of it, over all pipes: for `kindling lineage`. Pure."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from kindling.errors import PlanError, UsageError
from kindling.lineage import EVERY_COLUMN
from kindling.names import did_you_mean

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Mapping
    from typing import TypeAlias

    from kindling.cli.graphs import Node
    from kindling.cli.traces import Trace, Traces

    Spot: TypeAlias = tuple[str, str]

OPAQUE = "opaque"
"""How a column depends on all of an input of a pipe that could not be traced."""


@dataclass(frozen=True, slots=True)
class Edge:
    """One column that another is made of.

    Attributes:
        source: `(entity, column)`; the column is `*` where nobody knows which.
        target: The same.
        how: One of `kindling.lineage.HOWS`, or `opaque`.
        mask: Name of the mask that the target's pipe read it through, or "".
    """

    source: Spot
    target: Spot
    how: str
    mask: str = ""


@dataclass(slots=True)
class Ancestry:
    """The answer.

    Attributes:
        start: The columns that were asked about.
        edges: In the order in which they were found, walking away from the start.
        rows: What decides which rows the asked entity has.
        notes: What the reader should know, one sentence each.
    """

    start: tuple[Spot, ...]
    edges: list[Edge] = field(default_factory=list)
    rows: tuple[Spot, ...] = ()
    notes: list[str] = field(default_factory=list)

    def spots(self) -> tuple[Spot, ...]:
        """Return all columns, each once."""
        ends = [end for edge in self.edges for end in (edge.source, edge.target)]
        return tuple(dict.fromkeys([*self.start, *ends]))


def parse_spot(text: str, nodes: Mapping[str, Node]) -> Spot:
    """Return the entity and the column, or "", that a text like `gold.carriers.late` names.

    Raises:
        PlanError: KDL-PLAN-001, there is no such entity.
    """
    if text in nodes:
        return text, ""
    head = text
    while "." in head:
        head = head.rpartition(".")[0]
        if head in nodes:
            return head, text[len(head) + 1 :]
    raise PlanError(
        "KDL-PLAN-001",
        f"there is no entity {text!r}",
        why=did_you_mean(text, nodes),
        hint="write ENTITY or ENTITY.COLUMN; kindling graph lists the entities",
    )


class Tracker:
    """Walks traces.

    Args:
        nodes: The declared entities by name.
        traces: What the last runs traced.
        declared: Class by column, by entity that declares some.
    """

    def __init__(
        self, nodes: Mapping[str, Node], traces: Traces, declared: Mapping[str, Mapping[str, str]]
    ) -> None:
        self._nodes = nodes
        self._declared = declared
        self._traces = traces
        self._into: dict[str, list[Edge]] = {}
        self._from: dict[str, list[Edge]] = {}
        for trace in traces.by_entity.values():
            for edge in _edges(trace):
                self._into.setdefault(edge.target[0], []).append(edge)
                self._from.setdefault(edge.source[0], []).append(edge)

    def upstream(self, entity: str, column: str) -> Ancestry:
        """Return what a column, or each column, is made of.

        Raises:
            UsageError: KDL-LINE-001, no such column; KDL-LINE-002 to KDL-LINE-004, it was never made, made
                without being traced, or is computed inside of others.
        """
        start = self._start(entity, column)
        trace = self._traces.by_entity.get(entity)
        found = Ancestry(start)
        if trace is not None and trace.lineage is not None:
            found.rows = tuple(dict.fromkeys((one.entity, one.column) for one in trace.lineage.rows))
        self._walk(found, is_downstream=False)
        self._note(found)
        return found

    def downstream(self, entity: str, column: str) -> Ancestry:
        """Return what is made of a column, or of each column; raises as `upstream` does."""
        found = Ancestry(self._start(entity, column))
        self._walk(found, is_downstream=True)
        self._note(found)
        return found

    def _walk(self, found: Ancestry, *, is_downstream: bool) -> None:
        edges = self._from if is_downstream else self._into
        seen = set(found.start)
        queue = list(found.start)
        for spot in queue:
            for edge in edges.get(spot[0], ()):
                near, far = (edge.source, edge.target) if is_downstream else (edge.target, edge.source)
                if not _touches(near, spot):
                    continue
                ends = (spot, far) if is_downstream else (far, spot)
                told = Edge(*ends, edge.how, edge.mask)
                if told not in found.edges:
                    found.edges.append(told)
                if far not in seen:
                    seen.add(far)
                    queue.append(far)

    def _start(self, entity: str, column: str) -> tuple[Spot, ...]:
        columns = self.columns(entity)
        if not columns:
            raise self._unknown(entity)
        if not column:
            return tuple((entity, name) for name in columns)
        spelt = next((name for name in columns if name.lower() == column.lower()), None)
        if spelt is None:
            raise UsageError(
                "KDL-LINE-001",
                f"{entity!r} has no column {column!r}",
                why=did_you_mean(column, columns),
                where=self._nodes[entity].where,
                hint=f"kindling lineage {entity}",
            )
        return ((entity, spelt),)

    def columns(self, entity: str) -> tuple[str, ...]:
        """Return the columns of an entity as its trace, or one of its readers, told them."""
        trace = self._traces.by_entity.get(entity)
        if trace is not None:
            return trace.columns
        told = (one.inputs[entity] for one in self._traces.by_entity.values() if entity in one.inputs)
        return next((columns for columns in told if columns), ())

    def _unknown(self, entity: str) -> UsageError:
        node = self._nodes[entity]
        if node.kind in ("source", "ref"):
            return UsageError(
                "KDL-LINE-002",
                f"nothing that reads {entity!r} was traced",
                where=node.where,
                hint=f"kindling run -s {entity}+ --full-refresh --set run.trace=true",
            )
        if node.kind == "memory":
            return UsageError(
                "KDL-LINE-004",
                f"{entity!r} is a memory entity: it is computed inside of what reads it",
                where=node.where,
                hint="ask for what reads it",
            )
        if entity in self._traces.untraced:
            return UsageError(
                "KDL-LINE-003",
                f"{entity!r} was made without being traced",
                why=f"run {self._traces.untraced[entity]} had neither run.trace nor run.lineage set",
                where=node.where,
                hint=f"kindling run -s {entity} --full-refresh --set run.trace=true",
            )
        return UsageError(
            "KDL-LINE-002",
            f"nothing is known of {entity!r}: it was never made, or its runs are forgotten",
            where=node.where,
            hint=f"kindling run -s +{entity} --full-refresh --set run.trace=true",
        )

    def _note(self, found: Ancestry) -> None:
        for entity in dict.fromkeys(name for name, _ in found.spots()):
            trace = self._traces.by_entity.get(entity)
            if trace is not None and trace.newer:
                found.notes.append(
                    f"{entity!r} was made again in run {trace.newer} without being traced: "
                    f"what is told of it is of run {trace.run_id}"
                )
            if trace is not None and trace.lineage is None:
                found.notes.append(
                    f"{entity!r} is opaque: its columns may come from any column that it reads"
                )
            if trace is None and entity in self._nodes and self._nodes[entity].kind == "pipe":
                found.notes.append(f"{entity!r} was not traced: {self._unknown(entity).hint}")

    def classes(self, spot: Spot) -> tuple[str, ...]:
        """Return the classes of a column as its trace told them, of a source as it declares them."""
        trace = self._traces.by_entity.get(spot[0])
        if trace is not None:
            return tuple(trace.classes.get(spot[1], ()))
        declared = self._declared.get(spot[0], {})
        return tuple(one for name, one in declared.items() if name.lower() == spot[1].lower())

    def run_id(self, entity: str) -> str:
        """Return the run that traced an entity, or ""."""
        trace = self._traces.by_entity.get(entity)
        return trace.run_id if trace is not None else ""


def _edges(trace: Trace) -> Iterator[Edge]:
    if trace.lineage is None:
        for entity in trace.inputs:
            yield Edge((entity, EVERY_COLUMN), (trace.entity, EVERY_COLUMN), OPAQUE)
        return
    for column, origins in trace.lineage.columns:
        for one in origins:
            mask = trace.masks.get((one.entity, one.column.lower()), "")
            yield Edge((one.entity, one.column), (trace.entity, column), one.how, mask)


def _touches(near: Spot, spot: Spot) -> bool:
    """Tell whether an edge's end is a column, or one of it is not known which."""
    return EVERY_COLUMN in (near[1], spot[1]) or near[1].lower() == spot[1].lower()


def lineage_plain(found: Ancestry, tracker: Tracker, nodes: Mapping[str, Node]) -> dict[str, object]:
    """Return the answer as JSON types."""
    return {
        "start": [_spot(spot) for spot in found.start],
        "columns": [
            {
                **_spot(spot),
                "kind": nodes[spot[0]].kind if spot[0] in nodes else "",
                "classes": list(tracker.classes(spot)),
                "run_id": tracker.run_id(spot[0]),
            }
            for spot in found.spots()
        ],
        "edges": [
            {"source": _spot(edge.source), "target": _spot(edge.target), "how": edge.how, "mask": edge.mask}
            for edge in found.edges
        ],
        "rows": [_spot(spot) for spot in found.rows],
        "notes": list(found.notes),
    }


def _spot(spot: Spot) -> dict[str, str]:
    return {"entity": spot[0], "column": spot[1]}


def named(spot: Spot) -> str:
    """Return a column as people write it."""
    return ".".join(spot)


def every(spots: Iterable[Spot]) -> str:
    """Return columns as one text."""
    return ", ".join(map(named, spots))
