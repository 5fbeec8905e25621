"""`kindling plan`: what would run, in what order, and why."""

from __future__ import annotations

import json
import sys

import click

from kindling.cli.completion import remember_names
from kindling.cli.places import check_window, common_options, opened, selection_options
from kindling.cli.tables import plan_text
from kindling.plan.planner import Planner, Wish

CHANGES = 3


@click.command("plan")
@selection_options
@common_options
@click.option("--json", "is_json", is_flag=True, help="Print the plan as JSON (schema kindling.plan/1).")
@click.option("--exit-code", "has_exit_code", is_flag=True, help="Exit with 3 if anything would run.")
@click.option("--verbose", "-v", is_flag=True, help="Show every reason and what is unchanged.")
def command(
    select: tuple[str, ...],
    exclude: tuple[str, ...],
    start: str,
    end: str,
    max_slices: int,
    full_refresh: bool,
    environment: str | None,
    overrides: tuple[str, ...],
    is_json: bool,
    has_exit_code: bool,
    verbose: bool,
) -> int:
    """Say what would run, in what order, and why. Starts no engine and writes nothing."""
    check_window(start, end)
    with opened(environment, overrides) as (project, state):
        planner = Planner(project, lambda: state.tasks(project.app.name, project.environment))
        remember_names(project.state_dir, planner.binding.entities)
        plan = planner.plan(
            Wish(
                select=select,
                exclude=exclude,
                full_refresh=full_refresh,
                start=start,
                end=end,
                max_slices=max_slices,
                principal=str(project.settings.get("plan.principal") or ""),
            )
        )
    text = json.dumps(plan.to_plain(), indent=2) + "\n" if is_json else plan_text(plan, is_verbose=verbose)
    sys.stdout.write(text)
    return CHANGES if has_exit_code and plan.changes else 0
