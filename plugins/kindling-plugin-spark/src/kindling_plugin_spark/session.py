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
from kindling.schemas import Field, Schema

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

    import pyarrow as pa

    from kindling.lineage import ColumnLineage
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

    def lineage(self, frame: Frame, inputs: Mapping[str, Frame]) -> ColumnLineage | None:
        """Return what the columns of a frame come from, read off Spark's analysed plan."""
        from kindling_plugin_spark import analysed

        given = ((self._analysed(one), entity, self.schema(one).names) for entity, one in inputs.items())
        return analysed.lineage(self._analysed(frame), self.schema(frame).names, given)

    def _analysed(self, frame: Frame) -> Any:  # noqa: ANN401  # a JVM object
        return self._frame(frame)._jdf.queryExecution().analyzed()  # noqa: SLF001  # pyspark 4.2

    def close(self) -> None:
        """Drop the session's views and keys. Idempotent."""
        if self._closed:
            return
        self.drop_keys()
        self._closed = True
        super().close()
        self._owner.release(self)

    def _key_row(self, keys: Mapping[str, bytes]) -> Frame:
        """Return one row of keys that Spark holds as blocks in memory, until they are taken from it.

        A frame's plan holds what a view stands for, so dropping a view would leave the keys in it.
        """
        jvm, gateway = self.spark._jvm, self.spark._sc._gateway  # noqa: SLF001  # pyspark 4.2
        values = gateway.new_array(jvm.java.lang.Object, len(keys))
        for place, value in enumerate(keys.values()):
            values[place] = bytearray(value)
        rows = jvm.java.util.ArrayList()
        rows.add(jvm.org.apache.spark.sql.RowFactory.create(values))
        types = Schema(tuple(Field(name, "binary") for name in keys)).ddl()
        struct = jvm.org.apache.spark.sql.types.StructType.fromDDL(types)
        with self._work():
            held = self.spark._jsparkSession.createDataFrame(rows, struct).localCheckpoint(True)  # noqa: SLF001  # eager
        self._keys.append(held)
        made: Frame = self.parts.frame_class(held, self.spark)
        return self._functions.broadcast(made)  # of blocks, Spark does not know how few they are

    def _drop_key_row(self, key: Any) -> None:  # noqa: ANN401  # a JVM frame
        key.queryExecution().analyzed().rdd().unpersist(True)  # now

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
