"""A process and all that it started: how much memory they take, and how they are killed."""

from __future__ import annotations

import contextlib
import os
import signal
from collections.abc import Iterator

import psutil

GONE = (psutil.NoSuchProcess, psutil.AccessDenied)
MIB = 1 << 20


class Tree:
    """The descendants of one process, remembered, so that those found once cannot get away.

    Args:
        pid: The process, leader of its own process group.
    """

    def __init__(self, pid: int) -> None:
        self._pid = pid
        self._known: dict[int, psutil.Process] = {}
        self._leader: psutil.Process | None = None
        with contextlib.suppress(*GONE):
            self._leader = psutil.Process(pid)

    def look(self) -> list[psutil.Process]:
        """Return the process and its descendants of now, and remember them."""
        found: list[psutil.Process] = []
        if self._leader is not None:
            with contextlib.suppress(*GONE):
                found = [self._leader, *self._leader.children(recursive=True)]
        self._known.update((process.pid, process) for process in found[1:])
        return found

    def memory_mb(self) -> int:
        """Return the resident memory of all of them in MiB; pages that two share count twice."""
        return sum(_resident(process) for process in self.look()) // MIB

    def terminate(self) -> None:
        """Ask the process group to end (SIGTERM)."""
        self._signal(signal.SIGTERM)

    def kill(self) -> None:
        """Kill the process group and every descendant that was ever seen (SIGKILL)."""
        self.look()
        self._signal(signal.SIGKILL)
        for process in self._living():
            with contextlib.suppress(*GONE):
                process.kill()

    def _living(self) -> Iterator[psutil.Process]:
        # is_running compares the start time too: a process id that was given again is left alone
        yield from (process for process in self._known.values() if process.is_running())

    def _signal(self, number: signal.Signals) -> None:
        with contextlib.suppress(ProcessLookupError, PermissionError):
            os.killpg(self._pid, number)


def _resident(process: psutil.Process) -> int:
    try:
        return int(process.memory_info().rss)
    except GONE:
        return 0
