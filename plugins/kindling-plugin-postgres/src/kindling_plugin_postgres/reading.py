"""How a table becomes a frame: an Arrow stream out of a server-side cursor. Views are read as well."""

from __future__ import annotations

from collections.abc import Iterator
from typing import cast

import psycopg
import pyarrow as pa

from kindling.errors import KindlingError, StoreError
from kindling.hooks import Frame
from kindling.hooks.arrow import arrow_schema
from kindling.hooks.platform import ArrowIn
from kindling.hooks.storage import ReadRequest
from kindling_plugin_postgres.decoding import batches
from kindling_plugin_postgres.kinds import is_nested
from kindling_plugin_postgres.layout import Layout, layout_of, missing
from kindling_plugin_postgres.probe import token
from kindling_plugin_postgres.servers import quoted
from kindling_plugin_postgres.tables import Table
from kindling_plugin_postgres.times import condition


def read(table: Table, request: ReadRequest) -> Frame:
    """Return the rows of a slice.

    Raises:
        StoreError: KDL-STORE-001, there is no table; KDL-STORE-002, an older version is asked for.
    """
    with table.connected() as connection:
        layout = layout_of(connection, table.place, table.name)
        if layout is None:
            raise missing(table.name, table.place)
        newest = token(connection, table.place) if request.version is not None else None
    if request.version != newest:
        raise StoreError(
            "KDL-STORE-002",
            f"{table.name!r} cannot be read at version {request.version!r}",
            why=f"PostgreSQL keeps the newest rows only, at version {newest}",
            hint="read the newest version",
            version=request.version,
        )
    stream = Incoming(table, layout, *_query(table, layout, request))
    try:
        return cast("ArrowIn", table.session).from_arrow(stream, layout.schema)
    except Exception as error:  # the engine's: Arrow carries only the text of what was raised below it
        if stream.error is not None and stream.error is not error:
            raise stream.error from None
        raise


def _query(table: Table, layout: Layout, request: ReadRequest) -> tuple[str, tuple[str, ...]]:
    shown = []
    for column, field in zip(layout.columns, layout.schema.fields, strict=True):
        as_text = column.reads_as_text or is_nested(field.type)
        suffix = (
            ("::text[]" if column.is_array and not is_nested(field.type) else "::text") if as_text else ""
        )
        shown.append(quoted(column.name) + suffix)
    where, values = condition(layout.schema, request.column, request.slice)
    text = f"SELECT {', '.join(shown)} FROM {table.sql}"  # noqa: S608  # quoted names
    return (text.replace("%", "%%") if values else text) + where, values


class Incoming:
    """Rows on their way into a session: each use is a transaction of its own, with one snapshot.

    Attributes:
        error: What went wrong while rows were fetched.
    """

    def __init__(self, table: Table, layout: Layout, query: str, values: tuple[str, ...]) -> None:
        self.error: KindlingError | None = None
        self._table = table
        self._layout = layout
        self._query = query
        self._values = values

    def __arrow_c_stream__(self, requested_schema: object | None = None) -> object:
        """Return the capsule of a fresh stream. Source: Arrow PyCapsule interface."""
        reader = pa.RecordBatchReader.from_batches(arrow_schema(self._layout.schema), self._batches())
        return reader.__arrow_c_stream__(requested_schema)

    def _batches(self) -> Iterator[pa.RecordBatch]:
        try:
            with self._table.connected() as connection:
                connection.autocommit = False
                connection.isolation_level = psycopg.IsolationLevel.REPEATABLE_READ
                connection.read_only = True
                with connection.cursor(name="kindling", binary=True) as cursor:
                    cursor.execute(self._query.encode(), self._values or None)
                    yield from batches(cursor.fetchmany, self._table.name, self._layout.schema)
        except KindlingError as error:
            self.error = error
            raise
