from __future__ import annotations

import itertools
import threading
from collections.abc import Iterator

import pyarrow as pa
import pytest
from deltalake import DeltaTable, write_deltalake
from kindling_plugin_delta.pump import pumped
from kindling_plugin_delta.streams import Incoming, Outgoing

from kindling.errors import StoreError
from kindling.intents import overwrite, scd2
from kindling.schemas import Schema
from kindling.testing.rows import arrow_rows
from kindling.testing.storage_fixtures import MOMENTS, Place

SCHEMA = Schema.of(k="bigint", v="string")


def test_a_stream_that_reads_a_table_may_be_written_to_a_table(over_arrow: Place) -> None:
    over_arrow.write(overwrite(), [(1, "a"), (2, "b")])
    target = DeltaTable(over_arrow.address.uri)
    lazy = Outgoing(Incoming(target.scan, Schema.of(k="int", v="string")), SCHEMA, guard=lambda: None)
    write_deltalake(f"{over_arrow.address.uri}-copy", lazy.reader())
    assert DeltaTable(f"{over_arrow.address.uri}-copy").count() == 2


def test_an_incoming_stream_is_opened_for_each_use() -> None:
    opened = []

    def stream() -> pa.Table:
        opened.append(1)
        return pa.table({"k": pa.array([1], pa.int32()), "v": pa.array(["a"], pa.string_view())})

    incoming = Incoming(stream, SCHEMA)
    assert [arrow_rows(pa.table(incoming)), arrow_rows(pa.table(incoming))] == [[(1, "a")]] * 2
    assert pa.table(incoming).schema.types == [pa.int64(), pa.string()]
    assert len(opened) == 3


def test_the_guard_is_called_after_the_last_row() -> None:
    seen: list[object] = []

    def guard() -> None:
        seen.append("guard")

    flow = Outgoing(
        pa.table({"k": [1], "v": ["a"]}), SCHEMA, guard, watch=lambda batch: seen.append(len(batch))
    )
    flow.reader().read_all()
    assert seen == [1, "guard"]


def test_an_error_in_the_stream_reaches_the_reader_and_ends_the_thread() -> None:
    schema = pa.schema([("k", pa.int64())])

    def broken() -> Iterator[pa.RecordBatch]:
        yield pa.record_batch([[1]], schema=schema)
        msg = "broken source"
        raise ValueError(msg)

    with pytest.raises(Exception, match="broken source"):
        list(pumped(pa.RecordBatchReader.from_batches(schema, broken())))


def test_a_reader_that_stops_early_leaves_no_thread_behind() -> None:
    schema = pa.schema([("k", pa.int64())])
    endless = pa.RecordBatchReader.from_batches(
        schema, iter(lambda: pa.record_batch([[1]], schema=schema), None)
    )
    reading = pumped(endless)
    next(reading)
    threads = [thread for thread in threading.enumerate() if thread.name == "kindling-delta"]
    reading.close()  # type: ignore[attr-defined]  # a generator
    for thread in threads:
        thread.join(timeout=5)
    assert not any(thread.is_alive() for thread in threads)


def test_a_history_is_compared_in_a_stream(over_arrow: Place) -> None:
    lazy = type(over_arrow.session)

    class Streaming(lazy):  # type: ignore[misc,valid-type]  # gives readers in place of tables, as DuckDB does
        def to_arrow(self, frame: object) -> pa.RecordBatchReader:
            table = super().to_arrow(frame)
            return pa.RecordBatchReader.from_batches(table.schema, iter(table.to_batches()))

    over_arrow.session.__class__ = Streaming
    over_arrow.write(scd2(on=["k"]), [(1, "a"), (2, "b")], moment=MOMENTS[0])
    over_arrow.write(scd2(on=["k"]), [(1, "A"), (2, "b")], moment=MOMENTS[1])
    found = arrow_rows(over_arrow.session.to_arrow(over_arrow.read()).read_all())
    assert sorted(row[:2] for row in found) == [(1, "A"), (1, "a"), (2, "b")]


def test_a_refused_row_frees_the_source_before_the_error_is_seen() -> None:
    schema = pa.schema([("n", pa.int64())])
    endless = (pa.RecordBatch.from_pydict({"n": [n]}, schema=schema) for n in itertools.count())

    def refuse(batch: pa.RecordBatch) -> None:
        raise StoreError("KDL-STORE-010", "a row is refused")

    source = pa.RecordBatchReader.from_batches(schema, endless)
    flow = Outgoing(source, Schema.of(n="bigint"), lambda: None, refuse)
    with pytest.raises(StoreError, match="a row is refused"):
        flow.reader().read_next_batch()
    assert not [thread for thread in threading.enumerate() if thread.name == "kindling-delta"]
    assert isinstance(flow.error, StoreError)
