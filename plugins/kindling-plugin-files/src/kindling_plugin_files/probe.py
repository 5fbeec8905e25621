"""Versions and cursors without an engine and without reading data. Imported by planning."""

from __future__ import annotations

from kindling_plugin_files import manifest
from kindling_plugin_files.places import open_place

TYPE_CHECKING = False
if TYPE_CHECKING:
    from kindling.addresses import Address

SUFFIXES = {
    "csv": (".csv", ".tsv", ".txt", ".csv.gz", ".tsv.gz", ".txt.gz", ".csv.zip", ".tsv.zip", ".txt.zip"),
    "json": (".json", ".jsonl", ".ndjson", ".json.gz", ".jsonl.gz", ".ndjson.gz"),
    "parquet": (".parquet", ".pq"),
}
"""Which files of a folder belong to a storage; a glob or a single file may have any name."""


def version(address: Address) -> str | None:
    """Return the newest version; None if there is no file.

    Of a written entity: number and digest of its manifest. Of a source: a digest over name, size and
    modification time of each file.
    """
    return manifest.current_token(open_place(address.uri), SUFFIXES[address.storage])


def cursor(address: Address, key: str) -> str | None:
    """Return the text under `key` in the newest commit, or None. Sources have no commits."""
    found = committed(address, key)
    return None if found is None else found[1]


def committed(address: Address, key: str) -> tuple[str, str] | None:
    """Return version and text of the newest commit that carries `key`; all commits here carry `kindling`."""
    if key != "kindling":
        return None
    found = manifest.newest(open_place(address.uri))
    return None if found is None else (found.token, found.commit)


def bounds(address: Address, column: str) -> tuple[str, str] | None:
    """Return the least and the greatest value of a time column, RFC 3339 UTC; None if empty.

    Reads the column with pyarrow, of text files everything: called for pipes in slices of time alone.
    """
    from kindling_plugin_files.contents import Contents

    return Contents(address, {}).bounds(column)
