"""Check commands, which have no contract class: each is made by its offer and prints its help."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING

from kindling_plugin_registry.check.findings import Finding
from kindling_plugin_registry.check.rooms import CHILDREN
from kindling_plugin_registry.records import Count

if TYPE_CHECKING:
    from collections.abc import Iterator

    from kindling_plugin_registry.check.rooms import Room
    from kindling_plugin_registry.wheels import Wheel

_HELP_S = 300


def run_commands(room: Room, wheel: Wheel) -> tuple[dict[str, Count], list[Finding]]:
    """Return counts by capability and the findings: a command that cannot be made or has no help."""
    wanted = {item: sorted(_paths(wheel, item)) for item in wheel.modules if item.startswith("command:")}
    if not wanted:
        return {}, []
    spec, out = room.home / "commands.json", room.home / "commands-result.json"
    plain = {"modules": wheel.modules, "paths": wanted}
    spec.write_text(json.dumps(plain), encoding="utf-8")
    room.run(str(CHILDREN / "helps.py"), str(spec), str(out), timeout_s=_HELP_S)
    told = json.loads(out.read_text(encoding="utf-8")) if out.is_file() else {}
    counts, findings = {}, []
    for capability, paths in wanted.items():
        faults = dict(told.get(capability, [[path, "no result"] for path in paths]))
        counts[capability] = Count(passed=len(paths) - len(faults), failed=len(faults), skipped=0)
        findings += [_fault(capability, path, why) for path, why in faults.items()]
    return counts, findings


def _paths(wheel: Wheel, capability: str) -> Iterator[str]:
    """Yield what the kernel may ask the command for: itself, and each listed subcommand."""
    yield ""
    listed = wheel.manifest.get("capabilities")
    entry = listed.get(capability) if isinstance(listed, dict) else None
    groups = entry.get("subcommands") if isinstance(entry, dict) else None
    for group, names in (groups if isinstance(groups, dict) else {}).items():
        yield from (f"{group} {name}" for name in names)


def _fault(capability: str, path: str, why: str) -> Finding:
    return Finding(
        code="KDL-REG-233",
        what=f"{capability!r} fails {path or 'itself'!r}",
        why=why,
        hint="return a click.Command with a help text for each path that kindling.json lists",
    )
