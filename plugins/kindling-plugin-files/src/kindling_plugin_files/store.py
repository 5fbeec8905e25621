"""One entity in files: reading, changes, bounds. Writing is in `commits`."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import date, datetime, timezone

import pyarrow as pa
import pyarrow.compute as pc

from kindling.addresses import Address, Slice, utc_text
from kindling.errors import StoreError
from kindling.hooks import Frame
from kindling.hooks.platform import ArrowIn, PathRead, Paths, Session
from kindling.hooks.storage import BadRows, ChangeSet, Commit, ReadRequest, WriteRequest
from kindling.schemas import Field, Schema
from kindling_plugin_files.badrows import BadRowLog
from kindling_plugin_files.columnar import has_partitions, parquet_schema, read_parquet
from kindling_plugin_files.columns import check_declared, check_same
from kindling_plugin_files.commits import Writer
from kindling_plugin_files.delimited import CsvReader
from kindling_plugin_files.jsonlines import JsonReader
from kindling_plugin_files.manifest import current_token
from kindling_plugin_files.options import entity_name, parse_options
from kindling_plugin_files.places import open_place
from kindling_plugin_files.positions import cursor_text, new_files, read_cursor
from kindling_plugin_files.probe import SUFFIXES
from kindling_plugin_files.snapshot import Snapshot, check_unchanged, missing, take_snapshot
from kindling_plugin_files.textfiles import DECLARED, KNOWN, OWN, Reader, read_set

ENGINE_SCHEMES = ("s3://", "s3a://", "gs://", "abfss://", "hdfs://", "dbfs:/")
"""URLs that a session with the feature `paths` is expected to load itself."""


class FileStore:
    """Reads and writes one entity; touches nothing before it is asked."""

    def __init__(self, address: Address, session: Session, credentials: Mapping[str, object]) -> None:
        self._address = address
        self._session = session
        self._entity = entity_name(address)
        self._options = parse_options(address)
        self._place = open_place(address.uri, credentials)
        self._log = BadRowLog(self._entity, address.uri, self._options.on_bad_row)
        self._read: tuple[tuple[str, Schema | None], pa.Table, Schema] | None = None

    def schema(self) -> Schema | None:
        """Return the stored schema; of a text source without a declared one it is inferred by reading it."""
        found = take_snapshot(self._address, self._place)
        if found is None:
            return None
        if found.schema is not None:
            return found.schema
        if self._options.schema is not None:
            return self._options.schema
        if self._address.storage == "parquet":
            return parquet_schema(self._entity, self._place, found.entries)
        return self._table(found, None)[1]

    def version(self) -> str | None:
        """Return the newest version, equal to the probe's."""
        return current_token(self._place, SUFFIXES[self._address.storage])

    def bad_rows(self) -> BadRows:
        """Return what the reads of this store have left out so far."""
        return self._log.bad_rows()

    def read(self, request: ReadRequest) -> Frame:
        """Return the rows; text files are read at once, Parquet files lazily where the engine can.

        Raises:
            StoreError: KDL-STORE-001, there is no file; KDL-STORE-2xx, they cannot be read as declared.
        """
        found = self._existing()
        frame, schema, _ = self._frame(found, request.schema or self._options.schema)
        if request.slice.kind == "interval":
            field = schema.field(request.column)
            return self._session.where(frame, interval_condition(request.column, field, request.slice))
        return frame

    def _existing(self) -> Snapshot:
        found = take_snapshot(self._address, self._place)
        if found is None:
            raise missing(self._address, self._place)
        return found

    def _frame(
        self, found: Snapshot, declared: Schema | None, origin: str = DECLARED
    ) -> tuple[Frame, Schema, int | None]:
        """Return the files' rows as a frame, its schema, and the number of rows where it is free to know."""
        if self._address.storage == "parquet":
            schema = self._parquet_columns(found, declared, origin)
            if self._loads(found):
                return self._loaded(found, schema), schema, None
            table = read_parquet(self._entity, self._place, found.entries, schema)
        else:
            table, schema = self._table(found, declared, origin)
            self._read = None
        if not isinstance(self._session, ArrowIn):
            raise self._needs("arrow-in")
        return self._session.from_arrow(table, schema), schema, len(table)

    def _table(
        self, found: Snapshot, declared: Schema | None, origin: str = DECLARED
    ) -> tuple[pa.Table, Schema]:
        """Read text files, once per version and store."""
        wish = found.version, found.schema or declared
        if self._read is not None and self._read[0] == wish and origin == DECLARED:
            return self._read[1], self._read[2]
        schema = wish[1]
        origin = OWN if found.manifest is not None else origin
        table, schema = read_set(self._reader(origin), found.entries, schema, origin, self._log)
        check_unchanged(self._address, self._place, found)
        self._read = wish, table, schema
        return table, schema

    def _reader(self, origin: str) -> Reader:
        if self._address.storage == "json":
            return JsonReader(self._entity, self._place)
        return CsvReader(self._entity, self._place, self._options, own=origin == OWN)

    def _parquet_columns(self, found: Snapshot, declared: Schema | None, origin: str) -> Schema:
        if found.schema is not None:
            return found.schema
        schema = parquet_schema(self._entity, self._place, found.entries)
        if declared is None:
            return schema
        if origin == KNOWN:
            check_same(
                self._entity,
                ("what was read before", declared.names),
                (found.entries[0].name, schema.names),
                found.entries[0].path,
            )
        check_declared(self._entity, found.entries[0].path, declared, schema.names)
        return declared

    def _loads(self, found: Snapshot) -> bool:
        """Tell whether the engine may load the files itself: all alike, and where it can reach them."""
        if "paths" not in self._session.features or not found.entries or has_partitions(found.entries):
            return False
        if not (self._place.is_local or self._address.uri.startswith(ENGINE_SCHEMES)):
            return False
        own = found.schema
        return own is None or all(
            _types(parquet_schema(self._entity, self._place, (entry,))) == _types(own)
            for entry in found.entries
        )

    def _loaded(self, found: Snapshot, schema: Schema) -> Frame:
        if not isinstance(self._session, Paths):
            raise self._needs("paths")
        uris = tuple(self._place.uri(entry) for entry in found.entries)
        frame = self._session.load(PathRead("parquet", uris, schema))
        same = _types(self._session.schema(frame)) == _types(schema)
        return frame if same else self._session.cast(frame, schema)

    def _needs(self, feature: str) -> StoreError:
        return StoreError(
            "KDL-STORE-214",
            f"platform {self._session.platform!r} cannot take the files of {self._entity!r}",
            why=f"it does not offer {feature}",
            hint="run the pipe on another platform",
        )

    def write(self, frame: Frame, request: WriteRequest) -> Commit:
        """Write in one commit: the new files count once their manifest is there.

        Raises:
            StoreError: KDL-STORE-209 to 212; PolicyError: KDL-POL-001; nothing was committed.
        """
        self._read = None
        return Writer(self._address, self._place, self._session, self._options).write(frame, request)

    def changes(self, since: str | None) -> ChangeSet:
        """Return the rows of files that came after a cursor, each as an `insert`.

        Raises:
            StoreError: KDL-STORE-012, a file that was read before changed or is gone.
        """
        found = self._existing()
        if not since:
            frame, schema, rows = self._frame(found, self._options.schema)
            return ChangeSet(self._inserted(frame, schema), cursor_text(found.entries, schema), rows)
        schema, known = read_cursor(since)
        fresh = new_files(self._entity, found.entries, known)
        if not fresh:
            return ChangeSet(None, since, 0)
        part = Snapshot(fresh, found.manifest, found.version)
        own = found.schema
        frame, schema, rows = self._frame(part, own or schema, KNOWN if own is None else OWN)
        return ChangeSet(self._inserted(frame, schema), cursor_text(found.entries, schema), rows)

    def _inserted(self, frame: Frame, schema: Schema) -> Frame:
        columns = [(name, f"`{name}`") for name in schema.names]
        return self._session.select(frame, [*columns, ("_change", "'insert'")])

    def bounds(self, column: str) -> tuple[str, str] | None:
        """Return the least and the greatest value of a time column; reads that column, of text all."""
        found = self._existing()
        if self._address.storage == "parquet":
            schema = self._parquet_columns(found, self._options.schema, DECLARED)
            field = _time_field(self._entity, schema, column)
            table = read_parquet(self._entity, self._place, found.entries, Schema((field,)), (field.name,))
        else:
            table, schema = self._table(found, self._options.schema)
            field = _time_field(self._entity, schema, column)
        least = pc.min_max(table.column(field.name)).as_py()
        return None if least["min"] is None else (_instant(least["min"]), _instant(least["max"]))


def _types(schema: Schema) -> list[tuple[str, str]]:
    return [(field.name, field.type) for field in schema.fields]


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


def interval_condition(column: str, field: Field | None, interval: Slice) -> str:
    """Return the Spark SQL condition of a half-open interval; wall clocks and dates are taken as UTC."""
    kind = "timestamp" if field is None else field.type
    if kind == "date":
        # A date is its midnight, so a bound inside of a day means the next date.
        edges = (f"CAST('{_next_date(edge)}' AS DATE)" for edge in (interval.start, interval.end))
    elif kind == "timestamp_ntz":
        edges = (
            f"CAST('{edge[:10]} {edge[11:19]}' AS TIMESTAMP_NTZ)" for edge in (interval.start, interval.end)
        )
    else:
        edges = (f"CAST('{edge}' AS TIMESTAMP)" for edge in (interval.start, interval.end))
    start, end = edges
    return f"`{column}` >= {start} AND `{column}` < {end}"


def _next_date(edge: str) -> str:
    day = date.fromisoformat(edge[:10])
    return (day if edge[11:19] == "00:00:00" else date.fromordinal(day.toordinal() + 1)).isoformat()
