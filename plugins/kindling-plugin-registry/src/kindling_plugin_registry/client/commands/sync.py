"""`kindling plugins sync`: install exactly what the lock says, or what was asked for where there is none."""

from __future__ import annotations

import os
import sys

import click

from kindling.errors import PolicyError
from kindling_plugin_registry.client.asking import Desk, environment_option, say
from kindling_plugin_registry.client.environment import BACKENDS
from kindling_plugin_registry.client.installing import install_picks, new_picks
from kindling_plugin_registry.client.kernel import document, installed_versions
from kindling_plugin_registry.client.lockfile import Lock, read_lock
from kindling_plugin_registry.client.market import open_market
from kindling_plugin_registry.client.needs import infer_needs
from kindling_plugin_registry.client.registries import Client, open_client
from kindling_plugin_registry.client.syncing import missing, refuse_dangerous, sync


@click.command("sync")
@click.option("--locked", "is_locked", is_flag=True, help="Refuse a lock that no longer fits (exit 5).")
@click.option("--check", "is_check", is_flag=True, help="Install nothing; exit 5 if anything would be.")
@environment_option
@click.option("--backend", type=click.Choice(BACKENDS), default=None, help="Who installs; print: nobody.")
@click.option("--offline", "is_offline", is_flag=True, help="Touch no network.")
@click.option("--dry-run", is_flag=True, help="Only show what would happen.")
@click.option("--yes", "-y", "says_yes", is_flag=True, help="Accepted for symmetry: nothing is asked.")
@click.option("--json", "is_json", is_flag=True, help="Print it as JSON (schema kindling.sync/1).")
def command(
    is_locked: bool,
    is_check: bool,
    environment: str | None,
    backend: str | None,
    is_offline: bool,
    dry_run: bool,
    says_yes: bool,
    is_json: bool,
) -> None:
    """Install what pylock.kindling.toml says; without a lock, all plugins that were asked for."""
    del says_yes
    client = open_client(os.getcwd())
    lock = read_lock(client.project) if client.project else None
    is_dry = dry_run or backend == "print"
    if lock is None:
        if is_locked or is_check:
            raise PolicyError("KDL-REG-157", "there is no lock", hint="kindling plugins lock")
        done, line = _restore(backend or "", is_offline=is_offline, is_dry=is_dry)
    else:
        _check_fits(client, lock, environment, is_locked=is_locked)
        if is_check:
            _check_installed(lock)
        done, line = _from_lock(client, lock, backend or "", is_offline=is_offline, is_dry=is_dry)
    if is_json:
        sys.stdout.write(document("kindling.sync/1", installed=done, command=line, is_dry=is_dry))
    elif not done:
        sys.stdout.write("everything is installed already\n")
    else:
        names = ", ".join(f"{name} {version}" for name, version in done.items())
        sys.stdout.write(f"would run: {line}\nfor {names}\n" if is_dry else f"installed {names}\n")


def _check_fits(client: Client, lock: Lock, environment: str | None, *, is_locked: bool) -> None:
    from kindling_plugin_registry.client.declarations import app_opened

    drift = lock.drift(infer_needs(app_opened(environment)), client.requests)
    if drift and is_locked:
        raise PolicyError(
            "KDL-REG-158",
            "the lock no longer fits the project",
            why="; ".join(drift),
            where=lock.path,
            hint="kindling plugins lock",
            drift=drift,
        )
    say("".join(f"warning: {text}\n" for text in drift))


def _check_installed(lock: Lock) -> None:
    found = lock.differences(installed_versions())
    if found:
        raise PolicyError(
            "KDL-REG-159",
            "what is installed is not what the lock says",
            why="; ".join(found),
            where=lock.path,
            hint="kindling plugins sync --locked",
            drift=found,
        )


def _from_lock(
    client: Client, lock: Lock, backend: str, *, is_offline: bool, is_dry: bool
) -> tuple[dict[str, str], str]:
    if client.registries:
        plugins = [item for item in lock.packages if item.name in lock.table("plugins")]
        market = open_market(client, refreshes=not is_offline, is_offline=is_offline)
        say("".join(f"warning: {text}\n" for text in refuse_dangerous(market, plugins)))
    packages = missing(lock)
    if not packages:
        return {}, ""
    line = sync(client, packages, backend, is_offline=is_offline, is_dry=is_dry)
    return {item.name: item.version for item in packages}, line


def _restore(backend: str, *, is_offline: bool, is_dry: bool) -> tuple[dict[str, str], str]:
    """Install again what was asked for, for example after an upgrade of the tool wiped it."""
    desk = Desk(refreshes=not is_offline, is_offline=is_offline, has_cooldown=False)
    resolution = desk.resolve((), desk.client.requests)
    resolution.raise_faults()
    picks = new_picks(desk, resolution)
    line = ""
    if picks and not is_dry:
        line = install_picks(desk, picks, backend, is_offline=is_offline)
    return {pick.name: pick.version for pick in picks}, line
