"""Keeps merged settings on disk, so that an unchanged load imports neither dynaconf nor tomllib.

An entry is valid while each file that was looked at, absent ones included, has the same size, time
and inode. Nothing is stored while there is a secrets file. A corrupt entry counts as none.
"""

from __future__ import annotations

import json
import os

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Sequence

    from kindling.values import Plain

    Row = list[Plain]

VERSION = "kindling.settings/1"
KEPT = 16
"""Entries that are kept: one for each combination of environment, variables and overrides."""
SETTLED_NS = 50_000_000
"""A file that changed less than this before the load is not trusted: it may change again within one
tick of the file system's clock, and its new state would look like the old one."""


def stamp(path: str) -> list[int]:
    """Return what tells two states of a file apart; [] for an absent one."""
    try:
        found = os.stat(path)
    except OSError:
        return []
    return [found.st_mtime_ns, found.st_size, found.st_ino]


def read_entry(folder: str, key: str) -> tuple[str, list[Row]] | None:
    """Return the environment and the rows that `write_entry` stored, or None."""
    try:
        with open(_place(folder, key), encoding="utf-8") as file:
            entry = json.load(file)
        if entry["version"] != VERSION or entry["key"] != key:
            return None
        if any(stamp(path) != known for path, known in entry["files"]):
            return None
        return str(entry["environment"]), entry["rows"]
    except (OSError, ValueError, LookupError, TypeError):
        return None  # absent, half-written by another version, or damaged: load anew


def write_entry(
    folder: str, key: str, files: Sequence[tuple[str, list[int]]], environment: str, rows: Sequence[Row]
) -> None:
    """Store an entry atomically; a folder that cannot be written is no error.

    Args:
        folder: The cache's folder.
        key: `Request.digest()`.
        files: Paths with their stamps from before they were read.
        environment: The environment's name.
        rows: JSON rows.
    """
    import tempfile
    import time

    newest = max((known[0] for _, known in files if known), default=0)
    if time.time_ns() - newest < SETTLED_NS:
        return
    entry = {"version": VERSION, "key": key, "files": files, "environment": environment, "rows": rows}
    try:
        os.makedirs(folder, exist_ok=True)
        handle, path = tempfile.mkstemp(dir=folder, suffix=".tmp")  # readable by its owner alone
        with open(handle, "w", encoding="utf-8") as file:
            json.dump(entry, file)
        os.replace(path, _place(folder, key))
        _prune(folder)
    except OSError:
        return  # a read-only project: the next load is as slow as this one


def _place(folder: str, key: str) -> str:
    return f"{folder}/settings-{key}.json"


def _prune(folder: str) -> None:
    found = [entry for entry in os.scandir(folder) if entry.name.startswith("settings-")]
    found.sort(key=lambda entry: entry.stat().st_mtime_ns, reverse=True)
    for entry in found[KEPT:]:
        os.unlink(entry.path)
