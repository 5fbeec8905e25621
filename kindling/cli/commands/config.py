"""`kindling config`: settings, where each comes from, and which settings exist."""

from __future__ import annotations

import sys
from typing import TYPE_CHECKING

import click

from kindling.cli.documents import document
from kindling.cli.inspection import rows_text, schema_plain, schema_rows, schema_text, setting_rows
from kindling.cli.places import app_opened, catalog_here, common_options, settings_opened
from kindling.config.schema import Schema
from kindling.errors import DeclarationError, Faults

if TYPE_CHECKING:
    from kindling.plan.project import Project
    from kindling.plugins.catalog import Catalog


@click.group("config")
def command() -> None:
    """Show settings and where each comes from."""


@command.command("show")
@click.argument("key", default="")
@common_options
@click.option("--origin", "has_origin", is_flag=True, help="Say where each value was set.")
@click.option("--json", "is_json", is_flag=True, help="Print the values as JSON (schema kindling.config/1).")
def show_config(
    key: str, environment: str | None, overrides: tuple[str, ...], has_origin: bool, is_json: bool
) -> None:
    """Show all settings, or those below KEY; values from the secrets file are hidden."""
    project = _opened(environment, overrides)
    rows = setting_rows(project.settings, _schema(project.catalog), key)
    if is_json:
        values = [row.to_plain() for row in rows]
        text = document(
            "kindling.config/1", project=project.path, environment=project.environment, values=values
        )
    else:
        text = rows_text(rows, has_origin=has_origin)
    sys.stdout.write(text)


@command.command("schema")
@click.option("--json", "is_json", is_flag=True, help="As JSON (schema kindling.config-schema/1).")
def show_schema(is_json: bool) -> None:
    """List the settings that exist: the kernel's and those of installed plugins."""
    rows = schema_rows(_schema(catalog_here()))
    plain = document("kindling.config-schema/1", settings=schema_plain(rows)) if is_json else ""
    sys.stdout.write(plain or schema_text(rows))


def _opened(environment: str | None, overrides: tuple[str, ...]) -> Project:
    """Open the project with its app, whose settings are the highest layer; a broken app is left out."""
    try:
        return app_opened(environment, overrides)
    except (DeclarationError, Faults) as error:
        project = settings_opened(environment, overrides)
        sys.stderr.write(f"{error}\nnote: the app could not be loaded; what App(settings=) says is missing\n")
        return project


def _schema(catalog: Catalog) -> Schema:
    return Schema({capability.id: capability.config for capability in catalog.installed()})
