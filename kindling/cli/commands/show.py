"""`kindling show`: the first rows of an entity."""

from __future__ import annotations

import sys

import click

from kindling.cli.completion import complete_entity, remember_names
from kindling.cli.documents import document
from kindling.cli.places import app_opened, common_options
from kindling.cli.preview import preview, preview_plain, preview_text, shown_entity
from kindling.cli.viewing import check_overrides, check_principal, view_of
from kindling.plan.binding import bind
from kindling.run.commitment import QUARANTINE


@click.command("show")
@click.argument("entity", shell_complete=complete_entity)
@common_options
@click.option("--limit", "-n", type=click.IntRange(min=1), default=20, show_default=True, help="Most rows.")
@click.option("--version", default="", metavar="VERSION", help="An older version; default: the newest.")
@click.option(
    "--as",
    "seen_as",
    metavar="PRINCIPAL",
    default="",
    help="Look as somebody else does, for example user:ann or role:analyst; never more than you may see.",
)
@click.option("--json", "is_json", is_flag=True, help="Print the rows as JSON (schema kindling.show/1).")
def command(
    entity: str,
    environment: str | None,
    overrides: tuple[str, ...],
    limit: int,
    version: str,
    seen_as: str,
    is_json: bool,
) -> None:
    """Show the first rows of ENTITY as its storage has them now. Starts the entity's engine.

    ENTITY__quarantine shows the rows that broke its expectations. Classified columns are masked by the
    rules of [policy.masks] with on = "show", as far as they are about you.
    """
    check_overrides(overrides)
    viewer = check_principal(seen_as) if seen_as else ""
    project = app_opened(environment, overrides)
    binding = bind(project.app, project.settings, project.catalog)
    bound = shown_entity(binding, entity)
    remember_names(project.state_dir, binding.entities)
    base = bound.name.removesuffix(QUARANTINE) if bound.name not in binding.entities else bound.name
    view = view_of(project, binding, base, seen_as=viewer)
    found = preview(project, bound, view, limit=limit, version=version)
    if is_json:
        plain = preview_plain(found)
        text = document("kindling.show/1", entity=bound.name, platform=bound.platform, limit=limit, **plain)
    else:
        text = preview_text(found)
    sys.stdout.write(text)
    sys.stdout.flush()
    for note in found.notes:
        sys.stderr.write(f"note: {note}\n")
