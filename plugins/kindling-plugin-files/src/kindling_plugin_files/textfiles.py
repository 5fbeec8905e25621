"""A set of text files as one Arrow table with one schema. It knows neither CSV nor JSON.

Types are declared, or inferred over the whole set: a file in which a column looks otherwise than in
the set (only whole numbers, only nulls) is read again with the type of the set.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Protocol

import pyarrow as pa

from kindling.errors import StoreError
from kindling.schemas import Schema
from kindling_plugin_files.badrows import BadRowLog
from kindling_plugin_files.columns import shaped
from kindling_plugin_files.places import FileEntry

OWN, DECLARED, KNOWN = "own", "declared", "known"
"""Where a schema comes from: the manifest of a written entity, the declaration, or a cursor. A file of
`own` may lack columns, one of `declared` may have more, one of `known` has exactly these."""


class Reader(Protocol):
    """Reads one file of a format."""

    def check(
        self, entries: Sequence[FileEntry], schema: Schema | None, origin: str
    ) -> tuple[FileEntry, ...]:
        """Check the files' columns against each other and the schema; return the files that hold any."""
        ...

    def table(self, entry: FileEntry, schema: Schema | None, log: BadRowLog) -> pa.Table:
        """Read one file; rows that cannot be read go to the log. With a schema: exactly its types."""
        ...

    def common(self, schemas: Sequence[tuple[str, pa.Schema]]) -> Schema:
        """Return the schema of a set from what was inferred in each (file, Arrow schema)."""
        ...

    def fits(self, inferred: pa.Schema, schema: Schema) -> bool:
        """Tell whether a file that was read by inference need not be read again with the schema."""
        ...


def read_set(
    reader: Reader, entries: Sequence[FileEntry], schema: Schema | None, origin: str, log: BadRowLog
) -> tuple[pa.Table, Schema]:
    """Read files into one table and return it with its schema.

    Raises:
        StoreError: KDL-STORE-200 for rows that cannot be read and may not be left out, KDL-STORE-208
            for files without any column, and what the reader refuses.
    """
    filled = reader.check(entries, schema, origin)
    if schema is not None:
        tables = [reader.table(entry, schema, log) for entry in filled]
    else:
        if not filled:
            raise StoreError(
                "KDL-STORE-208",
                f"{entries[0].name!r} is empty",
                why="the columns cannot be known",
                where=entries[0].path,
                hint="declare them with schema=",
            )
        tables, schema = _inferred(reader, filled, log)
    log.refuse()
    shapes = [shaped(table, schema) for table in tables]
    return (pa.concat_tables(shapes) if shapes else shaped(pa.table({}), schema)), schema


def _inferred(reader: Reader, entries: Sequence[FileEntry], log: BadRowLog) -> tuple[list[pa.Table], Schema]:
    logs = [log.fresh() for _ in entries]
    tables = [reader.table(entry, None, own) for entry, own in zip(entries, logs, strict=True)]
    schema = reader.common([(entry.name, table.schema) for entry, table in zip(entries, tables, strict=True)])
    for place, entry in enumerate(entries):
        if not reader.fits(tables[place].schema, schema):
            logs[place] = log.fresh()
            tables[place] = reader.table(entry, schema, logs[place])
    for own in logs:
        log.take(own)
    return tables, schema
