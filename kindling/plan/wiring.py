"""Connect decided tasks: what runs before what, memory entities inlined or shared, priorities. Pure."""

from __future__ import annotations

from kindling.addresses import TaskKey
from kindling.plan.graph import Graph
from kindling.plan.plan import DEFERRED, RUN, SKIPPED, Plan, PlannedInput, PlannedTask, Reason

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Mapping

    from kindling.plan.binding import Binding, Bound

GUESS_S = 1.0
"""Estimate for a task that never ran: only the order of magnitude against others matters."""


def wire(
    plan: Plan,
    binding: Binding,
    shares: Mapping[str, bool],
) -> Plan:
    """Return the plan with needs, inputs, memory tasks and priorities filled in.

    Args:
        plan: What `Decider.plan` returned.
        binding: The checked declarations.
        shares: By platform capability name: whether its sessions can share frames.
    """
    wiring = _Wiring(plan, binding, shares)
    return plan.replace(tasks=wiring.tasks())


class _Wiring:
    def __init__(
        self,
        plan: Plan,
        binding: Binding,
        shares: Mapping[str, bool],
    ) -> None:
        self._plan = plan
        self._entities = binding.entities
        self._order = binding.graph.order()
        self._shares = shares
        self._running: dict[str, list[PlannedTask]] = {}
        for task in plan.with_action(RUN):
            self._running.setdefault(task.key.entity, []).append(task)
        self._shared = self._shared_names()

    def _shared_names(self) -> frozenset[str]:
        """Return the memory entities that are computed once: two or more running pipes read them."""
        readers: dict[str, set[str]] = {}
        for name in reversed(self._order):
            bound = self._entities[name]
            count = len(readers.get(name, ()))
            active = name in self._running or (bound.pipe is not None and bound.address is None and count > 0)
            if not active:
                continue
            # an inlined memory entity reads on behalf of its one reader, a shared one on its own
            on_behalf = {name} if bound.address is not None or count > 1 else readers[name]
            for item in bound.inputs:
                readers.setdefault(item, set()).update(on_behalf)
        return frozenset(
            name
            for name, names in readers.items()
            if len(names) > 1 and self._can_share(self._entities[name], names)
        )

    def _can_share(self, bound: Bound, names: set[str]) -> bool:
        if bound.address is not None or bound.pipe is None:
            return False
        platforms = {self._entities[name].platform for name in names} | {bound.platform}
        return len(platforms) == 1 and self._shares.get(bound.platform, False)

    def tasks(self) -> tuple[PlannedTask, ...]:
        """Return all tasks, wired, in order."""
        made: list[PlannedTask] = []
        decided: dict[str, list[PlannedTask]] = {}
        for task in self._plan.tasks:
            decided.setdefault(task.key.entity, []).append(task)
        for name in self._order:
            bound = self._entities[name]
            if bound.pipe is not None and bound.address is None:
                made.append(self._memory_task(bound))
            made += [
                self._wired(task, bound) if task.action in (RUN, DEFERRED) else task
                for task in decided.get(name, ())
            ]
        return self._prioritised(made)

    def _memory_task(self, bound: Bound) -> PlannedTask:
        task = PlannedTask(
            TaskKey(bound.name), SKIPPED, (), platform=bound.platform, storage="memory", mode="inline"
        )
        if bound.name in self._shared:
            reason = Reason("reader", "several pipes that run read it: it is computed once")
            return self._wired(task.replace(action=RUN, reasons=(reason,), mode="shared"), bound)
        used = any(bound.name in self._inlined(name) for name in self._running)
        text = "computed inside of the pipe that reads it" if used else "no pipe that runs reads it"
        return task.replace(reasons=(Reason("reader" if used else "unread", text),))

    def _inlined(self, name: str) -> set[str]:
        found: set[str] = set()
        for item in self._entities[name].inputs:
            bound = self._entities[item]
            if bound.address is None and bound.pipe is not None and item not in self._shared:
                found |= {item} | self._inlined(item)
        return found

    def _wired(self, task: PlannedTask, bound: Bound) -> PlannedTask:
        inputs: dict[str, PlannedInput] = {}
        self._collect(bound, inputs)
        first = bound.inputs[0] if bound.inputs else ""
        if first and bound.pipe is not None and bound.pipe.incremental is not None:
            inputs[first] = _incremental(task, bound, inputs[first])
        needs = list(task.needs)
        for item in inputs:
            needs += [str(other.key) for other in self._running.get(item, ())]
            if item in self._shared:
                needs.append(item)
        return task.replace(inputs=tuple(inputs.values()), needs=tuple(dict.fromkeys(needs)))

    def _collect(self, bound: Bound, inputs: dict[str, PlannedInput]) -> None:
        for item in bound.inputs:
            source = self._entities[item]
            if source.address is not None:
                inputs.setdefault(item, PlannedInput(item, "read"))
            elif item in self._shared:
                inputs.setdefault(item, PlannedInput(item, "shared"))
            else:
                inputs.setdefault(item, PlannedInput(item, "inline"))
        for item in bound.inputs:
            if inputs[item].how != "read":  # where a shared frame is gone it is inlined after all
                self._collect(self._entities[item], inputs)

    def _prioritised(self, tasks: list[PlannedTask]) -> tuple[PlannedTask, ...]:
        running = [task for task in tasks if task.action == RUN]
        seconds = {str(task.key): task.seconds or GUESS_S for task in running}
        graph = Graph({str(task.key): tuple(n for n in task.needs if n in seconds) for task in running})
        rank = graph.critical_path(seconds)
        return tuple(
            task.replace(priority=rank[str(task.key)]) if task.action == RUN else task for task in tasks
        )


def _incremental(task: PlannedTask, bound: Bound, planned: PlannedInput) -> PlannedInput:
    if bound.pipe is None or bound.pipe.incremental is None or bound.pipe.incremental.kind != "changes":
        return planned
    return PlannedInput(planned.name, "changes", dict(task.cursors).get(planned.name, ""))
