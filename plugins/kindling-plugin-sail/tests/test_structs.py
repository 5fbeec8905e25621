"""Below a null struct every field is null, however deep."""

from __future__ import annotations

import pyarrow as pa
from kindling_plugin_sail.session import SailSession
from kindling_plugin_sail.structs import masked

from kindling.schemas import parse_schema

INNER = pa.struct([("y", pa.int32()), ("z", pa.string())])
KIND = pa.struct([("x", pa.int32()), ("s", INNER)])


def batch(kind: pa.DataType, rows: list[object]) -> pa.RecordBatch:
    return pa.RecordBatch.from_arrays([pa.array(rows, kind)], names=["v"])


def test_fields_of_a_null_struct_are_null() -> None:
    made = masked(batch(KIND, [None, {"x": 1, "s": None}]))
    outer = made.column(0)
    assert outer.field(0).to_pylist() == [None, 1]
    assert outer.field(1).field(0).to_pylist() == [None, None]


def test_structs_inside_of_lists_are_reached() -> None:
    rows = [[None, {"x": 1, "s": {"y": 2, "z": "a"}}], None, []]
    made = masked(batch(pa.list_(KIND), rows))
    assert made.column(0).to_pylist() == rows
    assert made.column(0).values.field(0).to_pylist() == [None, 1]


def test_rows_stay_the_same_and_flat_batches_are_not_copied() -> None:
    rows = [{"x": 1, "s": {"y": None, "z": "q"}}, None, {"x": None, "s": None}]
    assert masked(batch(KIND, rows)).column(0).to_pylist() == rows
    flat = batch(pa.int32(), [1, None])
    assert masked(flat) is flat


def test_a_field_of_a_null_struct_is_null_on_the_engine(session: SailSession) -> None:
    schema = parse_schema("v struct<x:int,s:struct<y:int,z:string>>")
    frame = session.from_arrow(pa.Table.from_batches([batch(KIND, [None])]), schema)
    found = session.preview(session.select(frame, [("a", "v.x"), ("b", "v.s.z")]), 1)
    assert found.rows == ((None, None),)
