"""What frames refuse: misspelt and foreign methods, unnamed and ambiguous columns."""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING, Any

import pytest
from kindling_plugin_duckdb.frame_api import FRAME_API, FUNCTIONS
from kindling_plugin_duckdb.methods import REFUSED_METHODS

from kindling.errors import RunError

if TYPE_CHECKING:
    from kindling_plugin_duckdb.session import DuckDBSession

F: Any = FUNCTIONS
W: Any = FRAME_API.window
Body = Callable[[Any, Any], Any]


def test_a_misspelt_method_fails_at_once_and_is_guessed(table: Any) -> None:
    with pytest.raises(AttributeError) as caught:
        table.wher("i > 1")
    assert str(caught.value) == "a frame has neither a method nor a column 'wher'; did you mean 'where'?"


def test_a_column_is_an_attribute(session: DuckDBSession, table: Any) -> None:
    assert session.collect(table.where(table.j == 7).select(table.I)).rows == ((3,),)


def test_probing_a_frame_for_private_names_is_harmless(table: Any) -> None:
    assert not hasattr(table, "_nothing_of_this_name")


@pytest.mark.parametrize("name", REFUSED_METHODS)
def test_a_refused_method_says_what_to_do(table: Any, name: str) -> None:
    with pytest.raises(RunError) as caught:
        getattr(table, name)
    why, hint = REFUSED_METHODS[name]
    text = f"KDL-PORT-023: DataFrame.{name} is refused on duckdb\n  why: {why}\n  do: {hint}"
    assert str(caught.value) == text


def test_pivot_is_refused(table: Any) -> None:
    with pytest.raises(RunError) as caught:
        table.groupBy("s").pivot("i")
    assert str(caught.value).splitlines() == [
        "KDL-PORT-023: DataFrame.groupBy(...).pivot is refused on duckdb",
        "  why: it gives other rows on duckdb than on Spark",
        "  do: aggregate F.when(F.col('c') == 'v', F.col('x')) per value",
    ]


UNNAMED: list[Body] = [
    lambda t, _: t.select(F.upper("s")),
    lambda t, _: t.select(F.col("i") + 1),
    lambda t, _: t.select(F.lit(1)),
    lambda t, _: t.groupBy("s").agg(F.sum(F.col("i") + 1)),
    lambda t, _: t.groupBy(F.upper("s")),
    lambda t, _: t.selectExpr("upper(s)"),
    lambda t, _: t.select(F.row_number().over(W.orderBy("i"))),
    lambda t, _: t.select(F.col("arr")[0]),
]


@pytest.mark.parametrize("body", UNNAMED)
def test_a_computed_column_needs_a_name(table: Any, others: Any, body: Body) -> None:
    with pytest.raises(RunError, match="KDL-PORT-022"):
        body(table, others)


AMBIGUOUS: list[Body] = [
    lambda t, u: t.join(u, t["i"] == u["i"]).select("i"),
    lambda t, u: t.join(u, t["i"] == u["i"]).where("i > 1"),
    lambda t, u: t.join(u, t["i"] == u["i"]).where(F.col("I") > 1),
    lambda t, u: t.join(u, t["i"] == u["i"]).withColumn("k", F.col("i") + 1),
    lambda t, u: t.join(u, t["i"] == u["i"]).groupBy("i"),
    lambda t, u: t.join(u, t["i"] == u["i"]).orderBy("i"),
]


@pytest.mark.parametrize("body", AMBIGUOUS)
def test_a_name_of_two_columns_is_refused_as_on_spark(table: Any, others: Any, body: Body) -> None:
    with pytest.raises(RunError) as caught:
        body(table, others)
    assert str(caught.value).splitlines()[:2] == [
        f"KDL-INFRA-206: the frame has two columns {caught.value.facts['column']!r}",
        "  why: after a join on a condition both sides keep their columns",
    ]


def test_a_function_that_sqlframe_lacks_is_refused() -> None:
    with pytest.raises(RunError, match="the function 'sume' is not portable"):
        F.sume("i")
    with pytest.raises(RunError, match="use functions of F"):
        F.udf(lambda x: x)
