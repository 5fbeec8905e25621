"""What a version of a written entity consists of: `_kindling/<number>.json`, newest number wins.

A file belongs to the entity only if the newest manifest lists it. So a write becomes visible, whole,
when its manifest appears, and what a killed write left behind is never read. Plain folders without
manifests are sources; they are somebody else's.
"""

from __future__ import annotations

import hashlib
import json

from kindling_plugin_files.places import SIDECAR, FileEntry

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from kindling_plugin_files.places import LocalPlace, RemotePlace

    Place = LocalPlace | RemotePlace

SCHEMA = "kindling.files/1"
KEPT = 20
"""Manifests that are kept, for retried commits that ask whether they were done already."""


class Manifest:
    """One version.

    Attributes:
        number: 1 for the first.
        commit: What the kernel stored with it: `CommitInfo.to_json()`.
        columns: (name, neutral type, nullable) in order.
        files: (name, bytes, rows) of the files of this version.
        rows: Rows that this commit wrote.
        token: The version as others see it.
    """

    __slots__ = ("columns", "commit", "files", "number", "rows", "token")

    def __init__(
        self,
        number: int,
        commit: str,
        columns: Sequence[tuple[str, str, bool]],
        files: Sequence[tuple[str, int, int]],
        rows: int,
    ) -> None:
        self.number = number
        self.commit = commit
        self.columns = tuple(columns)
        self.files = tuple(files)
        self.rows = rows
        self.token = _token(number, self.to_bytes())

    def to_bytes(self) -> bytes:
        """Return the one form in which it is stored."""
        plain = {
            "schema": SCHEMA,
            "number": self.number,
            "kindling": self.commit,
            "columns": self.columns,
            "files": self.files,
            "rows": self.rows,
        }
        return json.dumps(plain, ensure_ascii=False, separators=(",", ":")).encode()

    @classmethod
    def from_bytes(cls, content: bytes) -> Manifest:
        """Return what `to_bytes` wrote."""
        plain = json.loads(content)
        columns = [(name, kind, nullable) for name, kind, nullable in plain["columns"]]
        files = [(name, size, rows) for name, size, rows in plain["files"]]
        made = cls(plain["number"], plain["kindling"], columns, files, plain["rows"])
        made.token = _token(made.number, content)
        return made

    def entries(self, place: Place) -> Iterator[FileEntry]:
        """Return the files; names are never used twice, so name and size tell all."""
        for name, size, _ in self.files:
            yield FileEntry(name, place.inner(name), size, "")


def _token(number: int, content: bytes) -> str:
    return f"{number}-{hashlib.sha256(content).hexdigest()[:16]}"


def file_name(number: int) -> str:
    """Return where a manifest is stored inside of the entity's folder."""
    return f"{SIDECAR}/{number:08d}.json"


def numbers(place: Place) -> list[int]:
    """Return the numbers of the stored manifests, newest first."""
    return _numbers(place.names(SIDECAR))


def _numbers(names: Sequence[str]) -> list[int]:
    stems = (name[:-5] for name in names if name.endswith(".json"))
    return sorted((int(stem) for stem in stems if stem.isdigit()), reverse=True)


def newest(place: Place) -> Manifest | None:
    """Return the newest manifest; None for a plain source."""
    return next(history(place), None)


def is_managed(place: Place) -> bool:
    """Tell whether Kindling writes here; without a manifest nothing was committed yet."""
    return bool(place.names(SIDECAR))


def mark(place: Place) -> None:
    """Make a folder Kindling's own before the first file is put there."""
    place.create(f"{SIDECAR}/format.json", f'{{"schema":"{SCHEMA}"}}'.encode())


def current_token(place: Place, suffixes: Sequence[str]) -> str | None:
    """Return the newest version without understanding it; None if the entity does not exist."""
    names = place.names(SIDECAR)
    if not names:
        return source_token(place.found(suffixes))
    for number in _numbers(names):
        content = place.read_bytes(file_name(number))
        if content is not None:
            return _token(number, content)
    return None


def history(place: Place, containing: str = "") -> Iterator[Manifest]:
    """Return the stored manifests that contain a text, newest first, each read when it is asked for."""
    for number in numbers(place):
        content = place.read_bytes(file_name(number))
        if content is not None and containing.encode() in content:
            yield Manifest.from_bytes(content)


def source_token(entries: Sequence[FileEntry]) -> str | None:
    """Return the version of plain files: a digest of names, sizes and stamps; None where there are none."""
    if not entries:
        return None
    text = "\n".join(
        "\0".join((name, str(size), stamp)) for name, size, stamp in (e.known() for e in entries)
    )
    return f"f-{hashlib.sha256(text.encode('utf-8', 'surrogateescape')).hexdigest()[:16]}"
