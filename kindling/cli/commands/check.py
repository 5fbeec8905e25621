"""`kindling check`: everything that is wrong with declarations, SQL, settings and plugins, at once."""

from __future__ import annotations

import sys
from typing import TYPE_CHECKING

import click

from kindling.cli.completion import remember_names
from kindling.cli.documents import document
from kindling.cli.places import app_opened, common_options
from kindling.errors import Faults, KindlingError, raise_together, worst_exit_code
from kindling.pipe import Pipe
from kindling.plan.binding import bind
from kindling.plan.rights import Rights

if TYPE_CHECKING:
    from kindling.plan.project import Project


@click.command("check")
@common_options
@click.option("--json", "is_json", is_flag=True, help="Print the faults as JSON (schema kindling.check/1).")
def command(environment: str | None, overrides: tuple[str, ...], is_json: bool) -> int:
    """Check declarations, SQL texts, settings and plugins together. Starts no engine."""
    project: Project | None = None
    faults: list[KindlingError] = []
    try:
        project = app_opened(environment, overrides)
        faults = project_faults(project)
        remember_names(project.state_dir, project.app.entities())
    except KindlingError as error:
        faults = _parts(error)
    if is_json:
        sys.stdout.write(_json(project, faults))
        return worst_exit_code(fault.exit_code for fault in faults)
    raise_together(faults)
    if project is not None:
        entities, pipes = _counts(project)
        sys.stdout.write(f"{entities} entities, {pipes} pipes: no fault\n")
    return 0


def project_faults(project: Project) -> list[KindlingError]:
    """Return everything that is wrong with an opened project, each fault once."""
    faults: list[KindlingError] = list(project.app.all_faults(sql=True))
    try:
        bind(project.app, project.settings, project.catalog)
    except KindlingError as error:
        faults += _parts(error)
    try:
        Rights(project.settings).check(project.catalog)
    except KindlingError as error:
        faults += _parts(error)
    for kind in ("executor", "state"):
        try:
            project.catalog.find(f"{kind}:{project.settings.get(kind)}")
        except KindlingError as error:
            faults.append(error)
    once: dict[str, KindlingError] = {}
    for fault in faults:
        once.setdefault(str(fault), fault)
    return list(once.values())


def _parts(error: KindlingError) -> list[KindlingError]:
    return list(error.faults) if isinstance(error, Faults) else [error]


def _counts(project: Project) -> tuple[int, int]:
    entities = project.app.entities()
    return len(entities), sum(isinstance(entity, Pipe) for entity in entities.values())


def _json(project: Project | None, faults: list[KindlingError]) -> str:
    entities, pipes = _counts(project) if project else (0, 0)
    return document(
        "kindling.check/1",
        app=project.app.name if project else "",
        environment=project.environment if project else "",
        entities=entities,
        pipes=pipes,
        faults=[fault.to_plain() for fault in faults],
    )
