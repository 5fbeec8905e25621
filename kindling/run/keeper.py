"""Keeps a run's lease, and tells that the run is alive. A thread beside the scheduler; it runs no task."""

from __future__ import annotations

import threading
import time
from typing import TYPE_CHECKING

from kindling.errors import LeaseHeldError

if TYPE_CHECKING:
    from collections.abc import Callable

    from kindling.hooks.state import State
    from kindling.records import Lease

LEASE_S = 60.0
"""A lease is renewed four times in this time; a run that cannot renew it twice in a row ends."""
MOST_FAILURES = 2


class LeaseKeeper:
    """Renews a lease until it is closed.

    Args:
        state: Where the lease is.
        lease: The lease.
        every_s: Seconds between two signs of life.
        beat: Called after each such time, in the keeper's thread.
        lease_s: For how long the lease is prolonged.

    Attributes:
        fault: Why the run must start nothing more: the lease was lost, or `beat` failed; None while
            all is well.
    """

    def __init__(
        self,
        state: State,
        lease: Lease,
        every_s: float,
        beat: Callable[[], None],
        *,
        lease_s: float = LEASE_S,
    ) -> None:
        self.fault: Exception | None = None
        self._state = state
        self._lease = lease
        self._lease_s = lease_s
        self._every_s = every_s
        self._beat = beat
        self._stop = threading.Event()
        self._thread = threading.Thread(target=self._work, name="kindling-lease", daemon=True)
        self._thread.start()

    def close(self) -> None:
        """Stop and wait: nothing is renewed or told after this. Idempotent."""
        self._stop.set()
        self._thread.join()

    def _work(self) -> None:
        pause = min(self._lease_s / 4, self._every_s)
        due = time.monotonic() + self._every_s
        failures = 0
        while self.fault is None and not self._stop.wait(pause):
            error = self._renewed()
            failures = failures + 1 if error is not None else 0
            if error is not None and failures >= MOST_FAILURES:
                self.fault = error
            elif time.monotonic() >= due:
                due = time.monotonic() + self._every_s
                self._tell()

    def _renewed(self) -> Exception | None:
        try:
            if self._state.renew(self._lease, self._lease_s):
                return None
        except Exception as error:  # noqa: BLE001  # whatever a state raises: one failure may pass
            return error
        return LeaseHeldError(
            "KDL-INFRA-003",
            f"the lease of {self._lease.key!r} was lost while the run went on",
            why="it expired, or another run took it; no further task was started",
            hint="kindling runs list, then kindling run --resume RUN",
        )

    def _tell(self) -> None:
        try:
            self._beat()
        except Exception as error:  # noqa: BLE001  # an essential sink: it ends the run, in its own thread
            self.fault = error
