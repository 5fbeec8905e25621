"""A session over PySpark's Connect client: what Sail and Spark Connect do alike, unlike classic Spark."""

from __future__ import annotations

from abc import abstractmethod
from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

from kindling.hooks import Frame
from kindling.hooks.pyspark import PysparkParts, PysparkSession

if TYPE_CHECKING:
    import pyarrow as pa

    from kindling.lineage import ColumnLineage


class PysparkConnectSession(PysparkSession):
    """A `PysparkSession` whose plans are built in this process and analysed by a server; also Traces."""

    def __init__(self, spark: Any, parts: PysparkParts) -> None:  # noqa: ANN401  # untyped pyspark
        super().__init__(spark, parts)
        self._closed = False

    def lineage(self, frame: Frame, inputs: Mapping[str, Frame]) -> ColumnLineage | None:
        """Return what the columns of a frame come from, read off the plan that the client made."""
        from kindling.hooks.connect_traces import lineage

        return lineage(self._frame(frame), inputs, lambda one: self.schema(one).names)

    def close(self) -> None:
        """Give the session back to its platform; no waiting for a server that is gone. Idempotent."""
        if self._closed:
            return
        self._closed = True
        super().close()
        self._release()

    @abstractmethod
    def _release(self) -> None:
        """Give the session back to its platform; called once."""

    def _table(self, frame: Frame) -> pa.Table:
        # `toArrow` asks for the schema once more, and casts timestamp_ntz wrongly: this is its inside.
        table: pa.Table = self._frame(frame)._to_table()[0]  # noqa: SLF001  # pyspark 4.2
        return table

    def _struct(self, frame: Frame) -> Any:  # noqa: ANN401  # a StructType
        return self._frame(frame)._schema  # noqa: SLF001  # `schema` copies it by pickling, each time
