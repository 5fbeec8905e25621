"""Which tasks of a plan may start, and which wait or fall with others. Pure; it starts nothing."""

from __future__ import annotations

from kindling.plan.plan import DEFERRED, RUN, SKIPPED, Plan

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Collection


def behind_deferred(plan: Plan) -> frozenset[str]:
    """Return the entities that must wait: deferred ones, and what reads them."""
    blocked = {task.key.entity for task in plan.with_action(DEFERRED)}
    for task in plan.tasks:  # tasks stand in order, so one pass reaches all readers
        if any(planned.name in blocked for planned in task.inputs):
            blocked.add(task.key.entity)
    return frozenset(blocked)


def behind_failures(plan: Plan, failed: Collection[str]) -> dict[str, str]:
    """Return the cause by key of each task that would read what failed."""
    causes = {key.partition("[")[0]: key for key in failed}
    found: dict[str, str] = {}
    for task in plan.tasks:
        if task.action not in (RUN, DEFERRED):
            continue
        needed = (task.key.entity, *(planned.name for planned in task.inputs))
        cause = next((causes[name] for name in needed if name in causes), "")
        if cause:
            found[str(task.key)] = cause
            causes.setdefault(task.key.entity, cause)
    return found


def without(plan: Plan, keys: Collection[str]) -> Plan:
    """Return the plan in which the tasks with these keys are skipped."""
    tasks = (task.replace(action=SKIPPED) if str(task.key) in keys else task for task in plan.tasks)
    return plan.replace(tasks=tuple(tasks))
