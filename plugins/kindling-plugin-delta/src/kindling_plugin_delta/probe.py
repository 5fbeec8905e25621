"""The state of a Delta table without an engine: newest version and cursor. Not a reader of rows.

Planning calls this in every run, so local tables are read with `os` alone and nothing is parsed but
single commits. Source: Delta Lake protocol, "Delta Log Entries" and "Commit Provenance Information".
"""

from __future__ import annotations

import json
import os

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Iterator

    from kindling.addresses import Address

_DIGITS = 20
_LENGTH = _DIGITS + len(".json")
_HASH_LENGTH = 12


class LogFolder:
    """The `_delta_log` folder of one table, local or remote.

    Attributes:
        uri: The table's folder as the address gives it.
        local: The table's folder as a local path, or "" for a remote one.
        options: fsspec options of a remote store.
    """

    __slots__ = ("local", "options", "uri")

    def __init__(self, uri: str, options: dict[str, str] | None = None) -> None:
        self.uri = uri.rstrip("/")
        self.local = _local_path(self.uri)
        self.options = options or {}

    def names(self) -> list[str]:
        """Return the file names in the log; none where there is no table."""
        try:
            if self.local:
                return os.listdir(f"{self.local}/_delta_log")  # pathlib costs 10 ms
            files, root = self._remote()
            return [path.rsplit("/", 1)[-1] for path in files.ls(f"{root}/_delta_log", detail=False)]  # type: ignore[attr-defined]  # an fsspec file system
        except (FileNotFoundError, NotADirectoryError):
            return []

    def read(self, name: str) -> bytes:
        """Return a log file's bytes; raises FileNotFoundError."""
        if self.local:
            with open(f"{self.local}/_delta_log/{name}", "rb") as file:  # the same
                return file.read()
        files, root = self._remote()
        return bytes(files.cat_file(f"{root}/_delta_log/{name}"))  # type: ignore[attr-defined]  # an fsspec file system

    def delete(self, name: str) -> None:
        """Delete a log file; only erasure does."""
        if self.local:
            os.unlink(f"{self.local}/_delta_log/{name}")  # the same
            return
        files, root = self._remote()
        files.rm_file(f"{root}/_delta_log/{name}")  # type: ignore[attr-defined]  # an fsspec file system

    def _remote(self) -> tuple[object, str]:
        from fsspec.core import url_to_fs

        files, root = url_to_fs(self.uri, **self.options, use_listings_cache=False)
        return files, root

    def versions(self, names: list[str] | None = None) -> list[int]:
        """Return the versions that have a commit file, ascending; `names` saves a listing."""
        listed = self.names() if names is None else names
        # Commits are the only names of this length that end so: 20 digits and the suffix.
        return sorted(int(n[:_DIGITS]) for n in listed if len(n) == _LENGTH and n[-5:] == ".json")

    def commit(self, version: int) -> bytes:
        """Return the bytes of one commit; raises FileNotFoundError."""
        return self.read(commit_name(version))

    def newest(self, names: list[str] | None = None) -> tuple[int, str] | None:
        """Return the newest version as a number and its file's name; None if there is no table."""
        names = [name for name in (self.names() if names is None else names) if _is_snapshot(name)]
        if not names:
            return None
        highest = max(int(name[:_DIGITS]) for name in names)
        own = commit_name(highest)
        # Where the commit's file was cleaned up, its checkpoint stands for the version.
        return highest, own if own in names else min(
            name for name in names if name[:_DIGITS] == own[:_DIGITS]
        )

    def token(self) -> str | None:
        """Return the newest version's token, or None."""
        newest = self.newest()
        if newest is None:
            return None
        return make_token(newest[0], self.read(newest[1]))


def _local_path(uri: str) -> str:
    if uri.startswith("file://"):
        from urllib.parse import unquote, urlsplit

        return unquote(urlsplit(uri).path)
    return "" if "://" in uri else uri


def commit_name(version: int) -> str:
    """Return the file name of a commit."""
    return f"{version:020d}.json"


def _is_snapshot(name: str) -> bool:
    stem, rest = name[:_DIGITS], name[_DIGITS:]
    return stem.isdigit() and len(stem) == _DIGITS and (rest == ".json" or rest.startswith(".checkpoint."))


def make_token(version: int, content: bytes) -> str:
    """Return the token of a commit: its number and a hash of its bytes.

    A table that was dropped and rebuilt has the same numbers, but other bytes.
    """
    from hashlib import blake2b

    return f"{version}-{blake2b(content).hexdigest()[:_HASH_LENGTH]}"


def provenance(content: bytes) -> dict[str, object]:
    """Return a commit's `commitInfo`, {} where it has none."""
    for line in content.splitlines():
        if b'"commitInfo"' in line[:20]:
            found = json.loads(line)["commitInfo"]
            return found if isinstance(found, dict) else {}
    return {}


def carried(info: dict[str, object], key: str) -> str | None:
    """Return the text that a commit carries under a key: at top level, or in `userMetadata`."""
    value = info.get(key)
    if value is None:
        try:
            outer = json.loads(str(info.get("userMetadata") or "null"))
        except ValueError:
            return None  # another tool's user metadata need not be JSON
        value = outer.get(key) if isinstance(outer, dict) else None
    if value is None or isinstance(value, str):
        return value
    return json.dumps(value, sort_keys=True, separators=(",", ":"))


def commits_with(
    log: LogFolder, key: str, names: list[str] | None = None
) -> Iterator[tuple[int, bytes, str]]:
    """Yield version, bytes and carried text of the commits that carry a key, newest first."""
    needle = key.encode()
    for version in reversed(log.versions(names)):
        content = log.commit(version)
        if needle in content and (text := carried(provenance(content), key)) is not None:
            yield version, content, text


def version(address: Address) -> str | None:
    """Return the newest version's token, or None if there is no table.

    Shape: `<number>-<12 hex digits of the commit's BLAKE2b>`.
    """
    return LogFolder(address.uri).token()


def cursor(address: Address, key: str) -> str | None:
    """Return the text under `key` in the newest commit that carries it, or None.

    A foreign commit on top does not hide ours; that the table changed is seen in `version`.
    """
    return next((text for _, _, text in commits_with(LogFolder(address.uri), key)), None)


def committed(address: Address, key: str) -> tuple[str, str] | None:
    """Return (version token right after it, text) of the newest commit that carries `key`, or None."""
    for number, content, text in commits_with(LogFolder(address.uri), key):
        return make_token(number, content), text
    return None


def bounds(address: Address, column: str) -> tuple[str, str] | None:
    """Return the least and the greatest value of a time column, RFC 3339 UTC; None if empty.

    Imports deltalake and pyarrow: only slicing by time asks.

    Raises:
        StoreError: KDL-STORE-001, there is no table; KDL-STORE-108, it is no time column.
    """
    from kindling_plugin_delta.times import bounds_of

    return bounds_of(LogFolder(address.uri), {}, ".".join(address.parts) or address.uri, column)
