"""One Parquet file and one small JSON file for each commit; the JSON file is written last."""

from __future__ import annotations

import json
from pathlib import Path

import polars as pl
import pyarrow as pa

from kindling.addresses import Address
from kindling.errors import StoreError
from kindling.hooks import Frame
from kindling.hooks.arrow import arrow_schema
from kindling.hooks.platform import Session
from kindling.hooks.storage import Commit, ReadRequest, WriteRequest
from kindling.schemas import Schema, parse_schema, quoted
from kindling_plugin_heavy import probe


class ParquetStorage:
    """All entities."""

    def open(self, address: Address, session: Session) -> ParquetStore:
        """Return the entity's store."""
        return ParquetStore(address, session)


class ParquetStore:
    """One entity."""

    def __init__(self, address: Address, session: Session) -> None:
        self.address = address
        self.session = session
        self.folder = Path(address.uri)
        self.entity = ".".join(address.parts)

    def version(self) -> str | None:
        """Return the newest version."""
        return probe.version(self.address)

    def schema(self) -> Schema | None:
        """Return the stored columns."""
        found = self.version()
        return self._schema(found) if found else None

    def read(self, request: ReadRequest) -> Frame:
        """Return the rows of the newest version."""
        found = self.version()
        if found is None:
            raise StoreError("KDL-STORE-001", f"{self.entity!r} does not exist", hint="run its pipe first")
        if request.version not in (None, found):
            raise StoreError("KDL-STORE-002", f"{self.entity!r} has no version {request.version!r}")
        frame = self.session.from_arrow(self._rows(found), self._schema(found))
        if request.slice.kind != "interval":
            return frame
        at = f"CAST({quoted(request.column)} AS TIMESTAMP)"
        start, end = (f"CAST('{edge}' AS TIMESTAMP)" for edge in (request.slice.start, request.slice.end))
        return self.session.where(frame, f"{at} >= {start} AND {at} < {end}")

    def write(self, frame: Frame, request: WriteRequest) -> Commit:
        """Overwrite or append in one commit."""
        rows = pa.table(self.session.to_arrow(frame)).cast(arrow_schema(request.schema))
        old, schema, stored = self.version(), request.schema, rows
        warnings: tuple[str, ...] = ()
        if old is not None and request.intent.name == "append":
            schema = self._schema(old)
            warnings = self._drift(schema, request)
            names = [field.name for field in request.schema.fields if field in set(schema.fields)]
            stored = pa.concat_tables([self._rows(old), rows.select(names)], promote_options="default")
        number = str(int(old) + 1 if old else 1)
        self.folder.mkdir(parents=True, exist_ok=True)
        pl.from_arrow(stored).write_parquet(self.folder / f"{number}.parquet")
        request.guard()
        waiting = self.folder / f"{number}.waiting"
        waiting.write_text(json.dumps({"ddl": schema.ddl()}), encoding="utf-8")
        waiting.replace(self.folder / f"{number}.json")
        return Commit(version=number, rows=len(rows), metrics={"rows_inserted": len(rows)}, warnings=warnings)

    def _rows(self, version: str) -> pa.Table:
        stored = pl.read_parquet(self.folder / f"{version}.parquet").to_arrow()
        return stored.cast(arrow_schema(self._schema(version)))

    def _schema(self, version: str) -> Schema:
        text = (self.folder / f"{version}.json").read_text(encoding="utf-8")
        return parse_schema(json.loads(text)["ddl"])

    def _drift(self, stored: Schema, request: WriteRequest) -> tuple[str, ...]:
        differing = sorted({field.name for field in {*stored.fields} ^ {*request.schema.fields}})
        if differing and request.drift != "warn":
            raise StoreError(
                "KDL-STORE-013", f"the columns of {self.entity!r} differ: {', '.join(differing)}"
            )
        return tuple(f"column {name!r} was left out" for name in differing)
