"""Bind a process to the one that started it: it ends with it. Runs inside of task processes."""

from __future__ import annotations

import ctypes
import os
import resource
import signal
import sys
from typing import Final

PR_SET_PDEATHSIG: Final = 1
PR_SET_CHILD_SUBREAPER: Final = 36
"""Source: prctl(2), Linux man-pages 6.9, read 2026-11."""


def bind_to(parent: int) -> None:
    """Have the kernel kill this process when its parent ends, and adopt whatever its children leave.

    On systems without prctl the end of the socket, and the executor's guard, do it.

    Args:
        parent: Its process id, as the parent knew it: it may have ended before this is called.
    """
    if sys.platform == "linux":
        libc = ctypes.CDLL(None, use_errno=True)
        libc.prctl(PR_SET_PDEATHSIG, int(signal.SIGKILL), 0, 0, 0)
        libc.prctl(PR_SET_CHILD_SUBREAPER, 1, 0, 0, 0)
    if os.getppid() != parent:
        os._exit(1)


def restrict(nice: int) -> None:
    """Write no core files, which may hold secrets, and give way to other processes."""
    resource.setrlimit(resource.RLIMIT_CORE, (0, 0))
    if nice:
        os.nice(nice)


def kill_own_group() -> None:
    """Kill this process and all of its group. Does not return."""
    os.killpg(0, signal.SIGKILL)
