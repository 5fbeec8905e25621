"""Remembers what is installed between processes, as one JSON file per search path. Not what it means.

The key is Python, the kernel's contracts, the time of each `sys.path` entry (an installation changes
its folder) and time and size of each manifest (an editable installation changes nothing else).
"""

from __future__ import annotations

import json
import os
import sys

from kindling import __version__
from kindling.plugins.contracts import APIS
from kindling.plugins.installed import Installed

SCHEMA = "kindling.catalog/2"


def cache_key() -> list[object]:
    """Return what the present environment's catalog depends on, the manifests left out."""
    python = [sys.implementation.cache_tag, *sys.version_info[:3], sys.prefix]
    paths = [[entry, _stat(entry or ".")[0]] for entry in sys.path]
    return [python, __version__, sorted(map(list, APIS.items())), paths]


def read_cache(cache_dir: str, key: list[object]) -> Installed | None:
    """Return what was remembered, or None if there is nothing, it is stale, or it cannot be read."""
    try:
        with open(_path(cache_dir), encoding="utf-8") as file:
            plain = json.load(file)
        if plain["schema"] != SCHEMA or plain["key"] != key:
            return None
        if any(_stat(path) != [mtime, size] for path, mtime, size in plain["files"]):
            return None
        return Installed.from_plain(plain["installed"])
    except (OSError, ValueError, LookupError, TypeError, AttributeError):
        return None  # whatever is wrong with it: it is made again, and written anew


def write_cache(cache_dir: str, key: list[object], installed: Installed) -> bool:
    """Remember what was found, atomically; False where the folder cannot be written.

    Args:
        cache_dir: Made if it does not exist.
        key: `cache_key()` from *before* the look, so that a change meanwhile makes this stale.
        installed: What was found.
    """
    plain = {
        "schema": SCHEMA,
        "key": key,
        "files": [[path, *_stat(path)] for path in installed.files],
        "installed": installed.to_plain(),
    }
    path = _path(cache_dir)
    own = f"{path}.{os.getpid()}.tmp"
    try:
        os.makedirs(cache_dir, exist_ok=True)
        with open(own, "w", encoding="utf-8") as file:
            json.dump(plain, file, separators=(",", ":"))
        os.replace(own, path)
    except OSError:
        return False  # a read-only folder costs time on each start, and nothing else
    return True


def _path(cache_dir: str) -> str:
    """One file per search path: `python -m` and a console script would else evict each other."""
    from zlib import crc32

    text = "\0".join([sys.prefix, *sys.path])
    return os.path.join(cache_dir, f"plugins-{crc32(text.encode()):08x}.json")


def _stat(path: str) -> list[int]:
    """Return [mtime in ns, size], or [-1, -1] for what does not exist."""
    try:
        found = os.stat(path)
    except (OSError, ValueError):
        return [-1, -1]
    return [found.st_mtime_ns, found.st_size]
