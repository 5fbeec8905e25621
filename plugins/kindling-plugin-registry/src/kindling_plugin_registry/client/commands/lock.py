"""`kindling plugins lock`: exact versions and hashes for all platforms, for any installer of PEP 751."""

from __future__ import annotations

import sys

import click

from kindling.errors import UsageError
from kindling_plugin_registry.client.asking import Desk, choice_options, environment_option, say
from kindling_plugin_registry.client.changes import accept
from kindling_plugin_registry.client.kernel import document
from kindling_plugin_registry.client.lockfile import read_lock
from kindling_plugin_registry.client.locking import lock_changes, make_lock, released_picks, write_lock


@click.command("lock")
@environment_option
@click.option("--upgrade", is_flag=True, help="Choose the newest releases, not those of the old lock.")
@click.option("--dry-run", is_flag=True, help="Only show what would change.")
@click.option("--accept", "accepted", multiple=True, metavar="WORD", help="Accept a permission by its name.")
@choice_options
@click.option("--json", "is_json", is_flag=True, help="Print it as JSON (schema kindling.lock-result/1).")
def command(
    environment: str | None,
    upgrade: bool,
    dry_run: bool,
    accepted: tuple[str, ...],
    refreshes: bool,
    is_offline: bool,
    no_cooldown: bool,
    is_json: bool,
) -> None:
    """Write pylock.kindling.toml for what the app needs and what was asked for; installs nothing."""
    desk = Desk(refreshes=refreshes or not is_offline, is_offline=is_offline, has_cooldown=not no_cooldown)
    if not desk.client.project:
        raise UsageError("KDL-REG-154", "there is no project to lock", hint="kindling init, or cd to it")
    old = read_lock(desk.client.project)
    needs = desk.needs(environment)
    resolver = desk.resolver(upgrades=upgrade)
    if old is not None and not upgrade:
        resolver.locked = {item.name: item.version for item in old.packages}
    resolution = resolver.resolve(needs, desk.client.requests)
    resolution.raise_faults()
    picks = released_picks(desk, resolution)
    changes = lock_changes(picks, old)
    say("".join(f"warning: {text}\n" for text in resolution.warnings) + "".join(c.text() for c in changes))
    path = ""
    if not dry_run:
        accept(desk.client.rules, changes, says_yes=True, accepted=accepted)
        path = write_lock(desk.client.project, make_lock(desk, picks, needs, is_offline=is_offline))
    if is_json:
        plain = [change.to_plain() for change in changes]
        names = {pick.name: pick.version for pick in picks}
        sys.stdout.write(document("kindling.lock-result/1", path=path, plugins=names, changes=plain))
    else:
        sys.stdout.write(f"{len(picks)} plugins locked in {path}\n" if path else "nothing was written\n")
