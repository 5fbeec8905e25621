"""Whether the process that owns a run still lives, asked on its own machine. Nothing about other hosts."""

from __future__ import annotations

import os
import socket

_START_FIELD = 19  # behind the name in parentheses. Source: proc(5), "/proc/pid/stat", field 22


def birth(pid: int, host: str) -> str:
    """Return what tells a process from a later one with its id; "" if nobody here can tell."""
    if host != socket.gethostname():
        return ""
    try:
        with open(f"/proc/{pid}/stat", encoding="utf-8", errors="replace") as file:  # noqa: PTH123  # as light as can be
            fields = file.read().rpartition(")")[2].split()
    except OSError:
        return ""
    return "" if fields[0] in "ZX" else fields[_START_FIELD]


def lives(pid: int, host: str, born: str) -> bool:
    """Tell whether an owner lives; in doubt, and on another host, it does."""
    if host != socket.gethostname() or pid <= 0:
        return True
    try:
        os.kill(pid, 0)
    except (ProcessLookupError, OverflowError):
        return False
    except PermissionError:  # it lives, under another user
        return True
    now = birth(pid, host)
    if not now and os.path.exists("/proc/self/stat"):  # noqa: PTH110  # it waits for its parent to notice its end
        return False
    return not born or now == born
