"""Rows of keys on a PySpark session: expressions name their columns, no plan holds their values."""

from __future__ import annotations

import uuid
from abc import abstractmethod
from collections.abc import Mapping, Sequence
from struct import pack
from typing import TYPE_CHECKING, Any

from kindling.hooks import Frame
from kindling.hooks.arrow import arrow_schema
from kindling.schemas import Field, Schema

if TYPE_CHECKING:
    import pyarrow as pa


class KeyRows:
    """Implements Keys by temporary views, which engines look up whenever a frame is computed.

    Where plans hold what a view holds, as on classic Spark, a session overrides the underscored methods.
    """

    spark: Any
    _keys: list[object]

    @abstractmethod
    def select(self, frame: Frame, columns: Sequence[tuple[str, str]]) -> Frame:
        """As `Session.select`."""

    @abstractmethod
    def from_arrow(self, stream: object, schema: Schema) -> Frame:
        """As `ArrowIn.from_arrow`."""

    def select_with_keys(
        self, frame: Frame, columns: Sequence[tuple[str, str]], keys: Mapping[str, bytes]
    ) -> Frame:
        """Return `(alias, expression)` pairs over the frame and one row of keys, lazily; one request."""
        row: Any = self._key_row(keys)
        return self.select(row.crossJoin(frame), columns)  # Sail keeps the left side in memory

    def drop_keys(self) -> None:
        """Drop the rows of keys: frames that need them can be computed no more. Idempotent."""
        while self._keys:
            self._drop_key_row(self._keys[-1])
            self._keys.pop()

    def _key_row(self, keys: Mapping[str, bytes]) -> Frame:
        """Return one row of keys; only the request that makes its view holds them."""
        import pyarrow as pa

        schema = Schema(tuple(Field(name, "binary") for name in keys))
        columns = [_one_value(value) for value in keys.values()]
        row: Any = self.from_arrow(pa.Table.from_arrays(columns, schema=arrow_schema(schema)), schema)
        name = f"kdl_{uuid.uuid4().hex}"
        row.createOrReplaceTempView(name)
        self._keys.append(name)
        return self.spark.table(name)

    def _drop_key_row(self, key: object) -> None:
        self.spark.catalog.dropTempView(key)


def _one_value(value: bytes) -> pa.Array:
    """Return an array of one value, made of buffers: `pyarrow.array` would import pandas for it."""
    import pyarrow as pa

    ends = pa.py_buffer(pack("=ii", 0, len(value)))
    return pa.Array.from_buffers(pa.binary(), 1, [None, ends, pa.py_buffer(value)])
