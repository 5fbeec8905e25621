"""`kindling plugins`: list, inspect, enable and disable what is installed."""

from __future__ import annotations

import os
import sys

import click

from kindling.cli.documents import document
from kindling.cli.extension import ExtensibleGroup, load_command
from kindling.cli.places import catalog_here
from kindling.cli.plugin_pages import check_known, find_distribution, info_plain, info_text
from kindling.cli.plugins_list import plugins_text
from kindling.config.settings import find_project
from kindling.errors import KindlingError, UsageError
from kindling.plugins import switches


@click.group("plugins", cls=ExtensibleGroup)
def command() -> None:
    """List, inspect, enable and disable plugins."""


@command.command("list")
@click.option("--json", "is_json", is_flag=True, help="Print the list as JSON (schema kindling.plugins/1).")
def list_plugins(is_json: bool) -> None:
    """List what is installed, and what cannot be used and why. Imports no plugin."""
    sys.stdout.write(plugins_text(os.getcwd(), is_json=is_json))


@command.command("info")
@click.argument("name")
@click.option("--json", "is_json", is_flag=True, help="Print it as JSON (schema kindling.plugin/1).")
def show_plugin(name: str, is_json: bool) -> None:
    """Show what plugin NAME offers, needs and may be told. Imports no plugin."""
    catalog = catalog_here()
    try:
        distribution = find_distribution(catalog, name)
    except UsageError as fault:
        _show_remote(name, fault, is_json=is_json)
        return
    plain = document("kindling.plugin/1", **info_plain(catalog, distribution)) if is_json else ""
    sys.stdout.write(plain or info_text(catalog, distribution))


def _show_remote(name: str, fault: UsageError, *, is_json: bool) -> None:
    """Let a plugin that adds `info` answer for what is not installed; without an answer raise the fault."""
    adds = [
        item.id
        for item in catalog_here().capabilities("command")
        if any(added[:2] == ("plugins", "info") for added in item.subcommands)
    ]
    found = load_command(lambda item: item.id in adds, "plugins info") if adds else None
    if found is None:
        raise fault
    try:
        click.get_current_context().invoke(found, name=name, is_json=is_json)
    except KindlingError as error:
        if error.code == "KDL-REG-101":  # no registry is configured, so nobody else was asked
            raise fault from None
        raise


@command.command("enable")
@click.argument("name")
def enable_plugin(name: str) -> None:
    """Switch plugin NAME on again: edits [plugins] disable in kindling.toml."""
    is_changed = switches.enable(f"{find_project(os.getcwd())}/kindling.toml", name)
    sys.stdout.write(f"{name} is enabled\n" if is_changed else f"{name} was not disabled\n")


@command.command("disable")
@click.argument("name")
def disable_plugin(name: str) -> None:
    """Switch plugin NAME off in this project: edits [plugins] disable in kindling.toml."""
    project = find_project(os.getcwd())
    check_known(catalog_here(), name)
    is_changed = switches.disable(f"{project}/kindling.toml", name)
    sys.stdout.write(f"{name} is disabled\n" if is_changed else f"{name} was disabled already\n")
