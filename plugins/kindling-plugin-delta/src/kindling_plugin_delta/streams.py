"""Arrow streams between sessions and tables: checked on the way, never held as a whole.

Not a reader or writer of tables: `outgoing` feeds deltalake, `Incoming` feeds a session.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator
from contextlib import closing
from dataclasses import dataclass, field

import pyarrow as pa

from kindling.errors import StoreError
from kindling.hooks.arrow import arrow_schema
from kindling.schemas import Schema
from kindling_plugin_delta.pump import pumped

Batches = Iterator[pa.RecordBatch]


def _ignore(_batch: pa.RecordBatch) -> None:
    """Stand in for a watcher."""


@dataclass
class Outgoing:
    """Rows on their way into a table: a stream that is read once.

    Attributes:
        source: What the session gave: anything with `__arrow_c_stream__`.
        schema: The columns to deliver, in order; the source has the same names in the same order.
        guard: Called after the last row, before the commit: raising stops the commit.
        watch: Called with each batch; raising stops the write.
        finish: Called after the last row, may add rows.
        error: What a check raised. Arrow carries only its text through the library.
    """

    source: object
    schema: Schema
    guard: Callable[[], None]
    watch: Callable[[pa.RecordBatch], None] = _ignore
    finish: Callable[[], Batches] = lambda: iter(())
    shape: Callable[[pa.RecordBatch], Batches] = lambda batch: iter((batch,))
    delivered: pa.Schema | None = None
    error: BaseException | None = field(default=None, init=False)

    def reader(self) -> pa.RecordBatchReader:
        """Return the stream; its schema is `delivered`, or that of `schema`."""
        return pa.RecordBatchReader.from_batches(self.delivered or arrow_schema(self.schema), self._batches())

    def _batches(self) -> Batches:
        try:
            # Closed here and not when the error that keeps this frame alive is forgotten.
            with closing(pumped(self.source)) as batches:
                for batch in cast_batches(batches, self.schema):
                    self.watch(batch)
                    yield from self.shape(batch)
            yield from self.finish()
            self.guard()
        except BaseException as error:
            self.error = error
            raise


def cast_batches(batches: Iterable[pa.RecordBatch], schema: Schema) -> Batches:
    """Yield batches with exactly the types of a schema; columns are taken by position.

    Raises:
        StoreError: KDL-STORE-109, a column that must not be null has a null.
    """
    target = arrow_schema(schema)
    for batch in batches:
        if batch.num_rows == 0:
            continue
        columns = [
            column if column.type == part.type else column.cast(part.type)
            for column, part in zip(batch.columns, target, strict=True)
        ]
        _refuse_nulls(columns, schema)
        yield pa.RecordBatch.from_arrays(columns, schema=target)


def _refuse_nulls(columns: list[pa.Array], schema: Schema) -> None:
    for column, part in zip(columns, schema.fields, strict=True):
        if not part.nullable and column.null_count:
            raise StoreError(
                "KDL-STORE-109",
                f"column {part.name!r} must not be null, but {column.null_count} of its rows are",
                hint="leave rows without it out, or declare the column as nullable",
                column=part.name,
            )


class Incoming:
    """Rows on their way into a session: each use opens the stream again, so a frame may be read twice.

    Attributes:
        open_stream: Makes a fresh stream.
        schema: The columns that are delivered.
    """

    def __init__(self, open_stream: Callable[[], object], schema: Schema) -> None:
        self.open_stream = open_stream
        self.schema = schema

    def __arrow_c_stream__(self, requested_schema: object | None = None) -> object:
        """Return the capsule of a fresh stream. Source: Arrow PyCapsule interface."""
        batches = cast_batches(pa.RecordBatchReader.from_stream(self.open_stream()), self.schema)
        reader = pa.RecordBatchReader.from_batches(arrow_schema(self.schema), batches)
        return reader.__arrow_c_stream__(requested_schema)
