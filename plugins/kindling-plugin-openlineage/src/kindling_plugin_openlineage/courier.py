"""The thread that brings waiting events to a collector, in their order, without a run waiting for it."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable, Sequence

from kindling_plugin_openlineage.collector import Collector
from kindling_plugin_openlineage.outbox import RunFile
from kindling_plugin_openlineage.targets import AwayError, deliver

FIRST_WAIT_S = 0.25
LONGEST_WAIT_S = 30.0
STOPPING_S = 1.0
"""How long the end of a run waits, after `drain_s`, for the thread to notice that it is stopped."""


class Courier:
    """Delivers the files of ended runs, then that of the present one as it grows.

    Args:
        collector: Gets the events.
        files: In the order in which they are delivered.
        refuse: Told of each event that the collector never takes, and why.
    """

    def __init__(
        self, collector: Collector, files: Sequence[RunFile], refuse: Callable[[bytes, str], None]
    ) -> None:
        self._collector = collector
        self._files = files
        self._refuse = refuse
        self._changed = threading.Condition()
        self._news = 0
        self._deadline: float | None = None
        self._why = ""
        self._thread = threading.Thread(target=self._run, name="openlineage", daemon=True)
        self._thread.start()

    def wake(self) -> None:
        """Say that there is more to deliver."""
        with self._changed:
            self._news += 1
            self._changed.notify()

    def close(self, drain_s: float) -> str:
        """End the thread: soon where the collector is away, else when it has everything.

        Args:
            drain_s: The most seconds to wait for a collector that takes its time.

        Returns:
            Why not everything is delivered, or "".
        """
        with self._changed:
            self._deadline = time.monotonic() + drain_s
            self._changed.notify()
        self._thread.join(drain_s)
        if self._thread.is_alive():
            self._collector.stop()
            self._thread.join(STOPPING_S)
        return self._why or ("it did not answer in time" if self._thread.is_alive() else "")

    def _run(self) -> None:
        failures = 0
        try:
            while True:
                news, is_last = self._news, self._is_over()
                try:
                    for file in self._files:
                        deliver(file, self._collector, self._refuse)
                except AwayError as error:
                    self._why = error.why
                    wait = error.wait_s or min(FIRST_WAIT_S * 2**failures, LONGEST_WAIT_S)
                    failures = min(failures + 1, 30)
                    if error.is_final or not self._paused(wait, is_asked=error.wait_s > 0, is_last=is_last):
                        return
                    continue
                self._why, failures = "", 0
                if not self._awaited(news):
                    return
        except OSError as error:  # the outbox itself is gone: what it held cannot be delivered
            self._why = error.strerror or type(error).__name__
        finally:
            self._collector.close()

    def _awaited(self, news: int) -> bool:
        """Wait for more to deliver; False where the run is over and there is no more."""
        with self._changed:
            self._changed.wait_for(lambda: self._news != news or self._is_over())
            return self._news != news

    def _paused(self, wait_s: float, *, is_asked: bool, is_last: bool) -> bool:
        """Wait before the next try; False where there is none within this run.

        Args:
            wait_s: For how long.
            is_asked: The collector itself asked for it, so that it is worth while at the end of a run, too.
            is_last: The try that failed began when the run was over.
        """
        until = time.monotonic() + wait_s
        with self._changed:
            self._changed.wait_for(self._is_over, wait_s)
            if not is_asked or self._deadline is None:
                return not is_last
            if until > self._deadline:
                return False
        time.sleep(max(0.0, until - time.monotonic()))
        return True

    def _is_over(self) -> bool:
        return self._deadline is not None
