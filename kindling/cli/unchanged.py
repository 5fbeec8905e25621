"""The answer of `kindling run` when nothing changed. It imports neither click nor any plugin."""

from __future__ import annotations

from kindling.cli.vetting import vet
from kindling.plan.plan import UNCHANGED
from kindling.plan.planner import Planner, Wish
from kindling.plan.project import open_project
from kindling.run.states import open_state

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Mapping

    from kindling.plan.plan import Plan
    from kindling.values import Plain


def unchanged_text(
    start: str,
    environment: str,
    *,
    overrides: Mapping[str, Plain],
    select: tuple[str, ...],
    exclude: tuple[str, ...],
    locked: bool = False,
) -> str | None:
    """Plan; return what to say if nothing would run, else None.

    Raises:
        KindlingError: Whatever is wrong; the ordinary command reports it.
    """
    project = open_project(start, environment=environment, overrides=overrides)
    if vet(project, locked=locked):
        return None
    state = open_state(project)
    try:
        planner = Planner(project, lambda: state.tasks(project.app.name, project.environment))
        principal = str(project.settings.get("plan.principal") or "")
        plan = planner.plan(Wish(select=select, exclude=exclude, principal=principal))
    finally:
        state.close()
    if plan.changes or plan.recovered or plan.warnings:
        return None
    return nothing_changed(plan)


def nothing_changed(plan: Plan) -> str:
    """Return the one line of a run in which nothing had to be done."""
    count = len({task.key.entity for task in plan.with_action(UNCHANGED)})
    return f"nothing changed: {count} entities of {plan.app} in {plan.environment} are up to date\n"
