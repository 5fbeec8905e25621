"""A plain form gives what the macro that fits every type gives."""

from __future__ import annotations

from typing import TYPE_CHECKING

import duckdb
import pytest
from kindling_plugin_duckdb.kinds import KIND
from kindling_plugin_duckdb.macros import needed, statements
from kindling_plugin_duckdb.nodes import generic, integer
from kindling_plugin_duckdb.typed import _FORMS, _MOVED, macro
from sqlglot import exp

if TYPE_CHECKING:
    from collections.abc import Iterator

VALUES = {
    "TINYINT": ("-7", "120"),
    "SMALLINT": ("-7", "3000"),
    "INTEGER": ("0", "7", "2147483647"),
    "BIGINT": ("-1", "3", "9007199254740993"),
    "FLOAT": ("0.5", "-2.75", "'nan'"),
    "DOUBLE": ("0.5", "-2.75", "1e10", "'inf'"),
    "BOOLEAN": ("true", "false"),
    "VARCHAR": (
        "' 12 '",
        "'x'",
        "'1_0'",
        "'2020-1-2'",
        "'2020'",
        "'2020-01-02T03:04:05Z'",
        "'true'",
        "'1e3'",
    ),
    "DATE": ("'2020-02-29'", "'1969-12-31'"),
    "TIMESTAMP": ("'2020-02-29 13:14:15.5'", "'1969-12-31 23:59:59'"),
    "TIMESTAMP WITH TIME ZONE": ("'2020-02-29 13:14:15.5+00'", "'1969-12-31 23:59:59+02'"),
}


@pytest.fixture(scope="module")
def con() -> Iterator[duckdb.DuckDBPyConnection]:
    with duckdb.connect() as made:
        made.execute("SET TimeZone = 'UTC'")
        yield made


def column(kind: str) -> exp.Expression:
    made = exp.column("x")
    made.meta[KIND] = kind
    return made


def result(con: duckdb.DuckDBPyConnection, tree: exp.Expression, kind: str, value: str) -> object:
    text = tree.sql(dialect="duckdb")
    for statement in statements(needed(text), set()):
        con.execute(statement)
    try:
        found = con.execute(f"SELECT {text}, typeof({text}) FROM (SELECT CAST({value} AS {kind}) AS x)")
        return repr(found.fetchall())
    except duckdb.Error as error:
        return type(error)


@pytest.mark.parametrize("name", _FORMS)
def test_a_form_with_one_argument_gives_what_its_macro_gives(
    con: duckdb.DuckDBPyConnection, name: str
) -> None:
    compared = 0
    for kind, values in VALUES.items():
        made, macro_call = macro(name, column(kind)), generic(name, column(kind))
        if made == macro_call:
            continue
        for value in (*values, "NULL"):
            assert result(con, made, kind, value) == result(con, macro_call, kind, value), (kind, value)
            compared += 1
    assert compared


@pytest.mark.parametrize("name", _MOVED)
@pytest.mark.parametrize("unit", ["DAY", "HOUR"])
def test_a_moved_date_is_what_the_macro_gives(con: duckdb.DuckDBPyConnection, name: str, unit: str) -> None:
    for kind in ("DATE", "TIMESTAMP", "TIMESTAMP WITH TIME ZONE"):
        by = exp.Interval(this=exp.Literal.string("3"), unit=exp.var(unit))
        made, macro_call = macro(name, column(kind), by), generic(name, column(kind), by.copy())
        for value in (*VALUES[kind], "NULL"):
            assert result(con, made, kind, value) == result(con, macro_call, kind, value), (kind, value)


@pytest.mark.parametrize("name", ["mod", "minus", "div"])
def test_a_form_with_two_numbers_gives_what_its_macro_gives(
    con: duckdb.DuckDBPyConnection, name: str
) -> None:
    for kind in ("TINYINT", "INTEGER", "BIGINT", "DOUBLE", "FLOAT"):
        for number in (0, 3, -3):
            made, macro_call = (each(name, column(kind), integer(number)) for each in (macro, generic))
            for value in (*VALUES[kind], "NULL"):
                assert result(con, made, kind, value) == result(con, macro_call, kind, value), (kind, value)


def test_a_division_by_a_column_gives_what_its_macro_gives(con: duckdb.DuckDBPyConnection) -> None:
    for kind in ("TINYINT", "INTEGER", "BIGINT", "DOUBLE", "FLOAT"):
        made, macro_call = (each("div", column(kind), column(kind)) for each in (macro, generic))
        assert made != macro_call
        for value in (*VALUES[kind], "NULL"):
            assert result(con, made, kind, value) == result(con, macro_call, kind, value), (kind, value)


def test_an_unknown_type_keeps_the_macro() -> None:
    assert macro("to_date", exp.column("x")) == generic("to_date", exp.column("x"))


def test_a_plain_form_is_put_into_parentheses_where_it_needs_them() -> None:
    added = exp.Add(this=exp.column("x"), expression=integer(1))
    added.meta[KIND] = "INTEGER"
    assert macro("to_int", added).sql(dialect="duckdb") == "(x + 1)"
