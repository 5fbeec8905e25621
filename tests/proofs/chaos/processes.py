"""Processes of a run, found by a mark in their environment; only Linux's /proc."""

from __future__ import annotations

import os
import signal
from collections.abc import Iterator
from pathlib import Path

MARK = "CHAOS_MARK"


def marked(mark: str) -> list[int]:
    """Return the living processes that carry this mark, zombies left out."""
    wanted = f"{MARK}={mark}".encode()
    return [pid for pid in _pids() if wanted in _environ(pid) and _state(pid) not in "ZX"]


def command_line(pid: int) -> str:
    """Return a process's words, or "" if it is gone."""
    try:
        return Path(f"/proc/{pid}/cmdline").read_bytes().replace(b"\0", b" ").decode(errors="replace")
    except OSError:
        return ""


def _pids() -> Iterator[int]:
    return (int(entry.name) for entry in Path("/proc").iterdir() if entry.name.isdigit())


def _environ(pid: int) -> list[bytes]:
    try:
        return Path(f"/proc/{pid}/environ").read_bytes().split(b"\0")
    except OSError:
        return []


def _state(pid: int) -> str:
    try:
        return Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[0]
    except OSError:
        return "X"


def tell(pids: list[int], what: signal.Signals) -> bool:
    """Send a signal to processes; tell whether any was there."""
    told = False
    for pid in pids:
        try:
            os.kill(pid, what)
        except ProcessLookupError:
            continue
        told = True
    return told
