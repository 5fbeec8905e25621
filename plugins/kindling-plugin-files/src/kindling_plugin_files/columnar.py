"""Parquet files: their schemas compared, and their rows as Arrow where no engine may load them."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from typing import BinaryIO
from urllib.parse import unquote

import pyarrow as pa
import pyarrow.parquet as pq

from kindling.errors import StoreError
from kindling.hooks.arrow import arrow_schema, neutral_schema
from kindling.schemas import Field, Schema
from kindling_plugin_files.columns import check_names, check_same, shaped
from kindling_plugin_files.places import FileEntry, LocalPlace, RemotePlace

NULL_PARTITION = "__HIVE_DEFAULT_PARTITION__"
"""Source: Apache Hive, "Dynamic Partition Inserts": the folder of rows whose partition column is null."""


def has_partitions(entries: Sequence[FileEntry]) -> bool:
    """Tell whether folder names carry columns, like `year=2013/part.parquet`."""
    return any("=" in entry.name.rpartition("/")[0] for entry in entries)


def parquet_schema(entity: str, place: LocalPlace | RemotePlace, entries: Sequence[FileEntry]) -> Schema:
    """Return the one schema of a set of files, from their footers; partition columns come last.

    Raises:
        StoreError: KDL-STORE-206, two files differ in names or types; KDL-STORE-002, a file is no
            Parquet file.
    """
    first: tuple[FileEntry, Schema] | None = None
    for entry in entries:
        found = _footer(entity, place, entry)
        if first is None:
            first = entry, found
            check_names(entity, entry.path, found.names)
            continue
        known = first[1]
        check_same(entity, (first[0].name, known.names), (entry.name, found.names), entry.path)
        for field in found.fields:
            other = known.field(field.name)
            if other is not None and other.type != field.type:
                raise StoreError(
                    "KDL-STORE-206",
                    f"the files of {entity!r} have different columns",
                    why=f"{field.name!r} is {field.type} in {entry.name} and {other.type} in {first[0].name}",
                    where=entry.path,
                    hint="write the file again with the other type, or make the glob of the entity narrower",
                )
    own = first[1].fields if first is not None else ()
    return Schema((*own, *partition_fields(entries)))


def _footer(entity: str, place: LocalPlace | RemotePlace, entry: FileEntry) -> Schema:
    try:
        with place.open(entry) as file:
            return neutral_schema(pq.read_schema(file))
    except pa.ArrowInvalid as error:
        raise unreadable(entity, entry, error) from error


def unreadable(entity: str, entry: FileEntry, error: Exception) -> StoreError:
    """Return the error for a file that is damaged or of another format."""
    return StoreError("KDL-STORE-002", f"{entity!r} cannot be read", why=str(error), where=entry.path)


def partition_fields(entries: Sequence[FileEntry]) -> tuple[Field, ...]:
    """Return the columns that folder names carry: `bigint` where all values are whole numbers, else text."""
    values: dict[str, list[str | None]] = {}
    for entry in entries:
        for name, value in _partition(entry).items():
            values.setdefault(name, []).append(value)
    return tuple(
        Field(name, "bigint" if all(v is None or v.lstrip("-").isdigit() for v in found) else "string")
        for name, found in values.items()
    )


def _partition(entry: FileEntry) -> Mapping[str, str | None]:
    parts = (part.partition("=") for part in entry.name.split("/")[:-1] if "=" in part)
    return {name: None if value == NULL_PARTITION else unquote(value) for name, _, value in parts}


def read_parquet(
    entity: str,
    place: LocalPlace | RemotePlace,
    entries: Sequence[FileEntry],
    schema: Schema,
    columns: Sequence[str] | None = None,
) -> pa.Table:
    """Return the rows with exactly the schema; a column that a file lacks is null.

    Args:
        entity: How messages call it.
        place: Where the files are.
        entries: The files.
        schema: The columns to return.
        columns: The columns to read, where not all are needed.
    """
    tables = [pa.table(arrow_schema(schema).empty_table())]
    for entry in entries:
        try:
            with place.open(entry) as file:
                table = pq.ParquetFile(file).read(columns=None if columns is None else list(columns))
            for name, value in _partition(entry).items():
                kind = schema.field(name)
                if kind is not None:
                    plain = int(value) if value is not None and kind.type == "bigint" else value
                    table = table.append_column(name, pa.array([plain] * len(table)))
            tables.append(shaped(table, schema))
        except pa.ArrowInvalid as error:
            raise unreadable(entity, entry, error) from error
    return pa.concat_tables(tables)


def write_parquet(batches: Iterator[pa.RecordBatch], schema: Schema, file: BinaryIO) -> int:
    """Write rows as one Parquet file and return how many."""
    rows = 0
    with pq.ParquetWriter(file, arrow_schema(schema)) as writer:
        for batch in batches:
            writer.write_batch(batch)
            rows += len(batch)
    return rows


def count_rows(path: str) -> int:
    """Return the number of rows from a file's footer."""
    return int(pq.read_metadata(path).num_rows)
