"""`kindling plugins update`: newer releases; permissions and publishers are shown before anything happens."""

from __future__ import annotations

import sys

import click

from kindling_plugin_registry.client.asking import Desk, change_options, choice_options, say
from kindling_plugin_registry.client.changes import accept
from kindling_plugin_registry.client.installing import install_picks
from kindling_plugin_registry.client.kernel import document
from kindling_plugin_registry.client.updating import updates


@click.command("update")
@click.argument("names", nargs=-1)
@change_options
@choice_options
@click.option("--json", "is_json", is_flag=True, help="Print it as JSON (schema kindling.update/1).")
def command(
    names: tuple[str, ...],
    backend: str | None,
    dry_run: bool,
    says_yes: bool,
    accepted: tuple[str, ...],
    refreshes: bool,
    is_offline: bool,
    no_cooldown: bool,
    is_json: bool,
) -> None:
    """Update plugins by NAMES, by default all. A new permission or publisher must be accepted."""
    del refreshes  # it always asks, unless offline
    desk = Desk(refreshes=not is_offline, is_offline=is_offline, has_cooldown=not no_cooldown)
    found = updates(desk, names)
    warnings = "".join(f"warning: {text}\n" for text in found.resolution.warnings)
    say(warnings + "".join(change.text() for change in found.changes))
    is_dry = dry_run or backend == "print"
    line = ""
    if found.picks and not is_dry:
        accept(desk.client.rules, found.changes, says_yes=says_yes, accepted=accepted)
        line = install_picks(desk, found.picks, backend or "", is_offline=is_offline)
    done = {pick.name: pick.version for pick in found.picks}
    if is_json:
        plain = [change.to_plain() for change in found.changes]
        sys.stdout.write(document("kindling.update/1", changes=plain, command=line, is_dry=is_dry))
    elif not done:
        sys.stdout.write("everything is up to date\n")
    else:
        names_text = ", ".join(f"{name} {version}" for name, version in done.items())
        sys.stdout.write(f"{'would update' if is_dry else 'updated'} {names_text}\n")
