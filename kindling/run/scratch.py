"""A run's folder for scratch files, and the removal of those whose runs were killed.

The owner holds a lock on a file in the folder, which the operating system takes away when the process ends,
however it ends. So a folder whose lock is free belongs to nobody, in this container or in another one.
"""

from __future__ import annotations

import os
import shutil
import sys
import tempfile
from typing import IO

PREFIX = "kindling-scratch-"
_LOCK = "owner.lock"


class Scratch:
    """One folder in the system's folder for temporary files.

    Effects: removes the scratch folders that runs of this user left when they were killed.

    Args:
        run_id: The run; the folder's name shows the end of it.
        parent: Another place than the system's.

    Attributes:
        path: The folder; it exists until `close`.
    """

    def __init__(self, run_id: str, parent: str | None = None) -> None:
        made = tempfile.mkdtemp(prefix="kindling-new-", dir=parent)
        parent, name = os.path.split(made)
        self._lock: IO[bytes] = open(os.path.join(made, _LOCK), "wb")  # noqa: SIM115  # held until close
        _take(self._lock)
        # Only now does it get the name under which others look at its lock.
        self.path = os.path.join(parent, f"{PREFIX}{run_id[-8:]}-{name.rpartition('-')[2]}")
        os.rename(made, self.path)
        _sweep(parent)

    def close(self) -> None:
        """Remove the folder. Idempotent."""
        shutil.rmtree(self.path, ignore_errors=True)
        self._lock.close()


def _take(file: IO[bytes]) -> bool:
    if sys.platform == "win32":  # nothing is locked there, and nothing of others is removed
        return False
    import fcntl

    try:
        fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except OSError:  # somebody holds it, or this file system has no locks
        return False
    return True


def _sweep(parent: str) -> None:
    """Remove folders that nobody owns any more; another run may do the same at the same time."""
    with os.scandir(parent) as entries:
        found = [entry.path for entry in entries if entry.name.startswith(PREFIX)]
    for path in found:
        try:
            with open(os.path.join(path, _LOCK), "r+b") as file:
                if _take(file):
                    shutil.rmtree(path, ignore_errors=True)
        except OSError:  # another user's, or just removed by its owner
            continue


__all__ = ["PREFIX", "Scratch"]
