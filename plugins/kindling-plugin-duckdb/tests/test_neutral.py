"""Types of DuckDB and engine-neutral ones."""

from __future__ import annotations

import duckdb
import pytest
from hypothesis import given
from hypothesis import strategies as st
from kindling_plugin_duckdb.neutral import duckdb_type, neutral_type, quoted, same_type

from kindling.errors import RunError
from kindling.schemas import ATOMS, canonical_type

NAMES = st.text("abcXYZ_09 é", min_size=1, max_size=5).filter(
    lambda name: name.strip() == name and not name[0].isdigit()
)
TYPES = st.recursive(
    st.sampled_from(ATOMS) | st.builds("decimal({},{})".format, st.integers(4, 38), st.integers(0, 4)),
    lambda inner: (
        st.builds("array<{}>".format, inner)
        | st.builds("map<{},{}>".format, st.sampled_from(ATOMS), inner)
        | st.lists(
            st.tuples(NAMES, inner), min_size=1, max_size=3, unique_by=lambda pair: pair[0].lower()
        ).map(lambda pairs: f"struct<{','.join(f'{name}:{kind}' for name, kind in pairs)}>")
    ),
    max_leaves=5,
)


@given(TYPES)
def test_every_neutral_type_survives_duckdb(neutral: str) -> None:
    described = duckdb.sql(f"DESCRIBE SELECT CAST(NULL AS {duckdb_type(neutral)}) AS x").fetchall()[0][1]
    assert neutral_type(described) == neutral
    assert same_type(described, neutral)


@pytest.mark.parametrize(
    ("kind", "neutral"),
    [
        ("HUGEINT", "bigint"),
        ("UBIGINT", "decimal(20,0)"),
        ("UINTEGER", "bigint"),
        ("HUGEINT[]", "array<bigint>"),
        ("ENUM('a', 'b')", "string"),
        ("UUID", "string"),
        ('"NULL"', "string"),
        ("TIMESTAMP_NS", "timestamp_ntz"),
        ("INTEGER[3]", "array<int>"),
        ('STRUCT("a ""b" INTEGER, c DECIMAL(4,1))', 'struct<a "b:int,c:decimal(4,1)>'),
    ],
)
def test_types_that_only_duckdb_has_widen(kind: str, neutral: str) -> None:
    assert neutral_type(kind) == neutral
    assert not same_type(kind, neutral) or kind.startswith("STRUCT")


@pytest.mark.parametrize("kind", ["INTERVAL", "TIME", "UNION(a INTEGER)", "STRUCT(INTEGER)"])
def test_a_type_without_counterpart_is_refused(kind: str) -> None:
    with pytest.raises(RunError, match=r"KDL-PORT-029: the type .* has no engine-neutral counterpart"):
        neutral_type(kind)


def test_identifiers_are_quoted() -> None:
    assert quoted('a "b') == '"a ""b"'
    assert canonical_type("integer") == neutral_type("INTEGER")
