"""`kindling plugins why-not`: the rules that keep a plugin from being chosen."""

from __future__ import annotations

import sys

import click

from kindling_plugin_registry.client.asking import Desk, choice_options
from kindling_plugin_registry.client.kernel import document
from kindling_plugin_registry.client.needs import Need


@click.command("why-not")
@click.argument("name")
@click.option("--env", "-e", "environment", metavar="NAME", help="Environment of the app.")
@choice_options
@click.option("--json", "is_json", is_flag=True, help="Print it as JSON (schema kindling.why-not/1).")
def command(
    name: str,
    environment: str | None,
    refreshes: bool,
    is_offline: bool,
    no_cooldown: bool,
    is_json: bool,
) -> None:
    """Say why plugin NAME was not chosen, rule by rule, for the app's needs and for all it offers."""
    desk = Desk(refreshes=refreshes, is_offline=is_offline, has_cooldown=not no_cooldown)
    copy, line = desk.market.named(name)
    page = desk.market.page(copy, line)
    needs = list(desk.needs(environment))
    known = {need.capability for need in needs}
    offered = {item.capability for release in page.releases[:1] for item in release.provides}
    extra = [Need(item) for item in sorted(offered - known)]
    resolution = desk.resolve([*needs, *extra], desk.client.requests)
    picked = next((pick for pick in resolution.picks if pick.name == line.name), None)
    met = [item for item in resolution.exclusions if item.name == line.name]
    unneeded = [] if not known or offered & known else sorted(offered)
    others = {
        item: pick
        for item in sorted(offered)
        if (pick := resolution.pick_for(item)) is not None and pick.name != line.name
    }
    if is_json:
        sys.stdout.write(
            document(
                "kindling.why-not/1",
                name=line.name,
                chosen=picked.to_plain() if picked else None,
                exclusions=[item.to_plain() for item in met],
                unneeded=unneeded,
                instead={item: pick.name for item, pick in others.items()},
                faults=[fault.to_plain() for fault in resolution.faults],
            )
        )
        return
    lines = [f"{line.name} of the registry {copy.registry.name}\n"]
    if unneeded:
        lines.append(f"  the app needs nothing that it offers ({', '.join(unneeded)})\n")
    elif picked is not None:
        lines.append(f"  {picked.version} is chosen: {picked.why}\n")
    for item in met:
        lines.append(f"  not {item.version or 'any version'}: {item.why} ({item.rule})\n")
        lines += [f"      do: {item.hint}\n"] if item.hint else []
    lines += [f"  {item} comes from {pick.name}: {pick.why}\n" for item, pick in others.items()]
    lines += [f"  {fault.what}: {fault.why}\n" for fault in resolution.faults if line.name in fault.what]
    sys.stdout.write("".join(lines))
