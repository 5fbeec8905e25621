"""The folder of events that are not delivered yet: one file a run, one line an event. It delivers nothing.

A file belongs to the process that holds its lock. What a killed run left is taken over by the next one.
Several targets may read one file; how far each got stands beside it.
"""

from __future__ import annotations

import os
import threading
import time
from collections.abc import Iterator, Sequence
from contextlib import suppress
from pathlib import Path
from urllib.parse import quote

from kindling.errors import InfrastructureError

ENDING = ".jsonl"
UNNAMED = ".new"
"""Ending of a file that is not held yet."""
_STALE_S = 86_400.0
_MARK_WIDTH = 20
_STEP_BYTES = 1 << 20
_FIRST_BYTES = 1 << 14
"""Enough for nearly each event: a collector gets them one by one."""


class RunFile:
    """The events of one run, held by this process; safe for a writing and a reading thread.

    Args:
        path: The file.
        descriptor: It, opened for reading and appending, and locked.
    """

    def __init__(self, path: Path, descriptor: int) -> None:
        self.path = path
        self._file = descriptor
        self._lock = threading.RLock()
        self._marks: dict[str, int] = {}
        self.size = os.fstat(descriptor).st_size

    @classmethod
    def create(cls, folder: Path, run_id: str) -> RunFile:
        """Return a new file; names sort by time."""
        stamp = f"{time.time_ns():020d}"
        path = folder / f"{stamp}-{quote(run_id, safe='')[:150]}{ENDING}"
        made = path.with_suffix(f".{os.getpid()}{UNNAMED}")
        descriptor = os.open(made, os.O_RDWR | os.O_CREAT | os.O_APPEND, 0o600)
        _take(descriptor)  # before it has its name: another run must not take it over in between
        made.rename(path)  # without locks on this file system nobody takes it over at all
        return cls(path, descriptor)

    @classmethod
    def claim(cls, path: Path) -> RunFile | None:
        """Take over a file that nobody holds; None where somebody does. A torn last line is cut off."""
        try:
            descriptor = os.open(path, os.O_RDWR | os.O_APPEND)
        except OSError:  # just removed by its owner
            return None
        if not _take(descriptor) or not _is_at(path, descriptor):
            os.close(descriptor)
            return None
        cut_torn_line(descriptor)
        return cls(path, descriptor)

    def append(self, lines: Sequence[bytes]) -> None:
        """Write whole lines; they survive the end of this process.

        Raises:
            InfrastructureError: KDL-LINE-101, they cannot be written; nothing of them stays.
        """
        data = b"".join(line + b"\n" for line in lines)
        with self._lock:
            try:
                written = os.write(self._file, data)
                if written != len(data):
                    os.ftruncate(self._file, self.size)
                    raise _unwritable(self.path, "the disk is full")
            except OSError as error:
                raise _unwritable(self.path, _reason(error)) from error
            self.size += written

    def mark(self, target: str) -> int:
        """Return how many bytes a target has taken."""
        with self._lock:
            if target not in self._marks:
                self._marks[target] = self._stored_mark(target)
            return min(self._marks[target], self.size)

    def _beside(self, target: str) -> Path:
        return self.path.with_name(f"{self.path.name}.{target}")

    def _stored_mark(self, target: str) -> int:
        try:
            text = self._beside(target).read_text("ascii").strip()
        except (OSError, ValueError):
            return 0
        return int(text) if text.isascii() and text.isdigit() else 0

    def advance(self, target: str, mark: int) -> None:
        """Remember how many bytes a target has taken; where that fails they are delivered once more."""
        with self._lock:
            self._marks[target] = mark
            with suppress(OSError):
                beside = os.open(self._beside(target), os.O_WRONLY | os.O_CREAT, 0o600)
                try:  # in place and of one width: a kill leaves the old mark or the new one
                    os.pwrite(beside, f"{mark:0{_MARK_WIDTH}d}".encode(), 0)
                finally:
                    os.close(beside)

    def unsent(self, target: str, most: int) -> list[bytes]:
        """Return up to so many lines, each with its end, that a target has not taken yet."""
        with self._lock:
            start, size = self.mark(target), self.size
            taken: list[bytes] = []
            rest, width = b"", _FIRST_BYTES
            while len(taken) < most and start < size:
                step = os.pread(self._file, min(width, size - start), start)
                width = _STEP_BYTES
                start += len(step)
                *lines, rest = (rest + step).split(b"\n")
                taken += [line + b"\n" for line in lines]
            return taken[:most]

    def ends(self) -> tuple[bytes, bytes]:
        """Return the first and the last line."""
        with self.path.open("rb") as file:
            first = file.readline()
            width = _FIRST_BYTES
            while True:
                start = max(0, self.size - width)
                file.seek(start)
                lines = file.read(self.size - start).splitlines(keepends=True)
                if len(lines) > 1 or start == 0:
                    return first, lines[-1] if lines else b""
                width *= 8

    def lines(self) -> Iterator[bytes]:
        """Yield all lines."""
        with self.path.open("rb") as file:
            yield from file

    def is_delivered(self, targets: Sequence[str]) -> bool:
        """Tell whether each target has everything."""
        with self._lock:
            return all(self.mark(target) >= self.size for target in targets)

    def restart(self) -> None:
        """Empty the file, of which everything is delivered, so that a long run needs no more room."""
        with self._lock:
            os.ftruncate(self._file, 0)
            self.size = 0
            for target in self._marks:
                self.advance(target, 0)

    def remove(self) -> None:
        """Delete the file and the marks, and release it."""
        with suppress(OSError):
            self.path.unlink()  # before its marks: they would be delivered again without them
        remove_marks(self.path)
        self.release()

    def release(self) -> None:
        """Let others take the file over. Idempotent."""
        with self._lock:
            if self._file >= 0:
                os.close(self._file)
                self._file = -1


def cut_torn_line(descriptor: int) -> int:
    """Cut off what a kill left of a last line; return the file's size."""
    end = size = os.fstat(descriptor).st_size
    while end > 0:
        start = max(0, end - _STEP_BYTES)
        found = os.pread(descriptor, end - start, start).rfind(b"\n")
        if found >= 0:
            end = start + found + 1
            break
        end = start
    if end != size:
        os.ftruncate(descriptor, end)
    return end


def remove_marks(path: Path) -> None:
    """Remove what stands beside a file."""
    for found in _listed(path.parent):
        if found.name.startswith(f"{path.name}."):
            with suppress(OSError):
                found.unlink()


class Outbox:
    """The folder.

    Args:
        folder: Made when it is opened.
        keep_runs: The most runs that wait in it.
        keep_bytes: The most bytes that wait in it.
    """

    def __init__(self, folder: Path, keep_runs: int, keep_bytes: int) -> None:
        self.folder = folder
        self.keep_bytes = keep_bytes
        self._keep_runs = keep_runs

    def open(self, run_id: str) -> RunFile:
        """Return the file of a new run.

        Raises:
            InfrastructureError: KDL-LINE-101, it cannot be made.
        """
        try:
            self.folder.mkdir(mode=0o700, parents=True, exist_ok=True)
            return RunFile.create(self.folder, run_id)
        except OSError as error:
            raise _unwritable(self.folder, _reason(error)) from error

    def claim(self) -> tuple[list[RunFile], int]:
        """Take over the files of runs that ended, oldest first; and how many were dropped, too many."""
        found = _listed(self.folder)
        names = {path.name for path in found}
        for path in found:  # marks of a file whose removal was cut short, and what a kill left unnamed
            with suppress(OSError):
                is_lone = path.stem.endswith(ENDING) and path.stem not in names
                if is_lone or (path.suffix == UNNAMED and time.time() - path.stat().st_mtime > _STALE_S):
                    path.unlink()
        claimed = (RunFile.claim(path) for path in found if path.name.endswith(ENDING))
        files = [file for file in claimed if file is not None]
        room, kept = self.keep_bytes, len(files)
        for place, file in enumerate(reversed(files)):
            room -= file.size
            if place >= self._keep_runs or room < 0:
                kept = place
                break
        dropped = files[: len(files) - kept]
        for file in dropped:
            file.remove()
        return files[len(dropped) :], len(dropped)


def full(folder: Path, keep_mb: int) -> InfrastructureError:
    """Return the error of a run that has no room left in the outbox."""
    return InfrastructureError(
        "KDL-LINE-102",
        f"the outbox {str(folder)!r} is full",
        why=f"{keep_mb} MB of this run's events wait: nothing takes them",
        hint="see that the collector answers, or raise keep_mb in [lineage.openlineage]",
    )


def _listed(folder: Path) -> list[Path]:
    try:
        return sorted(folder.iterdir())
    except OSError:  # there is none yet, or it was just removed
        return []


def _is_at(path: Path, descriptor: int) -> bool:
    """Tell whether an open file still has its name: its last owner may have removed it meanwhile."""
    try:
        return os.path.samestat(path.stat(), os.fstat(descriptor))
    except OSError:
        return False


def _take(descriptor: int) -> bool:
    """Lock a file until it is closed, also by a kill; False where somebody holds it."""
    try:
        import fcntl

        fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except (ImportError, OSError):  # held, or this system has no such locks
        return False
    return True


def _reason(error: OSError) -> str:
    return error.strerror or type(error).__name__


def _unwritable(path: Path, why: str) -> InfrastructureError:
    return InfrastructureError(
        "KDL-LINE-101",
        f"events of lineage cannot be kept in {str(path)!r}",
        why=why,
        hint="free or mount its disk, or set outbox in [lineage.openlineage] to another folder",
    )
