from __future__ import annotations

import pyarrow as pa
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from kindling_plugin_files.badvalues import _converts, bad_values

LETTERS = st.text("0123456789+-.eExXaAfFnN :TZ/", max_size=12)
KINDS = [
    pa.int8(),
    pa.int64(),
    pa.float64(),
    pa.decimal128(6, 2),
    pa.date32(),
    pa.timestamp("us"),
    pa.timestamp("us", tz="UTC"),
    pa.bool_(),
]


@pytest.mark.parametrize("kind", KINDS, ids=str)
def test_bad_values_are_exactly_those_that_pyarrow_refuses(kind: pa.DataType) -> None:
    known = ["1", "-7", "+3", " 4 ", "1.5", ".5", "5.", "1e3", "nan", "-inf", "Infinity", "0x1F", "true", "T"]
    known += ["2013-01-01", " 2013-01-01", "2013-01-01T10", "2013-01-01 10:00", "2013-01-01T10:00:00.1Z", "x"]
    found = bad_values(known, kind)
    assert sorted(found) == sorted(value for value in known if not _converts([value], kind))


@settings(max_examples=60, deadline=None)
@given(st.lists(LETTERS, unique=True, max_size=8), st.sampled_from(KINDS))
def test_the_quick_patterns_never_call_a_good_value_bad(values: list[str], kind: pa.DataType) -> None:
    assert not [value for value in bad_values(values, kind) if _converts([value], kind)]
