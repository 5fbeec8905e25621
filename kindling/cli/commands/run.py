"""`kindling run`: run what changed."""

from __future__ import annotations

import getpass
import sys

import click

from kindling.cli.places import check_window, common_options, opened, parse_overrides, selection_options
from kindling.cli.progress import progress_sink
from kindling.cli.summary import result_json, summary_text
from kindling.cli.tables import plan_text, warning_lines
from kindling.cli.unchanged import nothing_changed
from kindling.cli.vetting import vet
from kindling.plan.planner import Planner
from kindling.run.request import RunRequest, new_run_id
from kindling.run.run import run, wish_of


@click.command("run")
@selection_options
@common_options
@click.option(
    "--resume", default="", metavar="RUN", help="Continue a run that failed, or was cancelled or killed."
)
@click.option("--dry-run", is_flag=True, help="Only print the plan.")
@click.option("--locked", is_flag=True, help="Refuse plugins that are not as the lock says (exit 5).")
@click.option("--workers", "-w", type=click.IntRange(min=1), default=None, help="Tasks at once.")
@click.option("--json", "is_json", is_flag=True, help="Print the result as JSON (schema kindling.run/1).")
@click.option(
    "--jsonl", "is_jsonl", is_flag=True, help="Print events as JSON lines (schema kindling.event/1)."
)
@click.option("--quiet", "-q", is_flag=True, help="Show the summary only.")
def command(
    select: tuple[str, ...],
    exclude: tuple[str, ...],
    start: str,
    end: str,
    max_slices: int,
    full_refresh: bool,
    environment: str | None,
    overrides: tuple[str, ...],
    resume: str,
    dry_run: bool,
    locked: bool,
    workers: int | None,
    is_json: bool,
    is_jsonl: bool,
    quiet: bool,
) -> int:
    """Run what changed: the selected entities whose code, inputs or tables are not as they were."""
    check_window(start, end)
    with opened(environment, overrides) as (project, state):
        sys.stderr.writelines(f"warning: {line}\n" for line in vet(project, locked=locked))
        request = RunRequest(
            app=project.reference,
            project=project.path,
            environment=project.environment,
            run_id=new_run_id(),
            select=select,
            exclude=exclude,
            start=start,
            end=end,
            max_slices=max_slices,
            full_refresh=full_refresh,
            resume=resume,
            overrides=parse_overrides(overrides),
            workers=workers or 0,
            submitter=getpass.getuser(),
            principal=str(project.settings.get("plan.principal") or ""),
        )
        planner = Planner(project, lambda: state.tasks(project.app.name, project.environment))
        if dry_run:
            sys.stdout.write(plan_text(planner.plan(wish_of(request, state)), is_verbose=True))
            return 0
        sinks = [] if quiet or is_json else [progress_sink(is_jsonl=is_jsonl)]
        result = run(project, state, request, sinks=sinks, planner=planner)
    if is_json:
        sys.stdout.write(result_json(result))
    elif result.status == "unchanged":
        sys.stderr.write("".join(warning_lines(result.plan)) + nothing_changed(result.plan))
    elif not is_jsonl:
        sys.stderr.write(summary_text(result, project.state_dir))
    return result.exit_code
