"""One thread that hands items back when their moment has come. It knows nothing of tasks.

It exists only in runs that use deadlines or cancel something: the thread starts with the first item.
"""

from __future__ import annotations

from collections.abc import Callable
from heapq import heappop, heappush
from queue import Empty, SimpleQueue
from threading import Thread
from time import monotonic


class Watchdog:
    """Calls `act(number, reason, grace_s)` at given moments, in its own thread."""

    def __init__(self, act: Callable[[int, str, float], None]) -> None:
        self._act = act
        self._new: SimpleQueue[tuple[float, int, str, float] | None] = SimpleQueue()
        self._thread: Thread | None = None

    def wake_at(self, moment: float, number: int, reason: str, grace_s: float) -> None:
        """Have `act(number, reason, grace_s)` called at a moment of the monotonic clock.

        The first call comes from the scheduler's thread; later ones may come from any.
        """
        self._new.put((moment, number, reason, grace_s))
        if self._thread is None:
            self._thread = Thread(target=self._watch, name="kindling-watchdog", daemon=True)
            self._thread.start()

    def stop(self) -> None:
        """Let the thread end; what it still waited for is forgotten."""
        if self._thread is not None:
            self._new.put(None)

    def _watch(self) -> None:
        due: list[tuple[float, int, str, float]] = []
        while True:
            try:
                entry = self._new.get(timeout=max(due[0][0] - monotonic(), 0) if due else None)
            except Empty:
                _, number, reason, grace_s = heappop(due)
                self._act(number, reason, grace_s)
            else:
                if entry is None:
                    return
                heappush(due, entry)
