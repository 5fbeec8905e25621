"""Entities as Arrow tables in memory: `overwrite` and `append`. Neither history nor files."""

from __future__ import annotations

from dataclasses import dataclass

import pyarrow as pa

from kindling.addresses import Address
from kindling.errors import StoreError
from kindling.hooks import Frame
from kindling.hooks.arrow import arrow_schema
from kindling.hooks.platform import ArrowIn, ArrowOut, Session
from kindling.hooks.storage import Commit, ReadRequest, WriteRequest
from kindling.schemas import Schema, quoted


@dataclass(frozen=True, slots=True)
class Version:
    """The newest state of one entity.

    Attributes:
        name: Opaque token: the number of its commit, from 1.
        schema: Its columns.
        rows: Its rows, with the columns of `schema`.
    """

    name: str
    schema: Schema
    rows: pa.Table


class MemoryStorage:
    """All entities of one kernel; a commit replaces one value of the dict, so readers see all or nothing."""

    def __init__(self) -> None:
        self.newest: dict[Address, Version] = {}

    def open(self, address: Address, session: Session) -> MemoryStore:
        """Return the entity's store; nothing exists before its first commit."""
        if not isinstance(session, ArrowIn) or not isinstance(session, ArrowOut):
            # The planner compares `needs` in kindling.json with the platform, so only a test comes here.
            msg = f"the platform {session.platform!r} does not exchange Arrow data"
            raise TypeError(msg)
        return MemoryStore(self, address, session, session, session)


class MemoryStore:
    """One entity.

    Args:
        storage: Where its rows are.
        address: Which entity.
        session: The task's session.
        source: The same session, as what takes Arrow data.
        target: The same session, as what hands Arrow data over.
    """

    def __init__(
        self, storage: MemoryStorage, address: Address, session: Session, source: ArrowIn, target: ArrowOut
    ) -> None:
        self._storage = storage
        self._address = address
        self._session = session
        self._source = source
        self._target = target
        self._entity = ".".join(address.parts)

    @property
    def _newest(self) -> Version | None:
        return self._storage.newest.get(self._address)

    def schema(self) -> Schema | None:
        """Return the stored columns; None before the first commit."""
        return self._newest.schema if self._newest else None

    def version(self) -> str | None:
        """Return the newest version; None before the first commit."""
        return self._newest.name if self._newest else None

    def read(self, request: ReadRequest) -> Frame:
        """Return the rows of the newest version, of the slice where one is given.

        Raises:
            StoreError: KDL-STORE-001, nothing was written yet; KDL-STORE-002, the version is not kept.
        """
        found = self._newest
        if found is None:
            raise StoreError(
                "KDL-STORE-001", f"{self._entity!r} does not exist", hint="run the pipe that makes it first"
            )
        if request.version not in (None, found.name):
            raise StoreError(
                "KDL-STORE-002",
                f"{self._entity!r} has no version {request.version!r}",
                why=f"only the newest is kept, {found.name!r}",
            )
        frame = self._source.from_arrow(found.rows, found.schema)
        if request.slice.kind != "interval":
            return frame
        at = f"CAST({quoted(request.column)} AS TIMESTAMP)"
        start, end = (f"CAST('{edge}' AS TIMESTAMP)" for edge in (request.slice.start, request.slice.end))
        return self._session.where(frame, f"{at} >= {start} AND {at} < {end}")

    def write(self, frame: Frame, request: WriteRequest) -> Commit:
        """Overwrite or append in one commit.

        Raises:
            StoreError: KDL-STORE-013, appended columns differ and `drift` is not `warn`.
        """
        rows = pa.table(self._target.to_arrow(frame)).cast(arrow_schema(request.schema))
        old, schema, stored = self._newest, request.schema, rows
        warnings: tuple[str, ...] = ()
        if old is not None and request.intent.name == "append":
            warnings = self._drift(old.schema, request)
            known = set(old.schema.fields)
            fitting = [field.name for field in request.schema.fields if field in known]
            schema = old.schema
            stored = pa.concat_tables([old.rows, rows.select(fitting)], promote_options="default")
        request.guard()
        name = str(int(old.name) + 1 if old else 1)
        self._storage.newest[self._address] = Version(name, schema, stored)
        return Commit(version=name, rows=len(rows), metrics={"rows_inserted": len(rows)}, warnings=warnings)

    def _drift(self, stored: Schema, request: WriteRequest) -> tuple[str, ...]:
        """Return a sentence about each column that only one side has, or that has another type."""
        differing = sorted({field.name for field in {*stored.fields} ^ {*request.schema.fields}})
        if differing and request.drift != "warn":
            raise StoreError(
                "KDL-STORE-013",
                f"the columns of {self._entity!r} differ: {', '.join(differing)}",
                why=f"stored: {stored.ddl()}; given: {request.schema.ddl()}",
                hint="change the pipe, or declare drift='warn'",
            )
        return tuple(f"column {name!r} was left out" for name in differing)
