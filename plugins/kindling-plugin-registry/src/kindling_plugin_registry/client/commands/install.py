"""`kindling plugins install`: plugins by name, or what offers a capability."""

from __future__ import annotations

import sys

import click

from kindling.errors import UsageError
from kindling_plugin_registry.client.asking import Desk, change_options, choice_options, picks_text, say
from kindling_plugin_registry.client.changes import accept, changes_of
from kindling_plugin_registry.client.installers import command_text
from kindling_plugin_registry.client.installing import install_picks, new_picks, planned_command
from kindling_plugin_registry.client.kernel import document
from kindling_plugin_registry.client.needs import parse_need
from kindling_plugin_registry.client.recording import record_requests, with_requests
from kindling_plugin_registry.client.resolving import Pick, Resolution


@click.command("install")
@click.argument("names", nargs=-1)
@click.option("--needed", "is_needed", is_flag=True, help="Install all that the app needs.")
@click.option("--from-bundle", "bundle", metavar="FILE", default="", help="Install a bundle, and only it.")
@change_options
@choice_options
@click.option("--json", "is_json", is_flag=True, help="Print it as JSON (schema kindling.install/1).")
def command(
    names: tuple[str, ...],
    is_needed: bool,
    bundle: str,
    backend: str | None,
    dry_run: bool,
    says_yes: bool,
    accepted: tuple[str, ...],
    refreshes: bool,
    is_offline: bool,
    no_cooldown: bool,
    is_json: bool,
) -> None:
    """Install plugins by NAMES: `delta`, `kindling-plugin-delta==1.0`, or capabilities as `storage:delta`.

    All wheels are fetched and checked first; one call of the installer follows. The request is recorded.
    """
    if bundle:
        _install_bundle(bundle, backend or "", dry_run=dry_run, says_yes=says_yes, accepted=accepted)
        return
    if not names and not is_needed:
        raise UsageError("KDL-REG-147", "nothing to install is named", hint="kindling plugins install NAME")
    del refreshes  # it always asks, unless offline
    desk = Desk(refreshes=not is_offline, is_offline=is_offline, has_cooldown=not no_cooldown)
    needs = [*(parse_need(text) for text in names if ":" in text), *(desk.needs() if is_needed else ())]
    requests = [text for text in names if ":" not in text]
    resolution = desk.resolve(needs, with_requests(desk.client.requests, requests))
    resolution.raise_faults()
    picks, changes = new_picks(desk, resolution), changes_of(desk, resolution)
    say(resolution.warnings_text() + "".join(change.text() for change in changes))
    is_dry = dry_run or backend == "print"
    line = command_text(planned_command(desk, picks, backend or "", is_offline=is_offline)) if picks else ""
    if not is_dry:
        accept(desk.client.rules, changes, says_yes=says_yes, accepted=accepted)
        if picks:
            line = install_picks(desk, picks, backend or "", is_offline=is_offline)
        asked = [*requests, *(pick.name for pick in resolution.picks if pick.release and pick.capabilities)]
        record_requests(desk.client.settings_file, with_requests(desk.client.requests, asked))
    if is_json:
        plain = [change.to_plain() for change in changes]
        sys.stdout.write(document("kindling.install/1", changes=plain, command=line, is_dry=is_dry))
        return
    sys.stdout.write(_dry_text(resolution, line) if is_dry else _done_text(picks))


def _install_bundle(
    path: str, backend: str, *, dry_run: bool, says_yes: bool, accepted: tuple[str, ...]
) -> None:
    from kindling_plugin_registry.client.bundles import install_bundle

    install_bundle(path, backend, dry_run=dry_run, says_yes=says_yes, accepted=accepted)


def _dry_text(resolution: Resolution, line: str) -> str:
    return picks_text(resolution) + (f"would run: {line}\n" if line else "")


def _done_text(picks: list[Pick]) -> str:
    done = ", ".join(f"{pick.name} {pick.version}" for pick in picks)
    return f"installed {done}\n" if picks else "everything is installed already\n"
