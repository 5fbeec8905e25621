"""One task's session on the JVM: a `newSession` with its own views, settings and job group."""

from __future__ import annotations

import threading
from contextlib import contextmanager
from typing import TYPE_CHECKING, Any

from kindling.errors import RunError
from kindling.hooks import Frame
from kindling.hooks.arrow import arrow_schema
from kindling.hooks.platform import PathWrite, Rows
from kindling.hooks.pyspark import PysparkParts, PysparkSession, neutral_batches
from kindling.schemas import Schema

if TYPE_CHECKING:
    from collections.abc import Iterator

    import pyarrow as pa

    from kindling_plugin_spark.platform import SparkPlatform


class SparkSession(PysparkSession):
    """A classic session; plans are analysed at once and in this process."""

    def __init__(
        self,
        spark: Any,  # noqa: ANN401  # untyped pyspark
        parts: PysparkParts,
        *,
        tag: str,
        group: str,
        pool: str,
        owner: SparkPlatform,
    ) -> None:
        super().__init__(spark, parts)
        self.tag = tag
        self.group = group
        self.pool = pool
        self._owner = owner
        self._closed = False
        self.is_cancelled = False
        self._working = 0
        self._lock = threading.Lock()

    @property
    def is_busy(self) -> bool:
        """Tell whether a call of this session computes something; a pipe's own actions are not seen."""
        return self._working > 0

    def from_arrow(self, stream: object, schema: Schema) -> Frame:
        """Return a frame of Arrow data with exactly this schema."""
        import pyarrow as pa

        types: Any = self.frames.types
        table = pa.Table.from_batches(list(neutral_batches(stream, schema)), arrow_schema(schema))
        struct = types.StructType.fromDDL(schema.ddl())
        if not table.num_rows:  # pyspark cannot read a table without a batch
            return self.spark.createDataFrame([], schema=struct)
        return self.spark.createDataFrame(table, schema=struct)

    def save(self, frame: Frame, target: PathWrite) -> None:
        """Compute a frame and write it, as a job of this session whichever thread calls."""
        with self._work():
            super().save(frame, target)

    def execute(self, statement: str) -> Rows:
        """Run one statement, as a job of this session whichever thread calls."""
        with self._work():
            return super().execute(statement)

    def close(self) -> None:
        """Drop the session's views. Idempotent."""
        if self._closed:
            return
        self._closed = True
        super().close()
        self._owner.release(self)

    def _table(self, frame: Frame) -> pa.Table:
        with self._work():
            return super()._table(frame)

    @contextmanager
    def _work(self) -> Iterator[None]:
        if self.is_cancelled:
            raise RunError(
                "KDL-INFRA-303", f"the session {self.tag!r} was cancelled", hint="open another session"
            )
        self._owner.mark(self)
        with self._lock:
            self._working += 1
        try:
            yield
        finally:
            with self._lock:
                self._working -= 1
