"""One task's session on a Spark Connect server: views, settings and operations of its own."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

from kindling.hooks import Frame
from kindling.hooks.arrow import arrow_schema
from kindling.hooks.platform import SharedRef
from kindling.hooks.pyspark import PysparkParts, neutral_batches
from kindling.hooks.pyspark_connect import PysparkConnectSession
from kindling.schemas import Schema

if TYPE_CHECKING:
    from kindling_plugin_spark.connect import ConnectPlatform
    from kindling_plugin_spark.wire import Wire


class ConnectSession(PysparkConnectSession):
    """Plans are built here and analysed by the server.

    Attributes:
        wire: What passes between it and the server.
        pool: The scheduler pool of its jobs.
    """

    def __init__(
        self,
        spark: Any,  # noqa: ANN401  # untyped pyspark
        parts: PysparkParts,
        *,
        wire: Wire,
        pool: str,
        owner: ConnectPlatform,
    ) -> None:
        super().__init__(spark, parts)
        self.wire = wire
        self.pool = pool
        self._owner = owner

    def sql(self, text: str, frames: Mapping[str, Frame]) -> Frame:
        """Return the result of a query; the frames travel inside of its plan, no view is made."""
        from pyspark.sql.connect import plan
        from pyspark.sql.connect.dataframe import DataFrame

        views = [plan.SubqueryAlias(self._frame(frame)._plan, name) for name, frame in frames.items()]  # noqa: SLF001  # pyspark 4.2
        return DataFrame(plan.SQL(text, None, None, views), self.spark)

    def from_arrow(self, stream: object, schema: Schema) -> Frame:
        """Return a frame of Arrow data with exactly this schema; it travels to the server in chunks."""
        import pyarrow as pa

        table = pa.Table.from_batches(list(neutral_batches(stream, schema)), arrow_schema(schema))
        # As text, which the server parses: pyspark's own parser is the one of a JVM in this process.
        return self.spark.createDataFrame(table if table.num_rows else [], schema=schema.ddl())

    def share(self, frame: Frame, name: str) -> SharedRef:
        """Compute a frame once; other sessions read it from scratch Parquet, or from the server's memory.

        A server somewhere else does not see this worker's scratch folder, so there the rows stay on it,
        behind a global temporary view, until the platform is closed.
        """
        if self.wire.server.is_own:
            return super().share(frame, name)
        exact: Any = self.cast(frame, self.schema(frame))
        view = self._owner.shared_view(name)
        exact.createOrReplaceGlobalTempView(view)
        self.execute(f"CACHE TABLE global_temp.{view}")  # at once, and for all sessions of the server
        return SharedRef(self.engine, name)

    def attach(self, ref: SharedRef) -> Frame:
        """Return a shared frame in this session.

        Raises:
            EngineLostError: KDL-INFRA-011, the server that computed it is gone.
        """
        if self.wire.server.is_own or ref.engine != self.engine:
            return super().attach(ref)
        return self.spark.table(f"global_temp.{self._owner.shared_view(ref.name)}")

    def _release(self) -> None:
        self._owner.release(self)
