"""`kindling runs`: list past runs, show one, cancel one."""

from __future__ import annotations

import sys
from contextlib import contextmanager
from typing import TYPE_CHECKING

import click

from kindling.cli.documents import document
from kindling.cli.history import known_run, record_plain, runs_text, story, story_text
from kindling.cli.places import common_options, settings_opened
from kindling.errors import UsageError
from kindling.run.states import open_state

if TYPE_CHECKING:
    from collections.abc import Iterator

    from kindling.hooks.state import State
    from kindling.plan.project import Project


@contextmanager
def _state(environment: str | None, overrides: tuple[str, ...]) -> Iterator[tuple[Project, State]]:
    """Open the state without importing the app: its code may be broken while a run goes on."""
    project = settings_opened(environment, overrides)
    state = open_state(project)
    try:
        yield project, state
    finally:
        state.close()


@click.group("runs")
def command() -> None:
    """List, show and cancel runs."""


@command.command("list")
@common_options
@click.option("--limit", "-n", type=click.IntRange(min=1), default=20, show_default=True, help="Most runs.")
@click.option("--json", "is_json", is_flag=True, help="Print the runs as JSON (schema kindling.runs/1).")
def list_runs(environment: str | None, overrides: tuple[str, ...], limit: int, is_json: bool) -> None:
    """List runs, newest first; of all environments unless --env is given."""
    with _state(environment, overrides) as (_, state):
        records = list(state.runs("", environment or "", limit))
    if is_json:
        sys.stdout.write(document("kindling.runs/1", runs=[record_plain(record) for record in records]))
    else:
        sys.stdout.write(runs_text(records))


@command.command("show")
@click.argument("run")
@common_options
@click.option("--json", "is_json", is_flag=True, help="Print the run as JSON (schema kindling.run-story/1).")
def show_run(run: str, environment: str | None, overrides: tuple[str, ...], is_json: bool) -> None:
    """Show one RUN (its id, the beginning of it, or `last`) and what became of its tasks."""
    with _state(environment, overrides) as (project, state):
        found = story(state, known_run(state, run), project.state_dir)
    if is_json:
        plain = record_plain(found.record)
        tasks = [dict(outcome) for outcome in found.outcomes]
        sys.stdout.write(document("kindling.run-story/1", **plain, tasks=tasks, folder=found.folder))
    else:
        sys.stdout.write(story_text(found))


@command.command("cancel")
@click.argument("run")
@common_options
def cancel_run(run: str, environment: str | None, overrides: tuple[str, ...]) -> None:
    """Ask a RUN that is going on to stop; it cancels its tasks and ends by itself."""
    with _state(environment, overrides) as (_, state):
        record = known_run(state, run)
        if not state.ask_to_cancel(record.run_id):
            raise UsageError(
                "KDL-USE-022",
                f"the run {record.run_id!r} cannot be cancelled",
                why=f"it is not going on: {record.status}",
                hint="kindling runs list",
            )
    sys.stdout.write(f"asked run {record.run_id} to stop\n")
