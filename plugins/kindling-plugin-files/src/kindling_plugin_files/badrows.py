"""Rows of files that cannot be read: counted, sampled, and refused where the entity says so."""

from __future__ import annotations

from kindling.errors import StoreError
from kindling.hooks.storage import BadRows

SAMPLES = 20
SHOWN = 5


class BadRowLog:
    """What the reads of one store have left out.

    Args:
        entity: How messages call the entity.
        uri: Where it is.
        policy: `fail`, `skip` or `quarantine`. The last two are the same here: the kernel keeps the
            samples of a quarantine.
    """

    def __init__(self, entity: str, uri: str, policy: str) -> None:
        self._entity = entity
        self._uri = uri
        self._policy = policy
        self._count = 0
        self._samples: list[tuple[str, str, str]] = []

    def fresh(self) -> BadRowLog:
        """Return an empty log of the same entity: a file may have to be read twice."""
        return BadRowLog(self._entity, self._uri, self._policy)

    def add(self, place: str, raw: str, reason: str) -> None:
        """Count one row; `place` is like `file:line`."""
        self._count += 1
        if len(self._samples) < SAMPLES:
            self._samples.append((place, raw, reason))

    def take(self, other: BadRowLog) -> None:
        """Count what another log counted."""
        self._count += other._count
        self._samples = (self._samples + other._samples)[:SAMPLES]

    def bad_rows(self) -> BadRows:
        """Return the count and the first samples."""
        return BadRows(self._count, tuple(self._samples))

    def refuse(self) -> None:
        """Raise if rows were left out that must not be.

        Raises:
            StoreError: KDL-STORE-200, with the first rows and how many there are.
        """
        if not self._count or self._policy != "fail":
            return
        shown = [f"{place}: {reason}" for place, _, reason in self._samples[:SHOWN]]
        rest = self._count - len(shown)
        raise StoreError(
            "KDL-STORE-200",
            f"{self._entity!r} has {self._count} {'row' if self._count == 1 else 'rows'} that cannot be read",
            why="; ".join(shown) + (f"; and {rest} more" if rest else ""),
            where=self._uri,
            hint='mend the files, or declare on_bad_row="skip" or on_bad_row="quarantine"',
            count=self._count,
        )
