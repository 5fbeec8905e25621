"""What a build knows of the build before: per plugin, its files' state and its sheet. Not published."""

from __future__ import annotations

import hashlib
import os
from typing import TYPE_CHECKING

import msgspec

from kindling_plugin_registry.formats import write_file
from kindling_plugin_registry.operator.pages import Sheet

if TYPE_CHECKING:
    from collections.abc import Sequence
    from pathlib import Path

    from kindling_plugin_registry.operator.source import Source

VERSION = "1"
"""Raised when pages are made otherwise; an older cache is not read."""


class Known(msgspec.Struct, frozen=True, kw_only=True, gc=False):
    """What was built of one plugin; the sheet is None if it has no release.

    Attributes:
        files: Digest of names, sizes and times of all its files.
        folders: The same of its folders, `plugin.toml` and `README.md` alone.
        context: Digest of what else its page depends on.
        requires: Names that its newest release depends on.
    """

    files: bytes
    folders: bytes
    context: str
    requires: tuple[str, ...]
    sheet: Sheet | None


class Cache(msgspec.Struct, kw_only=True):
    """All that is known, by plugin."""

    version: str
    plugins: dict[str, Known]


def read_cache(source: Source) -> dict[str, Known]:
    """Return what the last build knew; nothing if there is none, or one of another version."""
    try:
        found = msgspec.msgpack.decode(_path(source).read_bytes(), type=Cache)
    except (OSError, msgspec.MsgspecError):
        return {}
    return found.plugins if found.version == VERSION else {}


def write_cache(source: Source, plugins: dict[str, Known]) -> None:
    """Keep what is known for the next build."""
    write_file(_path(source), msgspec.msgpack.encode(Cache(version=VERSION, plugins=plugins)))


def state_of(folder: str, *, is_quick: bool) -> tuple[bytes, bytes]:
    """Return digests of the states of a plugin's files, and of its folders.

    Args:
        folder: The plugin's folder.
        is_quick: Look at folders, `plugin.toml` and `README.md` only; the first digest is empty. It sees
            files that were added, removed or replaced by a rename, as git and Kindling write them, and not
            those that were changed in place.
    """
    parts = (folder, f"{folder}/releases", f"{folder}/conformance")
    heads = (*parts, f"{folder}/plugin.toml", f"{folder}/README.md")
    folders = [_stat(path) for path in heads]
    files: list[object] = []
    if not is_quick:
        for part in parts:
            try:
                with os.scandir(part) as found:
                    files += sorted((item.name, *_seen(item.stat())) for item in found)
            except FileNotFoundError:
                files.append(None)
    return (b"" if is_quick else _digest(files)), _digest(folders)


def _stat(path: str) -> tuple[int, int] | None:
    try:
        return _seen(os.stat(path))  # noqa: PTH116  # pathlib takes twice the time, 50,000 times
    except FileNotFoundError:
        return None


def _seen(status: os.stat_result) -> tuple[int, int]:
    return status.st_mtime_ns, status.st_size


def _digest(seen: Sequence[object]) -> bytes:
    return hashlib.blake2b(repr(seen).encode(), digest_size=16).digest()


def _path(source: Source) -> Path:
    return source.folder / ".build" / "cache.msgpack"
