from __future__ import annotations

import pyarrow as pa
import pytest
from hypothesis import given
from hypothesis import strategies as st

from kindling.errors import StoreError
from kindling.hooks.arrow import arrow_schema, arrow_type, neutral_schema, neutral_type
from kindling.schemas import ATOMS, Field, Schema, canonical_type, is_field_name

decimals = st.integers(1, 38).flatmap(
    lambda digits: st.integers(0, digits).map(lambda scale: f"decimal({digits},{scale})")
)
names = st.text("abC_ 1é", min_size=1, max_size=3).map(str.strip).filter(is_field_name)


def nested(inner: st.SearchStrategy[str]) -> st.SearchStrategy[str]:
    fields = st.lists(st.tuples(names, inner), min_size=1, max_size=3)
    return st.one_of(
        inner.map(lambda item: f"array<{item}>"),
        st.tuples(inner, inner).map(lambda pair: f"map<{pair[0]},{pair[1]}>"),
        fields.map(lambda pairs: f"struct<{','.join(f'{name}:{kind}' for name, kind in pairs)}>"),
    )


types = st.recursive(st.sampled_from(ATOMS) | decimals, nested, max_leaves=5)


@given(types)
def test_every_neutral_type_survives_the_way_through_arrow(neutral: str) -> None:
    assert neutral_type(arrow_type(neutral)) == neutral
    assert canonical_type(neutral_type(arrow_type(neutral))) == neutral


@given(st.lists(st.tuples(st.text(max_size=4), types, st.booleans()), max_size=3))
def test_a_schema_survives_the_way_through_arrow(columns: list[tuple[str, str, bool]]) -> None:
    schema = Schema(tuple(Field(*column) for column in columns))
    assert neutral_schema(arrow_schema(schema)) == schema


@pytest.mark.parametrize(
    ("arrow", "neutral"),
    [
        (pa.uint8(), "smallint"),
        (pa.uint16(), "int"),
        (pa.uint32(), "bigint"),
        (pa.uint64(), "decimal(20,0)"),
        (pa.float16(), "float"),
        (pa.null(), "string"),
        (pa.large_string(), "string"),
        (pa.string_view(), "string"),
        (pa.large_binary(), "binary"),
        (pa.binary(16), "binary"),
        (pa.date64(), "date"),
        (pa.timestamp("ns", tz="Europe/Prague"), "timestamp"),
        (pa.timestamp("s"), "timestamp_ntz"),
        (pa.decimal256(38, 2), "decimal(38,2)"),
        (pa.dictionary(pa.int8(), pa.string()), "string"),
        (pa.large_list(pa.int32()), "array<int>"),
        (pa.list_view(pa.int32()), "array<int>"),
        (pa.list_(pa.float32(), 3), "array<float>"),
    ],
)
def test_other_arrow_types_become_the_nearest_that_holds_them(arrow: pa.DataType, neutral: str) -> None:
    assert neutral_type(arrow) == neutral


@pytest.mark.parametrize(
    ("arrow", "shown"),
    [
        (pa.duration("us"), "duration[us]"),
        (pa.time64("us"), "time64[us]"),
        (pa.decimal256(50, 2), "decimal256(50, 2)"),
        (pa.decimal128(5, -2), "decimal128(5, -2)"),
        (pa.map_(pa.string(), pa.duration("s")), "duration[s]"),
        (pa.struct([("a,b", pa.int32())]), "struct<a,b: int32>"),
    ],
)
def test_a_type_that_nothing_holds_is_refused_with_its_column(arrow: pa.DataType, shown: str) -> None:
    with pytest.raises(StoreError) as error:
        neutral_schema(pa.schema([("price", arrow)]))
    assert str(error.value) == (
        f"KDL-STORE-020: column 'price' has the type {shown}\n  why: no engine-neutral type holds it"
    )
