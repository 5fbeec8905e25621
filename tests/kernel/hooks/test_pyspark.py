from __future__ import annotations

import datetime as dt
from decimal import Decimal
from types import SimpleNamespace

import pyarrow as pa
import pytest
from hypothesis import given
from hypothesis import strategies as st

from kindling.errors import EngineLostError, RunError
from kindling.hooks.platform import FrameApi, PathRead, PathWrite, SharedRef
from kindling.hooks.pyspark import (
    PysparkParts,
    PysparkSession,
    neutral_batches,
    nullable,
    rows_of,
)
from kindling.schemas import Field, Schema, quoted


class Type:
    def __init__(self, text: str) -> None:
        self.text = text

    def simpleString(self) -> str:  # noqa: N802  # pyspark's name
        return self.text


class TypedFrame:
    """A frame that can only be analysed; it counts how often that happens."""

    def __init__(self, **types: str) -> None:
        self.analysed = 0
        self._fields = [
            SimpleNamespace(name=name, dataType=Type(text), nullable=True) for name, text in types.items()
        ]

    @property
    def schema(self) -> SimpleNamespace:
        self.analysed += 1
        return SimpleNamespace(fields=self._fields)


def session(*features: str) -> PysparkSession:
    parts = PysparkParts("mine", "engine-1", frozenset(features), FrameApi(None, None, None), TypedFrame, "")
    return PysparkSession(None, parts)


def test_a_frame_is_analysed_once_and_its_types_become_neutral() -> None:
    frame = TypedFrame(a="bigint", b="struct<x:array<int>,y:varchar(3)>", c="void", d="map<string,void>")
    opened = session()
    expected = Schema.of(a="bigint", b="struct<x:array<int>,y:string>", c="string", d="map<string,string>")
    assert opened.schema(frame) == expected
    assert opened.schema(frame) == expected
    assert frame.analysed == 1


def test_a_struct_field_that_is_named_void_stays_a_field() -> None:
    assert session().schema(TypedFrame(a="struct<void:int>")).fields[0].type == "struct<void:int>"


def test_a_cast_to_the_same_schema_is_the_same_frame() -> None:
    frame = TypedFrame(a="bigint", b="string")
    assert session().cast(frame, Schema.of(a="bigint", b="string")) is frame


def test_a_missing_column_is_named() -> None:
    with pytest.raises(RunError) as caught:
        session().cast(TypedFrame(a="bigint"), Schema.of(a="bigint", amount="double", day="date"))
    assert str(caught.value).splitlines() == [
        "KDL-PORT-030: the frame has no column 'amount', 'day'",
        "  why: it has a",
        "  do: add the column in the pipe, or take it out of `schema=`",
    ]


def test_a_type_without_a_neutral_one_is_refused_with_a_way_out() -> None:
    with pytest.raises(RunError) as caught:
        session().schema(TypedFrame(span="interval day to second"))
    assert str(caught.value).splitlines() == [
        "KDL-PORT-031: the column 'span' has the type 'interval day to second'",
        "  why: no engine-neutral type holds it",
        "  do: cast it in the pipe, for example to a string: F.col('span').cast('string')",
    ]


def test_a_format_that_the_session_lacks_is_refused() -> None:
    with pytest.raises(RunError) as caught:
        session("paths").load(PathRead("delta", ("/lake/t",)))
    assert str(caught.value).splitlines() == [
        "KDL-PORT-032: the platform 'mine' does not offer the format 'delta'",
        "  why: its sessions read and write parquet",
    ]


@pytest.mark.parametrize(
    ("target", "why"),
    [
        (PathWrite("delta", "/t", "ignore"), "the mode 'ignore' is not one of append, overwrite, error"),
        (
            PathWrite("parquet", "/t", "append", user_metadata="x"),
            "parquet has neither commit metadata nor a stored schema",
        ),
        (
            PathWrite("delta", "/t", "append", overwrite_schema=True),
            "only an overwrite can replace the schema",
        ),
    ],
)
def test_writes_that_an_engine_would_ignore_in_part_are_refused(target: PathWrite, why: str) -> None:
    with pytest.raises(RunError) as caught:
        session("paths", "delta-native").save(TypedFrame(), target)
    assert str(caught.value).splitlines() == [
        "KDL-PORT-033: cannot write to '/t' like this",
        f"  why: {why}",
    ]


def test_a_shared_frame_of_another_engine_is_gone() -> None:
    with pytest.raises(EngineLostError) as caught:
        session("paths").attach(SharedRef("engine-0", "silver.orders"))
    assert str(caught.value).splitlines() == [
        "KDL-INFRA-011: the shared frame 'silver.orders' is gone",
        "  why: the engine that computed it was lost",
    ]


def test_no_rules_leave_a_frame_alone() -> None:
    frame = TypedFrame()
    assert session().fail_when(frame, {}) is frame


def test_only_its_own_frames_are_frames() -> None:
    assert session().is_frame(TypedFrame())
    assert not session().is_frame(object())


@given(st.text())
def test_a_quoted_name_can_be_read_back(name: str) -> None:
    text = quoted(name)
    assert text[0] == text[-1] == "`"
    assert text[1:-1].replace("``", "`") == name
    assert text[1:-1].replace("``", "").count("`") == 0


def test_nullability_is_dropped() -> None:
    assert nullable(Schema((Field("a", "int", nullable=False),))) == Schema.of(a="int")


def test_arrow_streams_are_brought_to_the_neutral_types() -> None:
    table = pa.table(
        {
            "name": pa.array(["a", None], pa.string_view()),
            "count": pa.array([1, 2], pa.uint32()),
            "kind": pa.array(["x", "x"]).dictionary_encode(),
            "at": pa.array([0, 1_000], pa.timestamp("ns", "UTC")),
            "other": [1, 2],
        }
    )
    schema = Schema.of(kind="string", name="string", count="bigint", at="timestamp")
    made = pa.Table.from_batches(list(neutral_batches(table, schema)))
    assert made.schema.names == ["kind", "name", "count", "at"]
    assert [str(kind) for kind in made.schema.types] == ["string", "string", "int64", "timestamp[us, tz=UTC]"]
    assert made.column("name").to_pylist() == ["a", None]


def test_a_value_that_does_not_fit_is_an_error() -> None:
    with pytest.raises(pa.ArrowInvalid, match="not in range"):
        list(neutral_batches(pa.table({"a": [2**40]}), Schema.of(a="int")))


def test_rows_hold_python_values_and_aware_instants() -> None:
    instant = dt.datetime(2013, 1, 1, 5, tzinfo=dt.timezone.utc)
    table = pa.table(
        {
            "t": pa.array([instant], pa.timestamp("us", "Etc/UTC")),
            "m": pa.array([[("a", 1)]], pa.map_(pa.string(), pa.int64())),
            "d": pa.array([Decimal("1.20")], pa.decimal128(10, 2)),
        }
    )
    rows = rows_of(table)
    assert rows.columns == ("t", "m", "d")
    assert rows.rows == ((instant, {"a": 1}, Decimal("1.20")),)
    assert rows_of(table.slice(0, 0)).rows == ()
