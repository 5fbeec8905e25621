"""What the commands of choice share: opening market, catalog and needs; options; texts of a resolution."""

from __future__ import annotations

import os
import sys
from datetime import datetime, timezone
from typing import TYPE_CHECKING

import click

from kindling_plugin_registry.client import copies
from kindling_plugin_registry.client.environment import BACKENDS
from kindling_plugin_registry.client.judging import Judge
from kindling_plugin_registry.client.kernel import KERNEL, read_catalog, table_text
from kindling_plugin_registry.client.market import open_market
from kindling_plugin_registry.client.needs import Need, infer_needs, parse_need
from kindling_plugin_registry.client.registries import open_client
from kindling_plugin_registry.client.resolving import Resolver

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Sequence

    from kindling_plugin_registry.client.kernel import Catalog
    from kindling_plugin_registry.client.market import Market
    from kindling_plugin_registry.client.resolving import Resolution


class Desk:
    """One command's view: settings, registries, installed plugins.

    Attributes:
        market: The registries.
        catalog: What is installed; policy is not applied, so that blocked ones are seen.
    """

    def __init__(
        self, *, refreshes: bool = False, is_offline: bool = False, has_cooldown: bool = True
    ) -> None:
        self.client = open_client(os.getcwd())
        self.market: Market = open_market(self.client, refreshes=refreshes, is_offline=is_offline)
        self.catalog: Catalog = read_catalog(self.client.cache, self.client.policy)
        self.has_cooldown = has_cooldown

    def needs(self, environment: str | None = None) -> tuple[Need, ...]:
        """Return what the app needs; nothing outside of a project."""
        if not self.client.project:
            return ()
        from kindling_plugin_registry.client.declarations import app_opened

        return infer_needs(app_opened(environment))

    def resolve(
        self, needs: Sequence[Need], requests: Iterable[str] = (), *, upgrades: bool = False
    ) -> Resolution:
        """Choose plugins; faults stay in the answer."""
        return self.resolver(upgrades=upgrades).resolve(needs, requests)

    def resolver(self, *, upgrades: bool = False) -> Resolver:
        """Return a resolver of this desk."""
        judge = Judge(self.market, datetime.now(timezone.utc), has_cooldown=self.has_cooldown)
        return Resolver(self.market, self.catalog, judge, upgrades=upgrades)


def asked_needs(desk: Desk, capabilities: Sequence[str], environment: str | None) -> tuple[Need, ...]:
    """Return the needs that were given, else those of the app."""
    if capabilities:
        return tuple(parse_need(text) for text in capabilities)
    return desk.needs(environment)


def choice_options(command: Callable[..., object]) -> Callable[..., object]:
    """Add `--refresh`, `--offline` and `--no-cooldown`."""
    for option in (
        click.option("--no-cooldown", "no_cooldown", is_flag=True, help="Choose brand-new releases, too."),
        click.option("--offline", "is_offline", is_flag=True, help="Touch no network."),
        click.option("--refresh", "refreshes", is_flag=True, help="Ask the registries first."),
    ):
        command = option(command)
    return command


def environment_option(command: Callable[..., object]) -> Callable[..., object]:
    """Add `--env`."""
    return click.option("--env", "-e", "environment", metavar="NAME", help="Environment of the app.")(command)


def change_options(command: Callable[..., object]) -> Callable[..., object]:
    """Add `--backend`, `--dry-run`, `--yes` and `--accept`."""
    for option in (
        click.option(
            "--accept", "accepted", multiple=True, metavar="WORD", help="Accept a permission by its name."
        ),
        click.option("--yes", "-y", "says_yes", is_flag=True, help="Accept what is shown."),
        click.option("--dry-run", is_flag=True, help="Only show what would happen."),
        click.option(
            "--backend", type=click.Choice(BACKENDS), default=None, help="Who installs; print: nobody."
        ),
    ):
        command = option(command)
    return command


def picks_text(resolution: Resolution) -> str:
    """Return the picks as a table, with warnings."""
    rows = [("plugin", "version", "level", "from", "for", "why")]
    for pick in resolution.picks:
        if pick.name == KERNEL:
            continue
        source = pick.registry or "installed"
        level = pick.level or "-"
        rows.append((pick.name, pick.version, level, source, ", ".join(pick.capabilities) or "-", pick.why))
    text = table_text(rows) if len(rows) > 1 else "no plugin is needed beyond the kernel\n"
    return text + "".join(f"warning: {item}\n" for item in resolution.warnings)


def ages_text(market: Market) -> str:
    """Return one line with the age of each copy."""
    return f"index: {copies.ages_text(market.copies)}\n"


def say(text: str) -> None:
    """Tell a person something that is not the result."""
    sys.stderr.write(text if text.endswith("\n") else f"{text}\n")
