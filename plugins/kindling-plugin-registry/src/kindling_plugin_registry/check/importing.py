"""Import a plugin in its room, watched: what it opened, connected to and started; how long it took."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING

from msgspec import Struct

from kindling_plugin_registry.check.findings import Finding
from kindling_plugin_registry.check.rooms import CHILDREN
from kindling_plugin_registry.client.kernel import ENGINES

if TYPE_CHECKING:
    from collections.abc import Iterator

    from kindling_plugin_registry.check.rooms import Room
    from kindling_plugin_registry.wheels import Wheel

MOST_MS = 500
"""Longest import of all modules that entry points and probes name, bytecode compiled, kernel loaded."""
ROUNDS = 3
_IMPORT_S = 120
_CODES = {
    "network": ("KDL-REG-222", "connects"),
    "process": ("KDL-REG-223", "starts a process"),
    "files": ("KDL-REG-224", "writes files"),
}


class Imported(Struct, frozen=True, kw_only=True):
    """What importing did: milliseconds of the quickest round, and what was observed, by permission."""

    import_ms: int
    observed: dict[str, list[str]]
    findings: tuple[Finding, ...]
    is_loadable: bool


def watch_import(room: Room, wheel: Wheel) -> Imported:
    """Import the modules that the kernel would import, several times; the first round compiles."""
    spec = room.home / "import.json"
    spec.write_text(json.dumps(_spec(wheel)), encoding="utf-8")
    rounds = []
    for number in range(ROUNDS):
        result = room.home / f"import-{number}.json"
        done = room.run(str(CHILDREN / "watch.py"), str(spec), str(result), timeout_s=_IMPORT_S)
        if done is None or not result.is_file():
            why = f"not done after {_IMPORT_S} s" if done is None else _last(done.stderr)
            return _failed([[wheel.name, why]])
        rounds.append(json.loads(result.read_text(encoding="utf-8")))
        if rounds[-1]["errors"] or (number and rounds[-1]["import_ms"] < MOST_MS):
            break
    observed = {key: sorted({item for one in rounds for item in one["observed"][key]}) for key in _CODES}
    took = min(one["import_ms"] for one in rounds)
    errors, engines = rounds[-1]["errors"], rounds[-1]["engines"]
    findings = [*_errors(errors), *_effects(observed), *_engines(engines), *_slow(wheel, took)]
    return Imported(import_ms=took, observed=observed, findings=tuple(findings), is_loadable=not errors)


def _spec(wheel: Wheel) -> dict[str, object]:
    listed = wheel.manifest.get("capabilities")
    entries = [item for item in listed.values() if isinstance(item, dict)] if isinstance(listed, dict) else []
    probes = [str(item["probe_module"]) for item in entries if item.get("probe_module")]
    return {
        "kinds": sorted({capability.partition(":")[0] for capability in wheel.modules}),
        "modules": sorted({*wheel.modules.values(), *probes}),
        "capabilities": wheel.modules,
        "engines": ENGINES,
    }


def _failed(errors: list[list[str]]) -> Imported:
    empty: dict[str, list[str]] = {key: [] for key in _CODES}
    return Imported(import_ms=0, observed=empty, findings=tuple(_errors(errors)), is_loadable=False)


def _errors(errors: list[list[str]]) -> Iterator[Finding]:
    for name, why in errors:
        yield Finding(
            code="KDL-REG-221",
            what=f"{name!r} cannot be loaded",
            why=why,
            hint="install the wheel into an empty environment and import it",
        )


def _effects(observed: dict[str, list[str]]) -> Iterator[Finding]:
    for key, (code, verb) in _CODES.items():
        if observed[key]:
            yield Finding(
                code=code,
                what=f"importing the plugin {verb}",
                why=f"observed: {', '.join(observed[key][:5])}",
                hint="do it in the function that needs it: listing plugins must have no effects",
            )


def _engines(engines: list[str]) -> Iterator[Finding]:
    if engines:
        yield Finding(
            code="KDL-REG-211",
            what=f"importing the plugin imports {', '.join(map(repr, engines))}",
            why="listing and loading plugins would start an engine's import",
            hint="move the import into the function that needs it",
        )


def _slow(wheel: Wheel, took: int) -> Iterator[Finding]:
    if took > MOST_MS:
        yield Finding(
            code="KDL-REG-225",
            what=f"importing {wheel.name!r} takes {took} ms",
            why=f"at most {MOST_MS} ms, in the quickest of {ROUNDS} rounds",
            hint="python -X importtime -c 'import MODULE' shows where; import late what is heavy",
        )


def _last(text: str) -> str:
    lines = text.strip().splitlines()
    return lines[-1] if lines else "the process ended without a result"
