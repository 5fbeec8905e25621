"""One entity in files: reading, changes, bounds. Writing is in `commits`."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import date

from kindling.addresses import Address, Slice
from kindling.errors import StoreError
from kindling.hooks import Frame
from kindling.hooks.platform import ArrowIn, PathRead, Paths, Session
from kindling.hooks.storage import BadRows, ChangeSet, Commit, ReadRequest, WriteRequest
from kindling.schemas import Field, Schema, quoted
from kindling_plugin_files.columnar import has_partitions, parquet_schema, read_parquet
from kindling_plugin_files.commits import Writer
from kindling_plugin_files.contents import Contents
from kindling_plugin_files.manifest import current_token
from kindling_plugin_files.positions import cursor_text, new_files, read_cursor
from kindling_plugin_files.probe import SUFFIXES
from kindling_plugin_files.snapshot import Snapshot
from kindling_plugin_files.textfiles import DECLARED, KNOWN, OWN

ENGINE_SCHEMES = ("s3://", "s3a://", "gs://", "abfss://", "hdfs://", "dbfs:/")
"""URLs that a session with the feature `paths` is expected to load itself."""


class FileStore:
    """Reads and writes one entity; touches nothing before it is asked."""

    def __init__(self, address: Address, session: Session, credentials: Mapping[str, object]) -> None:
        self._session = session
        self._contents = Contents(address, credentials)

    def schema(self) -> Schema | None:
        """Return the stored schema; of a text source without a declared one it is inferred by reading it."""
        return self._contents.schema()

    def version(self) -> str | None:
        """Return the newest version, equal to the probe's."""
        return current_token(self._contents.place, SUFFIXES[self._contents.address.storage])

    def bad_rows(self) -> BadRows:
        """Return what the reads of this store have left out so far."""
        return self._contents.log.bad_rows()

    def read(self, request: ReadRequest) -> Frame:
        """Return the rows; text files are read at once, Parquet files lazily where the engine can.

        Raises:
            StoreError: KDL-STORE-001, there is no file; KDL-STORE-2xx, they cannot be read as declared.
        """
        found = self._contents.existing()
        frame, schema, _ = self._frame(found, request.schema or self._contents.options.schema)
        if request.slice.kind == "interval":
            field = schema.field(request.column)
            return self._session.where(frame, interval_condition(request.column, field, request.slice))
        return frame

    def _frame(
        self, found: Snapshot, declared: Schema | None, origin: str = DECLARED
    ) -> tuple[Frame, Schema, int | None]:
        """Return the files' rows as a frame, its schema, and the number of rows where it is free to know."""
        if self._contents.is_parquet:
            schema = self._contents.parquet_columns(found, declared, origin)
            if self._loads(found):
                return self._loaded(found, schema), schema, None
            table = read_parquet(self._contents.entity, self._contents.place, found.entries, schema)
        else:
            table, schema = self._contents.table(found, declared, origin)
            self._contents.forget()
        if not isinstance(self._session, ArrowIn):
            raise self._needs("arrow-in")
        return self._session.from_arrow(table, schema), schema, len(table)

    def _loads(self, found: Snapshot) -> bool:
        """Tell whether the engine may load the files itself: all alike, and where it can reach them."""
        if "paths" not in self._session.features or not found.entries or has_partitions(found.entries):
            return False
        if not (self._contents.place.is_local or self._contents.address.uri.startswith(ENGINE_SCHEMES)):
            return False
        own = found.schema
        return own is None or all(
            _types(parquet_schema(self._contents.entity, self._contents.place, (entry,))) == _types(own)
            for entry in found.entries
        )

    def _loaded(self, found: Snapshot, schema: Schema) -> Frame:
        if not isinstance(self._session, Paths):
            raise self._needs("paths")
        uris = tuple(self._contents.place.uri(entry) for entry in found.entries)
        frame = self._session.load(PathRead("parquet", uris, schema))
        same = _types(self._session.schema(frame)) == _types(schema)
        return frame if same else self._session.cast(frame, schema)

    def _needs(self, feature: str) -> StoreError:
        return StoreError(
            "KDL-STORE-214",
            f"platform {self._session.platform!r} cannot take the files of {self._contents.entity!r}",
            why=f"it does not offer {feature}",
            hint="run the pipe on another platform",
        )

    def write(self, frame: Frame, request: WriteRequest) -> Commit:
        """Write in one commit: the new files count once their manifest is there.

        Raises:
            StoreError: KDL-STORE-209 to 212; PolicyError: KDL-POL-001; nothing was committed.
        """
        own = self._contents
        own.forget()
        return Writer(own.address, own.place, self._session, own.options).write(frame, request)

    def changes(self, since: str | None) -> ChangeSet:
        """Return the rows of files that came after a cursor, each as an `insert`.

        Raises:
            StoreError: KDL-STORE-012, a file that was read before changed or is gone.
        """
        found = self._contents.existing()
        if not since:
            frame, schema, rows = self._frame(found, self._contents.options.schema)
            return ChangeSet(self._inserted(frame, schema), cursor_text(found.entries, schema), rows)
        schema, known = read_cursor(self._contents.entity, since)
        fresh = new_files(self._contents.entity, found.entries, known)
        if not fresh:
            return ChangeSet(None, since, 0)
        part = Snapshot(fresh, found.manifest, found.version)
        own = found.schema
        frame, schema, rows = self._frame(part, own or schema, KNOWN if own is None else OWN)
        return ChangeSet(self._inserted(frame, schema), cursor_text(found.entries, schema), rows)

    def _inserted(self, frame: Frame, schema: Schema) -> Frame:
        columns = [(name, quoted(name)) for name in schema.names]
        return self._session.select(frame, [*columns, ("_change", "'insert'")])

    def bounds(self, column: str) -> tuple[str, str] | None:
        """Return the least and the greatest value of a time column; reads that column, of text all."""
        return self._contents.bounds(column)


def _types(schema: Schema) -> list[tuple[str, str]]:
    return [(field.name, field.type) for field in schema.fields]


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
    name = quoted(column)
    return f"{name} >= {start} AND {name} < {end}"


def _next_date(edge: str) -> str:
    day = date.fromisoformat(edge[:10])
    return (day if edge[11:19] == "00:00:00" else date.fromordinal(day.toordinal() + 1)).isoformat()
