"""What fingerprints are made of, and what a reader sees of an entity. No decisions."""

from __future__ import annotations

from hashlib import blake2b

from kindling.values import Value

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Mapping

DIGEST_LENGTH = 32
FORCED = frozenset({"refresh", "unknown", "outside", "vanished", "slice"})
"""Reasons for which a task makes its rows again although its parts may be the same as before."""
REDECLARED = frozenset({"new", "code", "sql", "options", "refresh", "vanished"})
"""Reasons for which other columns than the table's are what the declaration says, and no drift."""


class Seen(Value):
    """What a reader sees of an entity: its token, whether it will change, whether it can be told."""

    token: str
    will_change: bool = False
    is_unknown: bool = False


def digest(parts: Mapping[str, str]) -> str:
    """Return the fingerprint of named parts, 32 hex digits."""
    text = "\n".join(f"{name}={value}" for name, value in sorted(parts.items()))
    return blake2b(text.encode("utf-8", "surrogatepass"), digest_size=DIGEST_LENGTH // 2).hexdigest()


def short_digest(text: str) -> str:
    """Return a short digest of one part, 16 hex digits."""
    return blake2b(text.encode("utf-8", "surrogatepass"), digest_size=8).hexdigest()


def forced(fingerprint: str, run_id: str) -> str:
    """Return a fingerprint that only this run commits: stores never commit an old one twice."""
    return f"{fingerprint}_{short_digest(run_id)}"


def is_made_from(fingerprint: object, parts: Mapping[str, str]) -> bool:
    """Tell whether a commit's fingerprint, forced or not, is the one of these parts."""
    return str(fingerprint)[:DIGEST_LENGTH] == digest(parts)
