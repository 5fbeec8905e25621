"""Why an entity would run, what was last made of it, and the chain to its inputs: for `kindling why`."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from kindling.cli.tables import MARKS, short_version, table_text
from kindling.plan.plan import RUN, UNCHANGED

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from kindling.plan.binding import Bound
    from kindling.plan.plan import Plan, PlannedTask
    from kindling.plan.planner import Planner
    from kindling.records import TaskRecord

ACTIONS = {
    RUN: "would run",
    UNCHANGED: "would not run",
    "skipped": "would not run by itself",
    "deferred": "is decided later",
}
MOST_SLICES = 20


@dataclass(frozen=True, slots=True)
class Link:
    """One entity on the way to the sources.

    Attributes:
        name: Logical name.
        depth: 1 for a direct input.
        kind: `source`, `memory` or `pipe`.
        actions: What the plan says about its tasks, each once.
        reason: The first reason, or what a source is.
        version: Present version, "" where there is none or nobody can know.
    """

    name: str
    depth: int
    kind: str
    actions: tuple[str, ...]
    reason: str
    version: str

    def to_plain(self) -> dict[str, object]:
        """Return the link as JSON types."""
        plain = {name: getattr(self, name) for name in self.__slots__}
        return {**plain, "actions": list(self.actions)}


@dataclass(frozen=True, slots=True)
class Why:
    """Everything that `kindling why` tells.

    Attributes:
        bound: The entity.
        tasks: Its tasks in the plan.
        records: The newest success of each.
        links: All before it, nearest first as a depth-first walk, each once.
        version: Present version.
    """

    bound: Bound
    tasks: tuple[PlannedTask, ...]
    records: tuple[TaskRecord, ...]
    links: tuple[Link, ...]
    version: str

    def to_plain(self) -> dict[str, object]:
        """Return everything as JSON types."""
        address = self.bound.address
        return {
            "entity": self.bound.name,
            "kind": _kind(self.bound),
            "where": str(self.bound.entity.place),
            "address": address.to_plain() if address else None,
            "version": self.version,
            "tasks": [task.to_plain() for task in self.tasks],
            "records": [_record_plain(record) for record in self.records],
            "inputs": [link.to_plain() for link in self.links],
        }


def why(planner: Planner, plan: Plan, records: Mapping[tuple[str, str], TaskRecord], bound: Bound) -> Why:
    """Collect what a plan and the records say about one entity."""
    own = sorted((piece, record) for (name, piece), record in records.items() if name == bound.name)
    links: dict[str, Link] = {}
    _walk(planner, plan, bound, 1, links)
    return Why(
        bound,
        tuple(task for task in plan.tasks if task.key.entity == bound.name),
        tuple(record for _, record in own),
        tuple(links.values()),
        _version(planner, bound),
    )


def _walk(planner: Planner, plan: Plan, bound: Bound, depth: int, links: dict[str, Link]) -> None:
    for name in bound.inputs:
        if name in links:
            continue
        source = planner.binding.entities[name]
        tasks = [task for task in plan.tasks if task.key.entity == name]
        reason = tasks[0].reasons[0].text if tasks else _place(source)
        running = next((task for task in tasks if task.action == RUN), None)
        links[name] = Link(
            name,
            depth,
            _kind(source),
            tuple(dict.fromkeys(task.action for task in tasks)),
            running.reasons[0].text if running else reason,
            _version(planner, source),
        )
        _walk(planner, plan, source, depth + 1, links)


def _kind(bound: Bound) -> str:
    if bound.pipe is None:
        return "source"
    return "memory" if bound.address is None else "pipe"


def _version(planner: Planner, bound: Bound) -> str:
    return (planner.facts.version(bound) or "") if planner.facts.is_known(bound) else ""


def _place(bound: Bound) -> str:
    address = bound.address
    return f"{bound.storage} {address.uri or '.'.join(address.parts)}" if address else ""


def why_text(found: Why) -> str:
    """Return the answer for people."""
    lines = []
    if found.bound.pipe is None:
        state = (
            f"version {short_version(found.version)}"
            if found.version
            else "it does not exist, or nobody can know"
        )
        lines.append(f"{found.bound.name} is a source: {_place(found.bound)}, {state}\n")
    for task in _told(found.tasks):
        lines.append(f"{task.key} {ACTIONS[task.action]}\n")
        lines += [f"  {MARKS[task.action]} {reason.code}: {reason.text}\n" for reason in task.reasons]
    hidden = len(found.tasks) - len(_told(found.tasks))
    if hidden:
        lines.append(f"and {hidden} more slices, see --json\n")
    lines += _last_made(found)
    if found.links:
        lines += ["\ninputs\n", table_text([_link_row(link) for link in found.links])]
    return "".join(lines)


def _told(tasks: Sequence[PlannedTask]) -> Sequence[PlannedTask]:
    """Return the tasks to print: all of a few, else those that run, at most so many."""
    if len(tasks) <= MOST_SLICES:
        return tasks
    return [task for task in tasks if task.action == RUN][:MOST_SLICES] or tasks[-1:]


def _last_made(found: Why) -> list[str]:
    if found.bound.pipe is None or found.bound.address is None:
        return []
    if not found.records:
        return ["\nlast made: never\n"]
    record = max(found.records, key=lambda item: item.finished)
    parts = [f"run {record.run_id}", record.finished, f"version {short_version(record.version)}"]
    if record.rows is not None:
        parts.append(f"{record.rows:,} rows")
    parts.append(f"{record.seconds:.2f} s")
    piece = "" if record.slice == "*" else f" ({len(found.records)} slices; newest: {record.slice})"
    return [f"\nlast made: {', '.join(parts)}{piece}\n"]


def _link_row(link: Link) -> tuple[str, ...]:
    mark = MARKS[link.actions[0]] if link.actions else " "
    version = f"version {short_version(link.version)}" if link.version else ""
    return ("  " * link.depth + f"{mark} {link.name}", link.kind, version, link.reason)


def _record_plain(record: TaskRecord) -> dict[str, object]:
    return {
        "slice": record.slice,
        "run_id": record.run_id,
        "finished": record.finished,
        "version": record.version,
        "rows": record.rows,
        "seconds": record.seconds,
        "fingerprint": record.fingerprint,
        "parts": dict(record.parts),
        "cursors": dict(record.cursors),
    }
