"""`kindling plugins uninstall`: works with every plugin broken, and asks no registry."""

from __future__ import annotations

import os
import sys

import click

from kindling.errors import UsageError
from kindling.names import canonical, did_you_mean
from kindling_plugin_registry.client.asking import say
from kindling_plugin_registry.client.environment import BACKENDS, detect
from kindling_plugin_registry.client.installers import (
    call,
    command_text,
    uninstall_command,
)
from kindling_plugin_registry.client.kernel import PREFIX, document, installed_versions
from kindling_plugin_registry.client.recording import record_requests, without_requests
from kindling_plugin_registry.client.registries import open_client


@click.command("uninstall")
@click.argument("names", nargs=-1, required=True)
@click.option("--backend", type=click.Choice(BACKENDS), default=None, help="Who uninstalls; print: nobody.")
@click.option("--dry-run", is_flag=True, help="Only show what would happen.")
@click.option("--yes", "-y", "says_yes", is_flag=True, help="Do not ask.")
@click.option("--json", "is_json", is_flag=True, help="Print it as JSON (schema kindling.uninstall/1).")
def command(
    names: tuple[str, ...], backend: str | None, dry_run: bool, says_yes: bool, is_json: bool
) -> None:
    """Uninstall plugins by NAMES, and forget that they were asked for."""
    client = open_client(os.getcwd())
    versions = installed_versions()
    found = [_installed(name, versions) for name in names]
    environment = detect()
    line = uninstall_command(environment, environment.backend(backend or ""), found)
    is_dry = dry_run or backend == "print"
    if not is_dry:
        if not says_yes and sys.stdin.isatty():
            click.confirm(f"Uninstall {', '.join(found)}?", abort=True, err=True)
        say(command_text(line))
        call(line)
        kept = without_requests(client.requests, [*found, *(name.removeprefix(PREFIX) for name in found)])
        record_requests(client.settings_file, kept)
    if is_json:
        text = command_text(line)
        sys.stdout.write(document("kindling.uninstall/1", names=found, command=text, is_dry=is_dry))
    elif is_dry:
        sys.stdout.write(f"would run: {command_text(line)}\n")
    else:
        sys.stdout.write(f"uninstalled {', '.join(found)}\n")


def _installed(name: str, versions: dict[str, str]) -> str:
    plain = canonical(name)
    for candidate in (plain, f"{PREFIX}{plain}"):
        if candidate in versions:
            return candidate
    plugins = [item for item in versions if item.startswith(PREFIX)]
    raise UsageError(
        "KDL-REG-148",
        f"no plugin {name!r} is installed",
        why=did_you_mean(name, [*plugins, *(item.removeprefix(PREFIX) for item in plugins)]),
        hint="kindling plugins list",
    )
