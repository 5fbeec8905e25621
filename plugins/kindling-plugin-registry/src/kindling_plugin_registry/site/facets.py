"""What plugins are listed by: kind, capability, level, licence, Python, permission."""

from __future__ import annotations

from typing import TYPE_CHECKING

from kindling.errors import PolicyError
from kindling_plugin_registry.levels import LEVELS
from kindling_plugin_registry.records import Document, Entry
from kindling_plugin_registry.site.text import slug
from kindling_plugin_registry.versions import is_within

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

PYTHONS = ("3.11", "3.12", "3.13", "3.14")
"""Versions that one can filter by."""
KINDS = {
    "storage": "Read, write and merge tables where they are kept.",
    "platform": "Run pipes on an engine.",
    "executor": "Decide where and when tasks run.",
    "secrets": "Fetch passwords and tokens at run time.",
    "masking": "Hide what a reader may not see.",
    "lineage": "Tell other systems where data came from.",
    "state": "Keep what a run remembers.",
    "sink": "Send a run's events elsewhere.",
    "command": "Add commands to the command line.",
}
TITLES = {
    "kind": "Kind",
    "capability": "Capability",
    "level": "Level",
    "license": "Licence",
    "python": "Python",
    "permission": "Permission",
}
NO_PERMISSION = "none"


class Choice(Document, frozen=True, kw_only=True):
    """One value to filter by, and the plugins that have it. `path` is that of its first list page."""

    facet: str
    value: str
    path: str
    entries: tuple[Entry, ...]


def kinds_of(entry: Entry) -> tuple[str, ...]:
    """Return the kinds of an entry's capabilities, each once."""
    return tuple(dict.fromkeys(item.partition(":")[0] for item in entry.c))


def pythons_of(entry: Entry) -> tuple[str, ...]:
    """Return the Pythons that an entry allows; none if its range cannot be read."""
    try:
        return tuple(python for python in PYTHONS if is_within(f"{python}.0", entry.py))
    except PolicyError:
        return ()


VALUES: dict[str, Callable[[Entry], Sequence[str]]] = {
    "kind": kinds_of,
    "level": lambda entry: (entry.lv,),
    "permission": lambda entry: entry.p or (NO_PERMISSION,),
    "python": pythons_of,
    "license": lambda entry: (entry.lic,),
    "capability": lambda entry: entry.c,
}


def choices(entries: Sequence[Entry]) -> dict[str, tuple[Choice, ...]]:
    """Return all values by facet; levels from the highest, versions and names in their order."""
    return {facet: tuple(_choices(facet, entries)) for facet in VALUES}


def _choices(facet: str, entries: Sequence[Entry]) -> list[Choice]:
    found: dict[str, list[Entry]] = {}
    for entry in entries:
        for value in VALUES[facet](entry):
            found.setdefault(value, []).append(entry)
    taken: set[str] = set()
    made = []
    for value in sorted(found, key=_order):
        stem = value.replace(":", ".") if facet == "capability" else slug(value, taken)
        taken.add(stem)
        path = f"{facet}/{stem}.html"
        made.append(Choice(facet=facet, value=value, path=path, entries=tuple(found[value])))
    return made


def _order(value: str) -> tuple[int, int, str]:
    if value in LEVELS:
        return -LEVELS.index(value), 0, value
    minor = value.rpartition(".")[2]
    return 0, int(minor) if value in PYTHONS else 0, value.lower()
