"""`kindling plugins diff`: what an update would change, before anything is installed or locked."""

from __future__ import annotations

import sys

import click

from kindling_plugin_registry.client.asking import Desk, choice_options
from kindling_plugin_registry.client.kernel import document
from kindling_plugin_registry.client.updating import updates


@click.command("diff")
@click.argument("names", nargs=-1)
@choice_options
@click.option("--json", "is_json", is_flag=True, help="Print it as JSON (schema kindling.diff/1).")
def command(
    names: tuple[str, ...], refreshes: bool, is_offline: bool, no_cooldown: bool, is_json: bool
) -> None:
    """Show new versions, permissions and publishers of NAMES, by default of all installed plugins."""
    desk = Desk(refreshes=refreshes, is_offline=is_offline, has_cooldown=not no_cooldown)
    found = updates(desk, names)
    if is_json:
        plain = [change.to_plain() for change in found.changes]
        sys.stdout.write(document("kindling.diff/1", changes=plain, warnings=list(found.resolution.warnings)))
        return
    text = "".join(change.text() for change in found.changes)
    sys.stdout.write(text or "everything is up to date\n")
