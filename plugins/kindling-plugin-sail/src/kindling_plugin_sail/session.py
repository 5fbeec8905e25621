"""One task's session on the engine: what Sail and Spark Connect do differently from plain PySpark."""

from __future__ import annotations

import uuid
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Any

from kindling.errors import StoreError
from kindling.hooks import Frame
from kindling.hooks.arrow import arrow_schema
from kindling.hooks.platform import PathRead, Rows
from kindling.hooks.pyspark import PysparkParts, neutral_batches, rows_of
from kindling.hooks.pyspark_connect import PysparkConnectSession
from kindling.schemas import Schema
from kindling_plugin_sail.structs import masked
from kindling_plugin_sail.traces import is_plain_sql

if TYPE_CHECKING:
    import pyarrow as pa

    from kindling_plugin_sail.channel import Wire
    from kindling_plugin_sail.client import Client
    from kindling_plugin_sail.platform import SailPlatform
    from kindling_plugin_sail.pool import Idle

INLINE_BYTES = 65_536
"""Arrow data up to this size travels inside of requests, larger data through a file: 50 MB take 0.5 to
0.8 s inside (and again for each analysis; 128 MB is the most), 0.3 s by file (Sail 0.7.2)."""


class SailSession(PysparkConnectSession):
    """A Connect session that no other task uses meanwhile, so temporary views are its own too.

    Attributes:
        wire: What passes between it and the engine.
        place: The session on the engine, for the next task if this one leaves nothing behind.
    """

    def __init__(
        self,
        spark: Any,  # noqa: ANN401  # untyped pyspark
        parts: PysparkParts,
        *,
        wire: Wire,
        client: Client,
        owner: SailPlatform,
        place: Idle,
    ) -> None:
        super().__init__(spark, parts)
        self.wire = wire
        self.place = place
        self._client = client
        self._owner = owner

    def sql(self, text: str, frames: Mapping[str, Frame]) -> Frame:
        """Return the result of a query; the frames travel inside of its plan, no view is made."""
        self.wire.is_clean = self.wire.is_clean and is_plain_sql(text)
        plan = self._client.plan
        views = [plan.SubqueryAlias(self._frame(frame)._plan, name) for name, frame in frames.items()]  # noqa: SLF001  # pyspark 4.2
        return self._made(plan.SQL(text, None, None, views))

    def from_arrow(self, stream: object, schema: Schema) -> Frame:
        """Return a frame of Arrow data with exactly this schema; memory use is one batch."""
        import pyarrow as pa

        small: list[pa.RecordBatch] = []
        batches = (masked(batch) for batch in neutral_batches(stream, schema))
        for batch in batches:
            small.append(batch)
            if sum(part.nbytes for part in small) > INLINE_BYTES:
                break
        else:
            table = pa.Table.from_batches(small, arrow_schema(schema))
            if table.num_rows:
                return self._known(self._made(self._client.plan.LocalRelation(table)), schema)
        return self._known(self._by_file(_chained(small, batches), arrow_schema(schema)), schema)

    def load(self, source: PathRead) -> Frame:
        """Return files or a table, lazily; a missing local path is an error, not an empty frame.

        Raises:
            StoreError: KDL-STORE-001, a local path does not exist.
        """
        for uri in source.uris:
            path = uri.removeprefix("file://")
            is_local = "://" not in path and not any(sign in path for sign in "*?[{")
            if is_local and not Path(path).exists():
                raise StoreError("KDL-STORE-001", f"there is nothing at {uri!r}")
        return super().load(source)

    def execute(self, statement: str) -> Rows:
        """Run one statement; one request, because its result travels with the answer.

        The engine's result row of DML, `count`, is not the number of affected rows.
        """
        import pyarrow as pa

        plan = self._client.plan
        command = plan.SQL(statement, None, None, []).command(self.spark.client)
        _, properties, _ = self.spark.client.execute_command(command)
        relation = properties.get("sql_command_result")
        if relation is None:
            return Rows((), ())
        if relation.WhichOneof("rel_type") == "local_relation" and relation.local_relation.data:
            with pa.ipc.open_stream(relation.local_relation.data) as reader:
                return rows_of(reader.read_all())
        return self._rows(self._made(plan.CachedRelation(relation)))

    def _release(self) -> None:
        self._owner.release(self)

    def _made(self, plan: Any) -> Frame:  # noqa: ANN401  # a plan of pyspark 4.2
        return self._client.frame(plan, self.spark)

    def _known(self, frame: Frame, schema: Schema) -> Frame:
        self._remember(frame, schema)
        return frame

    def _by_file(self, batches: Iterator[pa.RecordBatch], schema: pa.Schema) -> Frame:
        import pyarrow as pa

        folder = Path(self.parts.work_dir, "arrow")
        folder.mkdir(parents=True, exist_ok=True)
        path = str(folder / f"{uuid.uuid4().hex}.arrow")
        with pa.OSFile(path, "wb") as sink, pa.ipc.new_file(sink, schema) as writer:
            for batch in batches:
                writer.write_batch(batch)
        return self.spark.read.format("arrow").load(path)


def _chained(first: list[pa.RecordBatch], rest: Iterator[pa.RecordBatch]) -> Iterator[pa.RecordBatch]:
    yield from first
    yield from rest
