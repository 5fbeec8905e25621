"""`kindling plugins why-not`: the rules that keep a plugin from being chosen."""

from __future__ import annotations

import sys

import click

from kindling.errors import KindlingError
from kindling.values import Value
from kindling_plugin_registry.client.asking import Desk, choice_options, environment_option
from kindling_plugin_registry.client.judging import Exclusion
from kindling_plugin_registry.client.kernel import document
from kindling_plugin_registry.client.needs import Need
from kindling_plugin_registry.client.resolving import Pick


@click.command("why-not")
@click.argument("name")
@environment_option
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
    answer = _answer(desk, name, environment)
    if is_json:
        sys.stdout.write(document("kindling.why-not/1", **answer.to_plain()))
    else:
        sys.stdout.write(answer.text())


class _Answer(Value):
    """Why a plugin is not chosen: its pick if it is, exclusions, needs it does not meet, others instead."""

    name: str
    registry: str
    picked: Pick | None
    exclusions: tuple[Exclusion, ...]
    unneeded: tuple[str, ...]
    instead: tuple[tuple[str, Pick], ...]
    faults: tuple[KindlingError, ...]

    def to_plain(self) -> dict[str, object]:
        return {
            "name": self.name,
            "chosen": self.picked.to_plain() if self.picked else None,
            "exclusions": [item.to_plain() for item in self.exclusions],
            "unneeded": list(self.unneeded),
            "instead": {capability: pick.name for capability, pick in self.instead},
            "faults": [fault.to_plain() for fault in self.faults],
        }

    def text(self) -> str:
        lines = [f"{self.name} of the registry {self.registry}\n"]
        if self.unneeded:
            lines.append(f"  the app needs nothing that it offers ({', '.join(self.unneeded)})\n")
        elif self.picked is not None:
            lines.append(f"  {self.picked.version} is chosen: {self.picked.why}\n")
        for item in self.exclusions:
            lines.append(f"  not {item.version or 'any version'}: {item.why} ({item.rule})\n")
            lines += [f"      do: {item.hint}\n"] if item.hint else []
        lines += [f"  {capability} comes from {pick.name}: {pick.why}\n" for capability, pick in self.instead]
        lines += [f"  {fault.what}: {fault.why}\n" for fault in self.faults if self.name in fault.what]
        return "".join(lines)


def _answer(desk: Desk, name: str, environment: str | None) -> _Answer:
    """Resolve the app's needs and all that the plugin offers, and look what became of it."""
    copy, line = desk.market.named(name)
    page = desk.market.page(copy, line)
    needs = desk.needs(environment)
    known = {need.capability for need in needs}
    offered = {item.capability for release in page.releases[:1] for item in release.provides}
    extra = [Need(item) for item in sorted(offered - known)]
    resolution = desk.resolve([*needs, *extra], desk.client.requests)
    others = [(item, resolution.pick_for(item)) for item in sorted(offered)]
    return _Answer(
        line.name,
        copy.registry.name,
        next((pick for pick in resolution.picks if pick.name == line.name), None),
        tuple(item for item in resolution.exclusions if item.name == line.name),
        () if not known or offered & known else tuple(sorted(offered)),
        tuple((item, pick) for item, pick in others if pick is not None and pick.name != line.name),
        resolution.faults,
    )
