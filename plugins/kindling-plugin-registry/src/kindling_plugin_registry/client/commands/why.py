"""`kindling plugins why`: which plugin a capability comes from, and why that one."""

from __future__ import annotations

import sys

import click

from kindling_plugin_registry.client.asking import Desk, choice_options, environment_option
from kindling_plugin_registry.client.kernel import document
from kindling_plugin_registry.client.needs import parse_need


@click.command("why")
@click.argument("capability")
@environment_option
@choice_options
@click.option("--json", "is_json", is_flag=True, help="Print it as JSON (schema kindling.why-plugin/1).")
def command(
    capability: str,
    environment: str | None,
    refreshes: bool,
    is_offline: bool,
    no_cooldown: bool,
    is_json: bool,
) -> None:
    """Say which plugin CAPABILITY comes from, who needs it, and who was passed over."""
    desk = Desk(refreshes=refreshes, is_offline=is_offline, has_cooldown=not no_cooldown)
    given = parse_need(capability)
    needs = {need.capability: need for need in desk.needs(environment)}
    need = needs.get(given.capability, given)
    resolution = desk.resolve((need,), desk.client.requests)
    pick = resolution.pick_for(need.capability)
    met = [item for item in resolution.exclusions if item.capability == need.capability]
    if is_json:
        sys.stdout.write(
            document(
                "kindling.why-plugin/1",
                need=need.to_plain(),
                plugin=pick.to_plain() if pick else None,
                exclusions=[item.to_plain() for item in met],
            )
        )
        return
    lines = [f"{need}\n", *(f"  needed by {text}\n" for text in need.why)]
    if pick is not None:
        lines.append(f"  from {pick.name} {pick.version}: {pick.why}\n")
    lines += [f"  not {item.name} {item.version}".rstrip() + f": {item.why} ({item.rule})\n" for item in met]
    sys.stdout.write("".join(lines))
    if pick is None:
        resolution.raise_faults()
