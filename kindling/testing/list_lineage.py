"""A lineage sink that tells a list, and what it says of lineage. For tests: its service is an object."""

from __future__ import annotations

import json
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import asdict, dataclass, field, replace
from uuid import NAMESPACE_OID, uuid5

from kindling.events import Event, RunFinished, RunStarted, TaskFinished, TaskStarted, TaskTraced
from kindling.lineage import ColumnLineage, Origin

FEATURES = frozenset({"columns", "durable", "remote"})
ENDS = {"done": "done", "cancelled": "cancelled"}
"""What a task's end is told as, by its status; every other one is `failed`."""

Spots = frozenset[tuple[str, str]]


@dataclass(frozen=True, slots=True)
class Told:
    """One thing that a service is told: a run or a task began or ended.

    Attributes:
        task: The task's key; "" for the run itself.
        state: `begun`, `done`, `failed` or `cancelled`.
        identity: What the service knows this run of this task by.
        parent: Identity of the run that a task belongs to; "" for the run itself.
        reads: Logical names of inputs, in order.
        writes: Logical name of the target, or "".
        versions: Versions of inputs and target by logical name, where they are known.
        columns: (entity, column) pairs that each column of the target is made of; None where that is unknown.
        rows: (entity, column) pairs that decide which rows there are.
        masked: (entity, column) pairs that are told as masked where something is made of them.
        error: Text of the error, or "".
        text: All that the service was told, as it was sent.
    """

    task: str
    state: str
    identity: str
    parent: str = ""
    reads: tuple[str, ...] = ()
    writes: str = ""
    versions: Mapping[str, str] = field(default_factory=dict)
    columns: Mapping[str, Spots] | None = None
    rows: Spots = frozenset()
    masked: Spots = frozenset()
    error: str = ""
    text: str = ""


@dataclass(slots=True)
class Service:
    """What lineage is told to.

    Attributes:
        told: In order.
        waiting: What it could not be told, in order.
        is_up: Whether it listens.
    """

    told: list[Told] = field(default_factory=list)
    waiting: list[Told] = field(default_factory=list)
    is_up: bool = True


class ListLineage:
    """A sink.

    Args:
        run_id: The run.
        service: Is told of it; what it misses is told when it listens again.
    """

    essential = False

    def __init__(self, run_id: str, service: Service) -> None:
        self.run_id = run_id
        self.service = service
        self.begun: set[str] = set()
        self.traced: dict[str, TaskTraced] = {}

    def record(self, events: Sequence[Event]) -> None:
        """Tell of events, in order."""
        self.service.waiting.extend(self.seen(told) for event in events for told in self.told(event))
        self.deliver()

    def close(self) -> None:
        """Tell what waits, where the service listens. Idempotent."""
        self.deliver()

    def deliver(self) -> None:
        """Tell what waits, where the service listens."""
        if self.service.is_up:
            self.service.told.extend(self.service.waiting)
            self.service.waiting.clear()

    def identity(self, key: str) -> str:
        """Return what a task, or the run, is known by: the same whenever it is told."""
        return str(uuid5(NAMESPACE_OID, f"{self.run_id}/{key}"))

    def seen(self, told: Told) -> Told:
        """Return it with its own text."""
        plain = {name: value for name, value in asdict(told).items() if name != "text"}
        return replace(told, text=json.dumps(plain, default=sorted, sort_keys=True))

    def told(self, event: Event) -> Iterator[Told]:
        """Yield what a service is told of an event."""
        if isinstance(event, RunStarted):
            yield Told("", "begun", self.identity(""))
        elif isinstance(event, TaskStarted):
            if event.key not in self.begun:
                self.begun.add(event.key)
                yield self.of_task(event.key, "begun")
        elif isinstance(event, TaskTraced):
            self.traced[event.key] = event
        elif isinstance(event, TaskFinished):
            yield self.ended(event)
        elif isinstance(event, RunFinished):
            yield Told("", ENDS.get(event.status, "failed"), self.identity(""))

    def of_task(self, key: str, state: str) -> Told:
        """Return what is told of a task in any case."""
        return Told(key, state, self.identity(key), self.identity(""))

    def ended(self, event: TaskFinished) -> Told:
        """Return what is told of a task's end."""
        known = self.of_task(event.key, ENDS.get(event.status, "failed"))
        known = replace(known, error=f"{event.error.get('what', '')}")
        traced = self.traced.pop(event.key, None)
        return known if traced is None else self.with_lineage(known, traced)

    def with_lineage(self, known: Told, traced: TaskTraced) -> Told:
        """Return it with what the task read and wrote."""
        datasets = (*traced.inputs, traced.target)
        lineage = ColumnLineage.from_plain(traced.lineage)  # type: ignore[arg-type]  # JSON types
        known = replace(
            known,
            reads=tuple(str(one["entity"]) for one in traced.inputs),
            writes=str(traced.target["entity"]),
            versions={str(one["entity"]): str(one["version"]) for one in datasets if one["version"]},
        )
        if lineage is None:
            return known
        used = spots(origin for _, origins in lineage.columns for origin in origins)
        return replace(
            known,
            columns={name: spots(origins) for name, origins in lineage.columns},
            rows=spots(lineage.rows),
            masked=frozenset((entity, column) for entity, column, _ in traced.masked) & used,
        )


def spots(origins: Iterable[Origin]) -> Spots:
    """Return where origins are."""
    return frozenset((origin.entity, origin.column) for origin in origins)


__all__ = ["FEATURES", "ListLineage", "Service", "Told"]
