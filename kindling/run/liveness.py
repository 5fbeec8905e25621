"""Whether a process of this machine still lives. Not how it is stopped, and nothing about other hosts."""

from __future__ import annotations

import os
import sys

_START_FIELD = 19  # counted behind the name in parentheses. Source: proc(5), "/proc/pid/stat", field 22


def this_host() -> str:
    """Return this machine's name, as `socket.gethostname()` would."""
    if sys.platform == "win32":
        return os.environ.get("COMPUTERNAME", "")
    return os.uname().nodename


def birth(pid: int) -> str:
    """Return when a process started, in ticks since the boot; "" if it has ended or cannot be asked."""
    try:
        with open(f"/proc/{pid}/stat", encoding="utf-8", errors="replace") as file:
            fields = file.read().rpartition(")")[2].split()
    except OSError:
        return ""
    return "" if fields[0] in "ZX" else fields[_START_FIELD]


def is_alive(pid: int, born: str = "") -> bool:
    """Tell whether a process lives; in doubt it does.

    Args:
        pid: Process id; 0 stands for an unknown one.
        born: What `birth` said when the process was noted, so that another one that got its id later
            is not taken for it.
    """
    if pid <= 0 or sys.platform == "win32":  # on Windows `os.kill(pid, 0)` is no question but Ctrl-C
        return True
    try:
        os.kill(pid, 0)
    except (ProcessLookupError, OverflowError):
        return False
    except PermissionError:  # it lives, under another user
        return True
    now = birth(pid)
    if not now and os.path.exists("/proc/self/stat"):  # it waits for its parent to notice its end
        return False
    return not born or now == born
