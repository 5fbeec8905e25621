"""What the files of one entity hold, without any engine: columns, rows as Arrow, bounds of times."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import date, datetime, timezone

import pyarrow as pa
import pyarrow.compute as pc

from kindling.addresses import Address, utc_text
from kindling.errors import StoreError
from kindling.schemas import Field, Schema
from kindling_plugin_files.badrows import BadRowLog
from kindling_plugin_files.columnar import parquet_schema, read_parquet
from kindling_plugin_files.columns import check_declared, check_same
from kindling_plugin_files.delimited import CsvReader
from kindling_plugin_files.jsonlines import JsonReader
from kindling_plugin_files.options import entity_name, parse_options
from kindling_plugin_files.places import open_place
from kindling_plugin_files.snapshot import Snapshot, check_unchanged, missing, take_snapshot
from kindling_plugin_files.textfiles import DECLARED, KNOWN, OWN, Reader, read_set


class Contents:
    """Reads the files of one address; text files once per version and wish.

    Attributes:
        address: Where they are.
        entity: How messages call the entity.
        options: Its checked options.
        place: Opens the files.
        log: Rows that were left out.
    """

    def __init__(self, address: Address, credentials: Mapping[str, object]) -> None:
        self.address = address
        self.entity = entity_name(address)
        self.options = parse_options(address)
        self.place = open_place(address.uri, credentials)
        self.log = BadRowLog(self.entity, address.uri, self.options.on_bad_row)
        self._read: tuple[tuple[str, Schema | None], pa.Table, Schema] | None = None

    @property
    def is_parquet(self) -> bool:
        """Whether the files are columnar."""
        return self.address.storage == "parquet"

    def forget(self) -> None:
        """Let go of the rows that are kept for the next call."""
        self._read = None

    def schema(self) -> Schema | None:
        """Return the stored schema; of a text source without a declared one it is inferred by reading it."""
        found = take_snapshot(self.address, self.place)
        if found is None:
            return None
        if found.schema is not None:
            return found.schema
        if self.options.schema is not None:
            return self.options.schema
        if self.is_parquet:
            return parquet_schema(self.entity, self.place, found.entries)
        return self.table(found, None)[1]

    def existing(self) -> Snapshot:
        """Return the files; raises KDL-STORE-001 where there are none."""
        found = take_snapshot(self.address, self.place)
        if found is None:
            raise missing(self.address, self.place)
        return found

    def table(
        self, found: Snapshot, declared: Schema | None, origin: str = DECLARED
    ) -> tuple[pa.Table, Schema]:
        """Read text files, once per version and store."""
        wish = found.version, found.schema or declared
        if self._read is not None and self._read[0] == wish and origin == DECLARED:
            return self._read[1], self._read[2]
        schema = wish[1]
        origin = OWN if found.manifest is not None else origin
        table, schema = read_set(self._reader(origin), found.entries, schema, origin, self.log)
        check_unchanged(self.address, self.place, found)
        self._read = wish, table, schema
        return table, schema

    def _reader(self, origin: str) -> Reader:
        if self.address.storage == "json":
            return JsonReader(self.entity, self.place)
        return CsvReader(self.entity, self.place, self.options, own=origin == OWN)

    def parquet_columns(self, found: Snapshot, declared: Schema | None, origin: str) -> Schema:
        """Return the columns to read: those of the manifest, the declared ones, or the files' own."""
        if found.schema is not None:
            return found.schema
        schema = parquet_schema(self.entity, self.place, found.entries)
        if declared is None:
            return schema
        if origin == KNOWN:
            check_same(
                self.entity,
                ("what was read before", declared.names),
                (found.entries[0].name, schema.names),
                found.entries[0].path,
            )
        check_declared(self.entity, found.entries[0].path, declared, schema.names)
        return declared

    def bounds(self, column: str) -> tuple[str, str] | None:
        """Return the least and the greatest value of a time column; reads that column, of text all."""
        found = self.existing()
        if self.is_parquet:
            schema = self.parquet_columns(found, self.options.schema, DECLARED)
            field = _time_field(self.entity, schema, column)
            table = read_parquet(self.entity, self.place, found.entries, Schema((field,)), (field.name,))
        else:
            table, schema = self.table(found, self.options.schema)
            field = _time_field(self.entity, schema, column)
        least = pc.min_max(table.column(field.name)).as_py()
        return None if least["min"] is None else (_instant(least["min"]), _instant(least["max"]))


def _time_field(entity: str, schema: Schema, column: str) -> Field:
    field = schema.field(column)
    if field is None or not field.type.startswith(("date", "timestamp")):
        raise StoreError(
            "KDL-STORE-215",
            f"column {column!r} of {entity!r} is no time",
            why=f"it is {field.type}" if field is not None else f"columns: {', '.join(schema.names)}",
            hint="name a date or timestamp column",
        )
    return field


def _instant(value: date) -> str:
    moment = value if isinstance(value, datetime) else datetime(value.year, value.month, value.day)  # noqa: DTZ001  # the zone follows
    return utc_text(moment if moment.tzinfo else moment.replace(tzinfo=timezone.utc))
