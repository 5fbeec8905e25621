"""Whatever a process prints becomes lines of its run's log. For processes of executors only.

Python's own output is logged in the thread that prints, so that the last line before a crash is kept.
What foreign code and started processes write to the descriptors 1 and 2 goes through a pipe.
"""

from __future__ import annotations

import io
import os
import sys
import threading
from typing import TYPE_CHECKING, Final

if TYPE_CHECKING:
    from collections.abc import Callable

    from kindling.context import Log

MOST_LINES: Final = 10_000
"""Lines of one task that are logged; a log must not fill the disk because a pipe prints in a loop."""
MOST_BYTES: Final = 8_192
"""Longest line; longer ones are parted."""
MOST_WAITS: Final = 30
"""Seconds after which a line that is still being written is given up."""


class Printed:
    """Takes what this process prints, from `begin` on; keeps it until `log_to` says where it goes."""

    def __init__(self) -> None:
        self._lock = threading.RLock()
        self._log: Log | None = None
        self._early: list[tuple[str, str]] = []
        self._count = 0
        self._lines: tuple[_Lines, ...] = ()
        self._drain: threading.Thread | None = None

    def begin(self) -> None:
        """Take what is printed from now on. Idempotent.

        Effects: `sys.stdout`, `sys.stderr` and the descriptors 1 and 2 of this process are replaced.
        """
        if self._drain is not None:
            return
        reader, writer = os.pipe()
        for place in (1, 2):
            os.dup2(writer, place)
        os.close(writer)
        self._drain = threading.Thread(
            target=self._read, args=(reader,), name="kindling-printed", daemon=True
        )
        self._drain.start()
        self._lines = (_Lines("stdout", self._take), _Lines("stderr", self._take))
        sys.stdout, sys.stderr = _stream(1, self._lines[0]), _stream(2, self._lines[1])

    def log_to(self, log: Log) -> None:
        """Write what was printed, and what will be, to a task's log."""
        with self._lock:
            self._log, self._count = log, 0
            early, self._early = self._early, []
            for stream, line in early:
                self._take(stream, line)

    def close(self) -> None:
        """Write what is left; what is printed later is dropped. Idempotent."""
        if self._drain is None:
            return
        for stream in (sys.stdout, sys.stderr):
            stream.flush()
        for lines in self._lines:
            lines.flush()
        nowhere = os.open(os.devnull, os.O_WRONLY)
        for place in (1, 2):
            os.dup2(nowhere, place)
        os.close(nowhere)
        # A started process that lives on may hold the pipe open: it is not waited for. What was read is:
        # on a loaded machine the first line, which imports the logger, takes longer.
        for _ in range(MOST_WAITS):
            self._drain.join(1.0)
            if not self._drain.is_alive() or not self._is_taking():
                break
        with self._lock:
            if self._log is not None and self._count > MOST_LINES:
                self._log.warning("printed lines were left out", lines=self._count - MOST_LINES)
            self._log, self._early, self._count = None, [], MOST_LINES

    def _is_taking(self) -> bool:
        """Tell whether a line is being written to the log at this moment."""
        is_free = self._lock.acquire(blocking=False)
        if is_free:
            self._lock.release()
        return not is_free

    def _take(self, stream: str, line: str) -> None:
        with self._lock:
            self._count += 1
            if self._count > MOST_LINES:
                return
            if self._log is None:
                self._early.append((stream, line))
                return
            try:
                self._log.info("printed", stream=stream, text=line)
            except OSError:  # a full disk: printing must not fail the pipe
                self._count += 1

    def _read(self, reader: int) -> None:
        lines = _Lines("output", self._take)
        while chunk := os.read(reader, 65_536):
            lines.write(chunk)
        lines.flush()
        os.close(reader)


class Withheld:
    """A log for what a task prints that reads classified columns: it tells once that there was something.

    Implements `kindling.context.Log`; rows that a pipe shows for debugging must not stay in a log.
    """

    def __init__(self, log: Log) -> None:
        self._log = log
        self._has_told = False

    def info(self, event: str, **_fields: object) -> None:
        """Leave a line out."""
        if not self._has_told:
            self._has_told = True
            self._log.info(f"{event} lines are left out", why="the task reads classified columns")

    def warning(self, event: str, **fields: object) -> None:
        """Log what the kernel itself says about lines."""
        self._log.warning(event, **fields)


class _Lines:
    """Parts bytes into lines."""

    def __init__(self, stream: str, take: Callable[[str, str], None]) -> None:
        self._stream = stream
        self._take = take
        self._rest = b""

    def write(self, chunk: bytes) -> None:
        *lines, self._rest = (self._rest + chunk).split(b"\n")
        if len(self._rest) > MOST_BYTES:
            lines, self._rest = [*lines, self._rest], b""
        for line in lines:
            for start in range(0, len(line), MOST_BYTES):
                self._take(self._stream, line[start : start + MOST_BYTES].decode("utf-8", "backslashreplace"))

    def flush(self) -> None:
        if self._rest:
            self.write(b"\n")


class _Raw(io.RawIOBase):
    """The raw end of a text stream that hands lines over."""

    def __init__(self, place: int, lines: _Lines) -> None:
        self._place = place
        self._lines = lines

    def writable(self) -> bool:
        return True

    def fileno(self) -> int:
        """Return the descriptor that foreign code and started processes may write to."""
        return self._place

    def write(self, chunk: object) -> int:
        taken = bytes(chunk)  # type: ignore[call-overload]  # any buffer
        self._lines.write(taken)
        return len(taken)


def _stream(place: int, lines: _Lines) -> io.TextIOWrapper:
    raw = io.BufferedWriter(_Raw(place, lines))
    return io.TextIOWrapper(raw, encoding="utf-8", errors="backslashreplace", line_buffering=True)
