"""Identifiers: parse, normalise, compare, "did you mean". Not where names are looked up."""

from __future__ import annotations

import re

from kindling.errors import DeclarationError, PluginError

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Iterable

MAX_PARTS = 3
_PART = re.compile(r"[^\W\d][\w-]*", re.UNICODE)
_CAPABILITY = re.compile(r"([a-z]+):([a-z0-9][a-z0-9_-]*)")
KINDS = (
    "platform",
    "storage",
    "secrets",
    "masking",
    "lineage",
    "executor",
    "state",
    "command",
    "sink",
)


def entity_parts(name: str, *, where: str = "") -> tuple[str, ...]:
    """Split a logical entity name into its one to three parts.

    Parts are letters (any script), digits, `_` and `-`, and do not start with a digit.

    Raises:
        DeclarationError: KDL-DECL-001, the name is not of that form.
    """
    parts = tuple(name.split("."))
    if len(parts) > MAX_PARTS or not all(_PART.fullmatch(part) for part in parts):
        raise DeclarationError(
            "KDL-DECL-001",
            f"{name!r} is not an entity name",
            why="a name has 1 to 3 parts, joined by dots, of letters, digits, '_' and '-'",
            where=where,
            hint="for example 'silver.flights'",
            name=name,
        )
    return parts


def parse_capability(text: str) -> tuple[str, str]:
    """Split `kind:name` into its kind and name.

    Raises:
        PluginError: KDL-PLUG-001, the text is not `kind:name` or the kind is unknown.
    """
    match = _CAPABILITY.fullmatch(text)
    if match is None or match[1] not in KINDS:
        raise PluginError(
            "KDL-PLUG-001",
            f"{text!r} is not a capability",
            why=f"expected kind:name, kind one of {', '.join(KINDS)}",
            hint="for example 'storage:delta'",
            capability=text,
        )
    return match[1], match[2]


def canonical(distribution: str) -> str:
    """Return a distribution's canonical name: lower case, runs of `-_.` become one `-`.

    Source: PEP 503, "Normalized Names".
    """
    return re.sub(r"[-_.]+", "-", distribution).lower()


def close_names(name: str, known: Iterable[str], *, most: int = 3) -> tuple[str, ...]:
    """Return the known names that look like `name`, best first; a pattern never matches itself."""
    from difflib import get_close_matches

    by_lower = {item.lower(): item for item in known}
    found = get_close_matches(name.lower(), list(by_lower), n=most, cutoff=0.6)
    return tuple(by_lower[item] for item in found)


def did_you_mean(name: str, known: Iterable[str]) -> str:
    """Return "did you mean 'a' or 'b'?", or the sorted known names, or "" where none are known."""
    names = tuple(known)
    close = close_names(name, names)
    if close:
        return f"did you mean {' or '.join(repr(item) for item in close)}?"
    return f"known: {', '.join(sorted(names))}" if names else ""
