"""`kindling.testing`: single pipes on a real engine, with rows that the test gives."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

import kindling as k
from kindling.errors import RunError, UsageError
from kindling.testing.run import PipeRunner, pipe_runner, run_pipe

app = k.App("shop")
orders = app.source("raw.orders", k.csv("orders.csv"), schema="id bigint, amount double")
people = app.source("raw.people", k.csv("people.csv"))


@app.pipe(orders, name="m.large", storage=k.memory())
def large(df: k.DataFrame) -> k.DataFrame:
    return df.where(k.F.col("amount") > 10)


@app.pipe(large, people, name="gold.buyers")
def buyers(df: k.DataFrame, who: k.DataFrame) -> k.DataFrame:
    return df.join(who, "id").select("name", "amount")


total = app.sql("gold.total", "SELECT sum(amount) AS total FROM {large}", inputs={"large": large})


@app.pipe(orders, name="bad.nothing")
def nothing(df: k.DataFrame) -> k.DataFrame:
    df.count()  # and no return
    return None  # type: ignore[return-value]  # that is the mistake


@app.pipe(name="gold.now", context=True)
def now(context: k.Context) -> k.DataFrame:
    return context.frame([{"n": 1}, {"n": 2}], "n int")


@pytest.fixture(scope="module", params=["duckdb", "sail"])
def runner(request: pytest.FixtureRequest) -> Iterator[PipeRunner]:
    with pipe_runner(request.param) as made:
        yield made


ROWS = [{"id": 1, "amount": 5}, {"id": 2, "amount": 50}]


def test_memory_entities_in_between_are_computed(runner: PipeRunner) -> None:
    found = runner(buyers, {orders: ROWS, people: [{"id": 2, "name": "Ada"}]})
    assert found == [{"name": "Ada", "amount": 50.0}]


def test_they_may_be_given_instead(runner: PipeRunner) -> None:
    given = ([(7, 1.5)], "id bigint, amount double")
    assert runner(total, {large: given}) == [{"total": 1.5}]


def test_columns_are_chosen_and_no_rows_are_rows_too(runner: PipeRunner) -> None:
    given = {orders: ROWS, people: [{"id": 2, "name": "Ada"}]}
    assert runner(buyers, given, columns=["name"]) == [{"name": "Ada"}]
    assert runner(total, {orders: []}) == [{"total": None}]


def test_a_pipe_without_inputs_gets_its_context(runner: PipeRunner) -> None:
    assert runner(now) == [{"n": 1}, {"n": 2}]


def test_what_is_not_given_and_what_is_no_input_is_said(runner: PipeRunner) -> None:
    with pytest.raises(UsageError) as missing:
        runner(buyers, {orders: ROWS})
    assert str(missing.value) == (
        "KDL-TEST-002: 'raw.people', which 'gold.buyers' reads, is not given\n"
        "  do: run_pipe(pipe, given={handle: [{...}]})"
    )
    with pytest.raises(UsageError) as foreign:
        runner(total, {people: []})
    assert str(foreign.value) == (
        "KDL-TEST-001: 'raw.people' is no input of 'gold.total'\n  why: inputs: m.large, raw.orders"
    )


def test_a_pipe_that_returns_no_frame_fails_its_test(runner: PipeRunner) -> None:
    with pytest.raises(RunError, match="KDL-RUN-010"):
        runner(nothing, {orders: ROWS})


def test_rows_that_do_not_fit_their_schema_are_said(runner: PipeRunner) -> None:
    with pytest.raises(RunError, match="KDL-RUN-024"):
        runner(total, {orders: [{"id": "x", "amount": 1}]})


def test_one_pipe_runs_on_a_platform_of_its_own() -> None:
    assert run_pipe(total, {orders: ROWS}, platform="duckdb") == [{"total": 50.0}]


def test_the_fixture_runs_pipes(kindling_run: PipeRunner) -> None:
    assert kindling_run(total, {orders: ROWS}) == [{"total": 50.0}]
