"""Bytes of a file as they were before it was packed: `.gz`, and `.zip` with a single member."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from typing import BinaryIO, cast

from kindling.errors import StoreError
from kindling_plugin_files.places import FileEntry, LocalPlace, RemotePlace


@contextmanager
def unpacked(place: LocalPlace | RemotePlace, entry: FileEntry) -> Iterator[BinaryIO]:
    """Open a file for reading, unpacked by what its name says.

    Raises:
        StoreError: KDL-STORE-207, a zip archive has not exactly one member.
    """
    lower = entry.name.lower()
    with place.open(entry) as file:
        if lower.endswith(".gz"):
            from gzip import GzipFile

            with GzipFile(fileobj=file) as plain:
                yield cast("BinaryIO", plain)
        elif lower.endswith(".zip"):
            from zipfile import ZipFile

            with ZipFile(file) as archive, archive.open(_member(archive.namelist(), entry)) as plain:
                yield cast("BinaryIO", plain)
        else:
            yield file


def _member(names: list[str], entry: FileEntry) -> str:
    members = [name for name in names if not name.endswith("/") and not name.startswith("__MACOSX/")]
    if len(members) != 1:
        raise StoreError(
            "KDL-STORE-207",
            f"{entry.name!r} has {len(members)} members",
            why="an archive is read as one file",
            where=entry.path,
            hint="unpack it and name the folder",
        )
    return members[0]
