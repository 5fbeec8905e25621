"""Names of FAIR scheduler pools: two live sessions never share one, and there are no more than needed.

Spark makes a pool when a job first names it, and keeps it as long as it runs.
"""

from __future__ import annotations

import threading

KEY = "spark.scheduler.pool"
"""The local property by which a job names its pool. Source: Spark, "Job Scheduling"."""

MADE = "kindling-"
"""How names begin that are made here."""


class Pools:
    """Pools that are taken and given back; may be used from several threads."""

    def __init__(self) -> None:
        self._free: list[str] = []
        self._made = 0
        self._lock = threading.Lock()

    def take(self) -> str:
        """Return a pool that no other session has."""
        with self._lock:
            if self._free:
                return self._free.pop()
            self._made += 1
            return f"{MADE}{self._made}"

    def give_back(self, name: str) -> None:
        """Let another session have the pool; a pool of the user's own choice is none of these."""
        with self._lock:
            if name.startswith(MADE) and name not in self._free:
                self._free.append(name)
