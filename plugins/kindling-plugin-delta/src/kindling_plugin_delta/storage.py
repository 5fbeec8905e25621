"""The storage and its stores: each method leads to the module of its noun. No logic of its own."""

from __future__ import annotations

import json
from collections.abc import Mapping

from kindling.addresses import Address
from kindling.hooks import Frame
from kindling.hooks.platform import Session
from kindling.hooks.storage import ChangeSet, Commit, CommitInfo, ReadRequest, StorageSpec, WriteRequest
from kindling.schemas import Schema
from kindling_plugin_delta.probe import LogFolder
from kindling_plugin_delta.tables import Table


class DeltaStorage:
    """Opens Delta tables. One per kernel; holds settings only."""

    def __init__(self, spec: StorageSpec) -> None:
        self._spec = spec

    def open(self, address: Address, session: Session) -> DeltaStore:
        """Return a table's store; touches nothing yet.

        A credential is resolved here: a secret whose text is a JSON object of the object store's
        options, as deltalake names them.
        """
        options = self._options(address)
        declared = address.option("change_feed")
        feed = bool(self._spec.settings.get("change_feed") if declared is None else declared)
        return DeltaStore(Table(address, session, LogFolder(address.uri, options), options, change_feed=feed))

    def _options(self, address: Address) -> dict[str, str]:
        if not address.credential or self._spec.secret is None:
            return {}
        found = json.loads(self._spec.secret(address.credential))
        return {str(name): str(value) for name, value in found.items()}


class DeltaStore:
    """One Delta table through one session; has every feature of `kindling.hooks.storage`."""

    def __init__(self, table: Table) -> None:
        self._table = table

    def schema(self) -> Schema | None:
        """Return the stored columns; None if there is no table."""
        layout = self._table.layout()
        return layout.schema if layout else None

    def version(self) -> str | None:
        """Return the newest version's token; None if there is no table."""
        return self._table.log.token()

    def read(self, request: ReadRequest) -> Frame:
        """Return rows, lazily; see `reading.read`."""
        from kindling_plugin_delta.reading import read

        return read(self._table, request)

    def write(self, frame: Frame, request: WriteRequest) -> Commit:
        """Overwrite or append; see `overwrite.write`."""
        from kindling_plugin_delta.overwrite import write

        return write(self._table, frame, request)

    def merge(self, frame: Frame, request: WriteRequest) -> Commit:
        """Upsert by keys; see `merge.merge`."""
        from kindling_plugin_delta.merge import merge

        return merge(self._table, frame, request)

    def historise(self, frame: Frame, request: WriteRequest) -> Commit:
        """Keep versions of rows; see `history.historise`."""
        from kindling_plugin_delta.history import historise

        return historise(self._table, frame, request)

    def replace(self, frame: Frame, request: WriteRequest) -> Commit:
        """Replace some rows; see `replacement.replace`."""
        from kindling_plugin_delta.replacement import replace

        return replace(self._table, frame, request)

    def changes(self, since: str | None) -> ChangeSet:
        """Return changed rows; see `changes.changes`."""
        from kindling_plugin_delta.changes import changes

        return changes(self._table, since)

    def bounds(self, column: str) -> tuple[str, str] | None:
        """Return the bounds of a time column; see `times.bounds_of`."""
        from kindling_plugin_delta.times import bounds_of

        table = self._table
        return bounds_of(table.log, table.storage_options, table.name, column)

    def erase(self, condition: str, info: CommitInfo) -> Commit:
        """Remove rows for good; see `erasure.erase`."""
        from kindling_plugin_delta.erasure import erase

        return erase(self._table, condition, info)

    def maintain(self, *, keep_s: int) -> Mapping[str, int]:
        """Compact and drop old files; see `maintenance.maintain`."""
        from kindling_plugin_delta.maintenance import maintain

        return maintain(self._table, keep_s)
