"""`kindling plugins resolve`: choose plugins for capabilities; install nothing."""

from __future__ import annotations

import sys

import click

from kindling_plugin_registry.client.asking import (
    Desk,
    ages_text,
    asked_needs,
    choice_options,
    environment_option,
    picks_text,
)
from kindling_plugin_registry.client.kernel import document


@click.command("resolve")
@click.argument("capabilities", nargs=-1)
@environment_option
@choice_options
@click.option("--json", "is_json", is_flag=True, help="Print it as JSON (schema kindling.resolve/1).")
def command(
    capabilities: tuple[str, ...],
    environment: str | None,
    refreshes: bool,
    is_offline: bool,
    no_cooldown: bool,
    is_json: bool,
) -> None:
    """Choose plugins for CAPABILITIES, by default for those that the app needs."""
    desk = Desk(refreshes=refreshes, is_offline=is_offline, has_cooldown=not no_cooldown)
    resolution = desk.resolve(asked_needs(desk, capabilities, environment), desk.client.requests)
    if is_json:
        sys.stdout.write(
            document(
                "kindling.resolve/1",
                plugins=[pick.to_plain() for pick in resolution.picks],
                exclusions=[item.to_plain() for item in resolution.exclusions],
                warnings=list(resolution.warnings),
                faults=[fault.to_plain() for fault in resolution.faults],
            )
        )
        resolution.raise_faults()
        return
    resolution.raise_faults()
    sys.stdout.write(picks_text(resolution) + ages_text(desk.market))
