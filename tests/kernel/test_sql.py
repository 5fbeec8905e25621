from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from kindling.sql import bind, check_sql, misspelt, placeholders_in, table_of

UNDECLARED = "\n  where: shop.py:1\n  do: give its handle in inputs={...} and write {name} in braces"


def faults(text: str, *declared: str) -> list[str]:
    found = check_sql(text, pipe="gold.p", declared=declared or ("flights",), where="shop.py:1")
    return [str(fault) for fault in found]


def reads(text: str) -> list[str]:
    """Return the names that are refused as undeclared, `flights` being used as well."""
    found = check_sql(text, pipe="gold.p", declared=("flights",), where="shop.py:1")
    assert {fault.code for fault in found} <= {"KDL-DECL-044"}
    return [
        fault.what.split("'", 2)[2].split(" reads ")[1].split(", which")[0].strip("'\"") for fault in found
    ]


identifiers = st.from_regex(r"[a-z_][a-z0-9_]{0,4}", fullmatch=True)
pieces = st.sampled_from(
    ["SELECT ", "{a}", "{b}", "{", "}", "{}", "{1}", "{ a }", "'{a}'", " -- {a}\n", "/* {a} */"]
)


@given(st.lists(pieces, max_size=8).map("".join))
def test_binding_replaces_exactly_the_placeholders_that_are_found(text: str) -> None:
    tables = {name: table_of(name) for name in placeholders_in(text)}
    bound = bind(text, tables)
    assert not set(placeholders_in(bound)) & set(tables)  # of `{{a}}` the outer braces are literal
    assert bind(bound, tables) == bound
    assert len(bound) >= len(text)
    assert bind(text, {}) == text


@given(identifiers)
def test_an_identifier_in_braces_is_a_placeholder(name: str) -> None:
    assert placeholders_in(f"SELECT * FROM {{{name}}} JOIN {{{name}}}") == (name,)
    assert bind(f"FROM {{{name}}}", {name: table_of(name)}) == f"FROM kdl_{name}"


def test_other_braces_are_literal() -> None:
    text = "SELECT '{\"a\": 1}' AS j, rlike(x, 'a{2}') AS r FROM {flights} WHERE s = '{}' AND t = '{flights}'"
    assert placeholders_in(text) == ("flights",)
    assert bind(text, {"flights": "kdl_flights"}) == text.replace("FROM {flights}", "FROM kdl_flights")
    assert faults(text) == []


def test_texts_quoted_names_and_comments_hold_no_placeholders_hints_do() -> None:
    text = (
        "SELECT /*+ BROADCAST({a}) */ 'it''s {a}' x, \"{a}\", `{a}`, 'b\\'{a}' -- {a}\n"
        "/* {a}\n{a} */ FROM {a}"
    )
    assert bind(text, {"a": "T"}) == text.replace("BROADCAST({a})", "BROADCAST(T)").replace(
        "FROM {a}", "FROM T"
    )


def test_an_input_that_only_a_comment_names_is_unused() -> None:
    assert faults("SELECT 1 AS one -- {flights}") == [
        "KDL-DECL-042: the SQL of 'gold.p' never uses its input {flights}\n  where: shop.py:1"
    ]


def test_a_misspelt_placeholder_is_told_with_the_name_that_was_meant() -> None:
    assert misspelt("SELECT {flihgts} {flights} {x}", ["flights"]) == [
        "{flihgts} is no input: did you mean {flights}?"
    ]
    assert faults("SELECT * FROM {flights} JOIN {flihgts}") == [
        (
            "KDL-DECL-041: the SQL of 'gold.p': {flihgts} is no input: did you mean {flights}?"
            "\n  where: shop.py:1"
        )
    ]


def test_an_undeclared_table_is_refused() -> None:
    assert faults("SELECT * FROM {flights} JOIN fligths") == [
        "KDL-DECL-044: the SQL of 'gold.p' reads 'fligths', which is not an input"
        "\n  why: did you mean 'flights'?" + UNDECLARED
    ]


@pytest.mark.parametrize(
    ("text", "found"),
    [
        ("SELECT * FROM {flights} JOIN lake.orders", "lake.orders"),
        ("SELECT * FROM {flights}, delta.`/lake/orders`", "delta.`/lake/orders`"),
        ("SELECT * FROM {flights}, parquet.`data/*.parquet`", "parquet.`data/*.parquet`"),
        ("SELECT * FROM {flights}, 'data.csv'", "`data.csv`"),
        ("SELECT * FROM {flights}, range(10)", "RANGE(10)"),
        ("SELECT * FROM {flights}, read_csv('x')", "READ_CSV('x')"),
        ("SELECT * FROM {flights}, TABLE(range(3))", "TABLE(RANGE(3))"),
        ("SELECT * FROM {flights}, IDENTIFIER('orders')", "IDENTIFIER('orders')"),
        ("SELECT * FROM {flights}, {orders}", "{orders}"),
        ("SELECT (SELECT max(x) FROM orders) AS m FROM {flights}", "orders"),
        ("SELECT * FROM {flights} WHERE id IN (SELECT id FROM orders)", "orders"),
        ("SELECT * FROM (SELECT * FROM orders) AS flights, {flights}", "orders"),
        ("SELECT * FROM {flights} UNION ALL SELECT * FROM orders", "orders"),
        ("WITH x AS (SELECT * FROM orders) SELECT * FROM x, {flights}", "orders"),
        ("SELECT * FROM kdl_flights, kdl_orders, {flights}", "kdl_orders"),
    ],
)
def test_nothing_but_inputs_is_read_wherever_it_stands(text: str, found: str) -> None:
    assert reads(text) == [found]


@pytest.mark.parametrize(
    "text",
    [
        "WITH a AS (SELECT * FROM {flights}), b AS (SELECT * FROM a) SELECT * FROM A JOIN b",
        "SELECT * FROM (WITH a AS (SELECT * FROM {flights}) SELECT * FROM a)",
        "WITH RECURSIVE r AS (SELECT 1 AS n UNION ALL SELECT n + 1 FROM r) SELECT * FROM r, {flights}",
        "WITH a AS (SELECT 1 AS x) SELECT * FROM {flights} WHERE id IN (SELECT x FROM a)",
        "SELECT t.item FROM {flights} LATERAL VIEW explode(items) t AS item",
        "SELECT * FROM {flights} CROSS JOIN (VALUES (1), (2)) AS v(n)",
        "(SELECT * FROM {flights}) EXCEPT (SELECT * FROM {flights})",
        "SELECT f.a.b FROM {flights} AS f",
        "FROM {flights} SELECT *",
    ],
)
def test_ctes_subqueries_and_columns_are_no_tables(text: str) -> None:
    assert faults(text) == []


@pytest.mark.parametrize(
    ("text", "found"),
    [
        ("WITH a AS (SELECT * FROM a) SELECT * FROM a, {flights}", "a"),
        ("WITH a AS (SELECT * FROM b), b AS (SELECT 1) SELECT * FROM a, b, {flights}", "b"),
        ("SELECT * FROM (WITH a AS (SELECT 1) SELECT * FROM a) JOIN a JOIN {flights}", "a"),
        ("WITH a AS (SELECT 1) SELECT * FROM lake.a, {flights}", "lake.a"),
    ],
)
def test_a_cte_hides_no_table_from_where_it_is_not_visible(text: str, found: str) -> None:
    assert reads(text) == [found]


@pytest.mark.parametrize(
    ("text", "why"),
    [
        ("SELECT * FROM {flights}; SELECT 1", "expected one SELECT, found 2 statements"),
        ("-- {flights} {flights}", "expected one SELECT, found 0 statements"),
        ("INSERT INTO t SELECT * FROM {flights}", "expected one SELECT, found INSERT"),
        ("DROP TABLE {flights}", "expected one SELECT, found DROP"),
        ("CREATE TABLE t AS SELECT * FROM {flights}", "expected one SELECT, found CREATE"),
        ("SELECT FROM WHERE {flights}", "line 1, column 17: 'WHERE' is not expected there"),
        ("SELECT 'a FROM {flights}", "Missing ' from 1:7"),
    ],
)
def test_a_text_that_is_not_one_select_is_refused(text: str, why: str) -> None:
    shown = [fault for fault in faults(text) if "never uses" not in fault]
    assert shown == [f"KDL-DECL-043: the SQL of 'gold.p' cannot be parsed\n  why: {why}\n  where: shop.py:1"]


def test_a_closing_semicolon_is_allowed() -> None:
    assert faults("SELECT * FROM {flights};") == []


def test_faults_of_one_text_are_told_together() -> None:
    found = check_sql("SELECT * FROM a, b", pipe="p", declared=("c",), where="")
    assert [fault.code for fault in found] == ["KDL-DECL-042", "KDL-DECL-044", "KDL-DECL-044"]
