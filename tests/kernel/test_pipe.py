from __future__ import annotations

import pytest

import kindling as k
from kindling.errors import UsageError
from kindling.pipe import DRIFT, ON_FAIL


def test_a_pipe_knows_all_that_its_declaration_said() -> None:
    app = k.App("shop")
    orders = app.source("orders", k.csv("o.csv"))

    @app.pipe(
        orders,
        name="silver.orders",
        write=k.merge(on=["id"]),
        incremental=k.changes(),
        expect={"positive": "price > 0"},
        on_fail="drop",
        schema="id bigint, price double",
        classify={"price": "finance"},
        storage=k.parquet("out"),
        tags=["daily"],
        drift="evolve",
        partition_by=["day"],
        timeout_s=5,
        retries=2,
        version="3",
        platform="duckdb",
    )
    def silver(df: k.DataFrame) -> k.DataFrame:
        return df

    assert (silver.write, silver.incremental) == (k.merge(on=["id"]), k.changes())
    assert silver.rules == {"positive": k.Rule("price > 0", "drop")}
    assert silver.schema == k.Schema.of(id="bigint", price="double")
    assert (silver.classes, silver.storage) == ({"price": "finance"}, k.parquet("out"))
    assert (silver.tags, silver.partition_by) == (("daily",), ("day",))
    assert (silver.drift, silver.timeout_s, silver.retries) == ("evolve", 5, 2)
    assert (silver.version, silver.platform) == ("3", "duckdb")
    assert app.all_faults() == []


def test_an_sql_pipe_is_a_handle_but_no_function() -> None:
    app = k.App("shop")
    orders = app.source("orders", k.csv("o.csv"))
    gold = app.sql("gold", "SELECT * FROM {o}", inputs={"o": orders})
    assert (gold.placeholders, gold.inputs, gold.function) == (("o",), (orders,), None)
    with pytest.raises(UsageError) as error:
        gold()
    assert str(error.value) == (
        "KDL-USE-011: 'gold' is an SQL pipe and cannot be called\n"
        "  do: test it with kindling.testing.run_pipe"
    )


def test_the_words_of_options_are_closed_lists() -> None:
    assert (ON_FAIL, DRIFT) == (("warn", "drop", "quarantine", "fail"), ("fail", "warn", "evolve"))
