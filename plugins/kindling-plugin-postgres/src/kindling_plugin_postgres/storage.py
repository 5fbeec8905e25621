"""The storage and its stores: each method leads to the module of its noun. No logic of its own."""

from __future__ import annotations

from kindling.addresses import Address
from kindling.hooks import Frame
from kindling.hooks.platform import Session
from kindling.hooks.storage import Commit, ReadRequest, StorageSpec, WriteRequest
from kindling.schemas import Schema
from kindling_plugin_postgres.tables import Table


class PostgresStorage:
    """Opens tables. One per kernel; holds settings only, connections belong to each piece of work."""

    def __init__(self, spec: StorageSpec) -> None:
        self._secret = spec.secret
        self._lock_timeout_s = int(str(spec.settings.get("lock_timeout_s") or 60))

    def open(self, address: Address, session: Session) -> PostgresStore:
        """Return a table's store; touches nothing yet."""
        return PostgresStore(Table(address, session, self._secret, self._lock_timeout_s))


class PostgresStore:
    """One table through one session."""

    def __init__(self, table: Table) -> None:
        self._table = table

    def schema(self) -> Schema | None:
        """Return the stored columns; None if there is no table."""
        from kindling_plugin_postgres.layout import layout_of

        with self._table.connected() as connection:
            layout = layout_of(connection, self._table.place, self._table.name)
        return layout.schema if layout else None

    def version(self) -> str | None:
        """Return the newest version's token; None if there is no table."""
        from kindling_plugin_postgres.probe import token

        with self._table.connected() as connection:
            return token(connection, self._table.place)

    def read(self, request: ReadRequest) -> Frame:
        """Return rows; see `reading.read`."""
        from kindling_plugin_postgres.reading import read

        return read(self._table, request)

    def write(self, frame: Frame, request: WriteRequest) -> Commit:
        """Overwrite or append; see `writing.write`."""
        from kindling_plugin_postgres.writing import write

        return write(self._table, frame, request)

    def merge(self, frame: Frame, request: WriteRequest) -> Commit:
        """Upsert by keys; see `merge.merge`."""
        from kindling_plugin_postgres.merge import merge

        return merge(self._table, frame, request)

    def bounds(self, column: str) -> tuple[str, str] | None:
        """Return the bounds of a time column; see `times.bounds_of`."""
        from kindling_plugin_postgres.times import bounds_of

        with self._table.connected() as connection:
            return bounds_of(connection, self._table.place, self._table.name, column)
