"""Why a task runs: the differences between what is recorded and what is. It takes no decision."""

from __future__ import annotations

from kindling.plan.plan import Reason
from kindling.plan.rights import CLASSES

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Mapping

    from kindling.plan.binding import Binding, Bound
    from kindling.plan.parts import Seen

WORDS = {
    "code": "the pipe's code, or code that it calls, changed",
    "sql": "the SQL text changed",
    "options": "the declaration's options changed",
    "python": "another Python minor version compiles other bytecode",
    "rights": "the effective rights or masks, or the classes of what it reads, changed",
}
_NEW_ROWS_ONLY = "; new rows only, --full-refresh for all"


def moving_inputs(bound: Bound, seen: Mapping[str, Seen]) -> list[Reason]:
    """Return a reason for each input that will change in this run, or that nobody can know."""
    reasons = [Reason("upstream", f"{name!r} will change") for name in _each(bound) if seen[name].will_change]
    reasons += [
        Reason("unknown", f"nothing can be known about {name!r} without reading it")
        for name in _each(bound)
        if seen[name].is_unknown
    ]
    return reasons


def _each(bound: Bound) -> tuple[str, ...]:
    return tuple(dict.fromkeys(bound.inputs))


class Differences:
    """Compares recorded parts with those of now.

    Args:
        binding: The checked declarations.
        seen: What readers see of each entity.
    """

    def __init__(self, binding: Binding, seen: Mapping[str, Seen]) -> None:
        self._binding = binding
        self._seen = seen

    def reasons(self, bound: Bound, old: Mapping[str, str], new: Mapping[str, str]) -> list[Reason]:
        """Return a reason for each part that differs, sorted by the part's name."""
        names = sorted({*old, *new} - {CLASSES})  # those are what the last run found out, no cause
        changed = [name for name in names if old.get(name) != new.get(name)]
        found = (self._reason(bound, name, old, new) for name in changed)
        return [reason for reason in found if reason is not None]

    def _reason(
        self, bound: Bound, name: str, old: Mapping[str, str], new: Mapping[str, str]
    ) -> Reason | None:
        kind, _, detail = name.partition(":")
        if kind == "input":
            return self._input(bound, detail, old, new)
        if kind == "memory":
            return _memory(detail, old, new)
        if kind == "order":
            is_same = _inputs_of(old) == _inputs_of(new)
            return Reason("options", "the order of the inputs changed") if is_same else None
        if kind in ("settings", "secret"):
            word = "setting" if kind == "settings" else "secret"
            became = "changed" if new.get(name, "-") else "cannot be looked up"
            return Reason("settings", f"the {word} {detail!r}, which the pipe reads, {became}")
        is_incremental = bound.pipe is not None and bound.pipe.incremental is not None
        return Reason(kind, WORDS.get(kind, f"{kind} changed") + (_NEW_ROWS_ONLY if is_incremental else ""))

    def _input(
        self, bound: Bound, name: str, old: Mapping[str, str], new: Mapping[str, str]
    ) -> Reason | None:
        before, now = old.get(f"input:{name}"), new.get(f"input:{name}")
        if before is None:
            return Reason("input", f"{name!r} is a new input")
        if now is None:
            return Reason("input", f"{name!r} is no input any more")
        source = self._binding.entities[name]
        if source.address is None:
            is_told = any(old[part] != new.get(part, old[part]) for part in old if part.startswith("memory:"))
            return None if is_told else Reason("input", f"what the memory entity {name!r} reads changed")
        if self._seen[name].is_unknown:
            return None  # `moving_inputs` says that it is unknown; an empty version says nothing more
        word = "new data in" if bound.pipe and bound.pipe.incremental else "new version of"
        return Reason("input", f"{word} {name!r}: {now}, was {before}")


def _memory(name: str, old: Mapping[str, str], new: Mapping[str, str]) -> Reason | None:
    part = f"memory:{name}"
    if part not in old or part not in new:
        return None  # a new or dropped input, of the pipe or of a memory entity before it, says so
    return Reason("code", f"the memory entity {name!r} changed: its code or its options")


def _inputs_of(parts: Mapping[str, str]) -> set[str]:
    return {name for name in parts if name.startswith("input:")}
