"""Where events go: what a target is, and the target `file`. It keeps no events itself."""

from __future__ import annotations

import os
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Protocol

from kindling_plugin_openlineage.outbox import RunFile, cut_torn_line


class AwayError(Exception):
    """A target takes nothing now.

    Args:
        why: A few words, without a word of the target's answer.
        wait_s: Seconds after which it wants to be asked again; 0 where it said nothing.
        is_final: Asking again within this run is of no use.
    """

    def __init__(self, why: str, *, wait_s: float = 0.0, is_final: bool = False) -> None:
        super().__init__(why)
        self.why = why
        self.wait_s = wait_s
        self.is_final = is_final


class RefusedError(Exception):
    """A target never takes the event that it was given.

    Args:
        why: A few words, without a word of the target's answer.
    """

    def __init__(self, why: str) -> None:
        super().__init__(why)
        self.why = why


class Target(Protocol):
    """Takes events in order."""

    @property
    def name(self) -> str:
        """What its marks are called."""
        ...

    @property
    def batch(self) -> int:
        """The most lines that it takes at once."""
        ...

    def send(self, lines: Sequence[bytes]) -> None:
        """Take lines, each with its end, all or none.

        Raises:
            AwayError: It took none.
            RefusedError: It never takes this one; only where `batch` is 1.
        """
        ...


class FileTarget:
    """Appends to a file: whole lines, also where several processes write to it.

    Args:
        path: The file; its folder is made.
    """

    name = "file"
    batch = 1000

    def __init__(self, path: Path) -> None:
        self._path = path

    def send(self, lines: Sequence[bytes]) -> None:
        """Append lines. What a kill tore off at the end of the file before is cut off."""
        data = b"".join(lines)
        try:
            self._path.parent.mkdir(parents=True, exist_ok=True)
            descriptor = os.open(self._path, os.O_RDWR | os.O_CREAT | os.O_APPEND, 0o644)
            try:
                size = _mended(descriptor)
                if os.write(descriptor, data) != len(data):
                    os.ftruncate(descriptor, size)
                    raise AwayError("the disk is full")
            finally:
                os.close(descriptor)
        except OSError as error:
            raise AwayError(f"{str(self._path)!r}: {error.strerror or type(error).__name__}") from error

    def __str__(self) -> str:
        """Return the path."""
        return repr(str(self._path))


def _mended(descriptor: int) -> int:
    """Lock a file until it is closed, cut off a torn last line, and return its size."""
    try:
        import fcntl

        fcntl.flock(descriptor, fcntl.LOCK_EX)
    except (ImportError, OSError):  # without locks one write of whole lines is the best there is
        return os.fstat(descriptor).st_size
    return cut_torn_line(descriptor)


def deliver(file: RunFile, target: Target, refuse: Callable[[bytes, str], None] | None = None) -> None:
    """Hand over what a target has not taken yet.

    Args:
        file: Has the events.
        target: Takes them.
        refuse: Told of an event that the target never takes, and why; the next ones go on.

    Raises:
        AwayError: It takes no more now; what it took is marked.
    """
    while lines := file.unsent(target.name, target.batch):
        mark = file.mark(target.name)
        try:
            target.send(lines)
        except RefusedError as error:
            if refuse is not None:
                refuse(lines[0], error.why)
        file.advance(target.name, mark + sum(map(len, lines)))
