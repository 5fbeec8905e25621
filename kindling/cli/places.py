"""Where a command works: the project around the present folder, its catalog, its state."""

from __future__ import annotations

import os
from contextlib import contextmanager
from typing import TYPE_CHECKING

import click

from kindling.cli.permitted import permitted
from kindling.config.settings import find_project
from kindling.errors import ConfigError, UsageError
from kindling.plan.project import open_project
from kindling.plugins.catalog import read_catalog
from kindling.run.states import open_state

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from kindling.hooks.state import State
    from kindling.plan.project import Project
    from kindling.plugins.catalog import Catalog
    from kindling.values import Plain


def project_here() -> str:
    """Return the folder of the project around the present folder, or "" outside of one."""
    try:
        return find_project(os.getcwd())
    except ConfigError:
        return ""


def catalog_here() -> Catalog:
    """Return the installed capabilities, judged by the project's policy if there is a project."""
    found = permitted(os.getcwd())
    return read_catalog(found.cache, found.policy)


def parse_overrides(pairs: tuple[str, ...]) -> dict[str, Plain]:
    """Return `--set key=value` options by key.

    Raises:
        UsageError: KDL-USE-030, one has no `=`.
    """
    found: dict[str, Plain] = {}
    for pair in pairs:
        key, equals, value = pair.partition("=")
        if not equals or not key:
            raise UsageError("KDL-USE-030", f"--set {pair!r} is no setting", hint="write --set run.workers=4")
        found[key.strip()] = value
    return found


@contextmanager
def opened(environment: str | None, overrides: tuple[str, ...] = ()) -> Iterator[tuple[Project, State]]:
    """Open the project around the present folder and its state, and close the state again."""
    project = app_opened(environment, overrides)
    state = open_state(project)
    try:
        yield project, state
    finally:
        state.close()


def app_opened(environment: str | None, overrides: tuple[str, ...] = ()) -> Project:
    """Open the project around the present folder, without its state."""
    return open_project(os.getcwd(), environment=environment or "", overrides=parse_overrides(overrides))


def settings_opened(environment: str | None, overrides: tuple[str, ...] = ()) -> Project:
    """Open the project around the present folder without importing its app: the app is an empty one.

    Histories can be read and runs cancelled while the app's code is broken.
    """
    from kindling.app import App

    return open_project(
        find_project(os.getcwd()),
        environment=environment or "",
        overrides=parse_overrides(overrides),
        app=App("none"),
    )


def common_options(command: Callable[..., object]) -> Callable[..., object]:
    """Add `--env` and `--set`, which most commands have."""
    for option in (
        click.option("--set", "overrides", multiple=True, metavar="KEY=VALUE", help="Override a setting."),
        click.option("--env", "-e", "environment", metavar="NAME", help="Environment to work in."),
    ):
        command = option(command)
    return command


def selection_options(command: Callable[..., object]) -> Callable[..., object]:
    """Add `--select`, `--exclude`, `--from`, `--to`, `--max-slices` and `--full-refresh`."""
    for option in (
        click.option("--full-refresh", is_flag=True, help="Start over: ignore what was made before."),
        click.option("--max-slices", type=click.IntRange(min=0), default=0, help="Most slices per entity."),
        click.option("--to", "end", metavar="TIME", default="", help="End of the slices to run (exclusive)."),
        click.option("--from", "start", metavar="TIME", default="", help="Start of the slices to run."),
        click.option("--exclude", "-x", multiple=True, metavar="EXPR", help="Leave these entities out."),
        click.option(
            "--select",
            "-s",
            multiple=True,
            metavar="EXPR",
            help="Only these: name, +name, name+, tag:x, glob.",
        ),
    ):
        command = option(command)
    return command


def check_window(start: str, end: str) -> None:
    """Refuse half a window and an empty one.

    Raises:
        UsageError: KDL-USE-031, only one of --from and --to was given, or they are in the wrong order.
    """
    from kindling.plan.slices import parse_instant

    if bool(start) != bool(end):
        raise UsageError("KDL-USE-031", "--from and --to go together", hint="give both")
    if start and parse_instant(start, what="--from") >= parse_instant(end, what="--to"):
        raise UsageError("KDL-USE-031", f"--from {start} is not before --to {end}")
