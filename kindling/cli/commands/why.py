"""`kindling why`: the reasons of one entity's tasks, what was last made, and the chain to the inputs."""

from __future__ import annotations

import sys

import click

from kindling.cli.completion import complete_entity, remember_names
from kindling.cli.documents import document
from kindling.cli.places import common_options, opened
from kindling.cli.reasons import why, why_text
from kindling.plan.binding import find_entity
from kindling.plan.planner import Planner, Wish


@click.command("why")
@click.argument("entity", shell_complete=complete_entity)
@common_options
@click.option("--json", "is_json", is_flag=True, help="Print the answer as JSON (schema kindling.why/1).")
def command(entity: str, environment: str | None, overrides: tuple[str, ...], is_json: bool) -> None:
    """Say why ENTITY would run now, or would not, and what was last made of it."""
    with opened(environment, overrides) as (project, state):
        records = state.tasks(project.app.name, project.environment)
        planner = Planner(project, lambda: records)
        bound = find_entity(planner.binding, entity)
        remember_names(project.state_dir, planner.binding.entities)
        plan = planner.plan(Wish(principal=str(project.settings.get("plan.principal") or "")))
        found = why(planner, plan, records, bound)
    if is_json:
        plain = found.to_plain()
        text = document("kindling.why/1", app=project.app.name, environment=project.environment, **plain)
    else:
        text = why_text(found)
    sys.stdout.write(text)
