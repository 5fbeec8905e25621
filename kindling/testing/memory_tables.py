"""The tables of the memory storage and their probe. Plain values: the caller keeps the dict."""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import date, datetime, timezone

from kindling.addresses import Address
from kindling.hooks.storage import COMMIT_KEY
from kindling.schemas import Schema

Line = dict[str, object]


@dataclass(slots=True)
class Version:
    """One committed state of a table.

    Attributes:
        schema: Its columns.
        lines: Its rows by column name.
        changes: `(insert | update | delete, row)` against the version before.
        info: `CommitInfo.to_json()`.
    """

    schema: Schema
    lines: list[Line]
    changes: list[tuple[str, Line]]
    info: str


@dataclass(slots=True)
class Table:
    """One entity: its versions; the number of the first one that is still kept."""

    versions: list[Version] = field(default_factory=list)
    first: int = 0


Tables = dict[str, Table]


def place(address: Address) -> str:
    """Return the key of an address in the dict."""
    return "/".join((address.location, *address.parts, address.uri))


class MemoryProbe:
    """The probe of the storage over the same dict."""

    def __init__(self, tables: Tables) -> None:
        self._tables = tables

    def version(self, address: Address) -> str | None:
        """Return the newest version."""
        table = self._tables.get(place(address))
        return str(len(table.versions) - 1) if table else None

    def committed(self, address: Address, key: str) -> tuple[str, str] | None:
        """Return the newest version and its text: each commit carries one."""
        table = self._tables.get(place(address))
        if table is None or key != COMMIT_KEY:
            return None
        return str(len(table.versions) - 1), table.versions[-1].info

    def cursor(self, address: Address, key: str) -> str | None:
        """Return the text of the newest commit."""
        found = self.committed(address, key)
        return found[1] if found else None

    def bounds(self, address: Address, column: str) -> tuple[str, str] | None:
        """Return the least and the greatest value of a time column."""
        table = self._tables.get(place(address))
        values = [instant(line[column]) for line in table.versions[-1].lines] if table else []
        known = sorted(value for value in values if value)
        return (known[0], known[-1]) if known else None


def instant(value: object) -> str:
    """Return a time as RFC 3339 UTC to the second, "" for null."""
    if isinstance(value, datetime):
        moment = value if value.tzinfo else value.replace(tzinfo=timezone.utc)
        return moment.astimezone(timezone.utc).strftime("%Y-%m-%dT%H:%M:%SZ")
    return f"{value.isoformat()}T00:00:00Z" if isinstance(value, date) else ""
