"""The properties of DuckDB that the macros rest on, and the macros themselves."""

from __future__ import annotations

import duckdb
import pytest
from kindling_plugin_duckdb.macros import MACROS, needed, statements

KINDS = ("TINYINT", "INTEGER", "HUGEINT", "DOUBLE", "DECIMAL(10,2)", "VARCHAR", "BLOB", "BOOLEAN", "DATE",
         "TIMESTAMP", "TIMESTAMPTZ", "INTEGER[]", "STRUCT(a INTEGER)", "MAP(VARCHAR, INTEGER)")  # fmt: skip


def test_typeof_is_folded_while_planning() -> None:
    plan = duckdb.sql(
        "EXPLAIN SELECT CASE WHEN typeof(i) = 'DOUBLE' THEN error('x') ELSE i END AS c FROM range(3) t(i)"
    ).fetchall()[0][1]
    assert "CASE" not in plan
    assert "error" not in plan


@pytest.mark.parametrize("kind", KINDS)
def test_try_cast_binds_for_every_type(kind: str) -> None:
    for target in ("DOUBLE", "VARCHAR", "TIMESTAMPTZ", "BLOB"):
        assert duckdb.sql(f"SELECT TRY_CAST(CAST(NULL AS {kind}) AS {target})").fetchall() == [(None,)]


def test_cast_to_type_takes_only_the_type_of_its_second_argument() -> None:
    query = "SELECT cast_to_type(i + 0.5::DOUBLE, error('never')::DOUBLE) AS x FROM range(2) t(i)"
    assert duckdb.sql(query).fetchall() == [(0.5,), (1.5,)]


def test_all_macros_can_be_made_once_in_an_order_that_works() -> None:
    con = duckdb.connect()
    made: set[str] = set()
    for statement in statements(set(MACROS), made):
        con.execute(statement)
    assert made == set(MACROS)
    assert statements(set(MACROS), made) == []


def test_needed_macros_are_found_whatever_their_case() -> None:
    assert needed("SELECT KDL_TO_INT(kdl_div(a, 1)), kdl_v1.x FROM kdl_v1") == {"to_int", "div"}


@pytest.mark.parametrize(
    ("value", "text"),
    [
        ("1e7", "1.0E7"),
        ("9999999.0", "9999999.0"),
        ("12345678.5", "1.23456785E7"),
        ("0.001", "0.001"),
        ("0.00012", "1.2E-4"),
        ("-1.5e-7", "-1.5E-7"),
        ("1e22", "1.0E22"),
        ("1.7976931348623157e308", "1.7976931348623157E308"),
        ("0.0", "0.0"),
        ("'-inf'", "-Infinity"),
        ("'nan'", "NaN"),
    ],
)
def test_doubles_are_written_as_java_writes_them(value: str, text: str) -> None:
    con = duckdb.connect()
    for statement in statements({"to_string"}, set()):
        con.execute(statement)
    assert con.sql(f"SELECT kdl_to_string(CAST({value} AS DOUBLE))").fetchall() == [(text,)]
