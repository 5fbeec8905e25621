from __future__ import annotations

import re

import polars as pl
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from workbench import Bench

import kindling as k
from kindling.errors import RunError
from kindling.hooks.platform import SessionSpec
from kindling.run.expectations import BROKEN, Checked, apply_rules, bad, broken, count_broken, rules_of
from kindling.schemas import Field, Schema, parse_schema
from kindling.testing.memory_platform import MemoryPlatform, MemorySession
from kindling.testing.rows import arrow_table, ordered, rows_of

SCHEMA = "n bigint, text string"
ROWS = [(1, "a"), (-1, "a"), (None, "b"), (-2, None)]
NAMES = [
    "plausible",
    "plausible delay",
    "delay",
    "it's",
    'say "no"',
    "a, b",
    "a",
    "100 %",
    "_",
    "[x] (y)",
    "[x",
    "x] ",
    "#1",
    "back\\slash",
    "größe ж",
    "",
]


def checked(
    rules: dict[str, k.Rule], schema: str = SCHEMA, rows: list = ROWS
) -> tuple[MemorySession, Checked]:
    session = MemorySession(MemoryPlatform({}), SessionSpec("t"))
    neutral = parse_schema(schema)
    loose = Schema(tuple(Field(field.name, field.type) for field in neutral.fields))
    frame = session.from_arrow(arrow_table(loose, rows), loose)
    return session, apply_rules(session, frame, rules, neutral, entity="silver.a", keep=lambda kept: kept)


def test_a_condition_that_is_null_counts_as_broken() -> None:
    session, found = checked({})
    assert count_broken(session, found.frame, {"positive": bad("n > 0")}) == {"positive": 3}
    assert count_broken(session, found.frame, {}) == {}


def test_a_condition_may_end_in_a_comment() -> None:
    session, found = checked({})
    assert count_broken(session, found.frame, {"positive": bad("n > 0 -- or so")}) == {"positive": 3}


def test_warnings_change_no_row_and_are_counted_later() -> None:
    session, found = checked({"positive": k.rule("n > 0", on_fail="warn")})
    assert rows_of(session, found.frame) == ROWS
    assert (found.counts, found.quarantine) == ({}, None)
    assert found.warn == rules_of({"positive": k.rule("n > 0", on_fail="warn")}, "warn")


def test_dropped_rows_are_counted_in_one_look_with_the_warnings() -> None:
    rules = {
        "positive": k.rule("n > 0", on_fail="drop"),
        "known": k.rule("n IS NOT NULL", on_fail="drop"),
        "named": k.rule("text IS NOT NULL", on_fail="warn"),
    }
    session, found = checked(rules)
    assert rows_of(session, found.frame) == [(1, "a")]
    assert found.counts == {"positive": 3, "known": 1, "named": 1}
    assert found.warn == {}


def test_quarantined_rows_carry_the_names_of_what_they_broke() -> None:
    rules = {
        "positive": k.rule("n > 0", on_fail="quarantine"),
        "named": k.rule("text IS NOT NULL", on_fail="quarantine"),
    }
    session, found = checked(rules)
    assert rows_of(session, found.frame) == [(1, "a")]
    assert ordered(rows_of(session, found.quarantine)) == [
        (-1, "a", "positive"),
        (-2, None, "positive, named"),
        (None, "b", "positive"),
    ]


def test_what_is_fatal_fails_the_computation_and_says_which() -> None:
    session, found = checked(
        {"ok": k.rule("true", on_fail="fail"), "positive": k.rule("n > 0", on_fail="fail")}
    )
    with pytest.raises(ValueError, match=re.escape("KDL-EXPECT[silver.a#1]")) as caught:
        rows_of(session, found.frame)
    assert broken(caught.value) == ("EXPECT", "silver.a", 1)


def test_a_column_that_may_not_be_null_is_fatal_too() -> None:
    session, found = checked({}, "n bigint, `größe in m` double NOT NULL", [(1, 1.0), (2, None)])
    with pytest.raises(ValueError, match=re.escape("KDL-NOTNULL[silver.a#1]")) as caught:
        rows_of(session, found.frame)
    assert broken(caught.value) == ("NOTNULL", "silver.a", 1)


def test_the_mark_is_found_however_deep_an_engine_hides_it() -> None:
    inner = ValueError("... KDL-EXPECT[silver.größe#3] at line 1")
    middle = RuntimeError("job aborted")
    middle.__cause__ = inner
    outer = KeyError("x")
    outer.__context__ = middle
    assert broken(outer) == ("EXPECT", "silver.größe", 3)
    assert broken(ValueError("nothing")) is None


def test_a_column_with_the_name_of_the_marks_is_refused() -> None:
    rules = {"positive": k.rule("n > 0", on_fail="quarantine")}
    with pytest.raises(RunError) as caught:
        checked(rules, "n bigint, _Broken string", [(1, "x")])
    assert str(caught.value) == (
        f"KDL-RUN-025: 'silver.a' has a column {BROKEN!r}, and a quarantine needs that name\n"
        "  do: rename or drop the column"
    )


@settings(deadline=None, max_examples=12, suppress_health_check=[HealthCheck.too_slow])
@given(st.permutations(NAMES), st.lists(st.integers(-3, 3), min_size=1, max_size=6))
def test_counts_are_right_whatever_the_names_are(names: list[str], numbers: list[int]) -> None:
    rules = {name: k.rule(f"n <> {place - 2}", on_fail="quarantine") for place, name in enumerate(names[:5])}
    session, found = checked(rules, "n bigint", [(number,) for number in numbers])
    expected = {name: numbers.count(place - 2) for place, name in enumerate(rules)}
    assert count_broken(session, found.quarantine, rules_of(rules, "quarantine")) == expected
    assert len(rows_of(session, found.frame)) == len([n for n in numbers if not -2 <= n <= 2])
    names_found = {row[1] for row in rows_of(session, found.quarantine)}
    assert names_found == {list(rules)[n + 2] or "(unnamed)" for n in numbers if -2 <= n <= 2}


def app(on_fail: str, *, storage: str = "scratch", write: k.Intent | None = None) -> k.App:
    declared = k.App("shop")
    raw = declared.source("raw", k.storage("scratch"))

    @declared.pipe(
        raw,
        name="silver",
        storage=k.storage(storage),
        write=write or k.overwrite(),
        expect={name: f"n <> {place}" for place, name in enumerate(NAMES)},
        on_fail=on_fail,
    )
    def silver(df: pl.LazyFrame) -> pl.LazyFrame:
        return df

    return declared


@pytest.mark.parametrize("on_fail", ["warn", "drop", "quarantine"])
@pytest.mark.parametrize("write", [k.overwrite(), k.append()])
def test_a_run_counts_broken_rows_by_name(bench: Bench, on_fail: str, write: k.Intent) -> None:
    bench.use(app(on_fail, write=write)).put("raw", "n bigint", (0,), (1,), (1,), (99,))
    outcome = bench.run().outcomes["silver"]
    assert outcome.expectations == {name: {0: 1, 1: 2}.get(place, 0) for place, name in enumerate(NAMES)}
    everything = [(0,), (1,), (1,), (99,)]
    assert bench.rows("silver") == (everything if on_fail == "warn" else [(99,)])
    if on_fail == "quarantine":
        assert outcome.metrics["rows_quarantined"] == 3
        assert bench.rows("silver__quarantine") == [(0, NAMES[0]), (1, NAMES[1]), (1, NAMES[1])]


@pytest.mark.parametrize("place", range(len(NAMES)))
def test_a_fatal_expectation_is_named_and_nothing_is_committed(bench: Bench, place: int) -> None:
    bench.use(app("fail")).put("raw", "n bigint", (place,), (99,))
    result = bench.run()
    declared = bench.project.app.entities()["silver"]
    assert result.exit_code == 1
    assert result.outcomes["silver"].error == {
        "code": "KDL-EXP-001",
        "what": f"a row of 'silver' breaks the expectation {NAMES[place]!r}",
        "why": f"expected n <> {place}; nothing was committed",
        "where": str(declared.place),
        "hint": "mend the data, or choose on_fail='quarantine', 'drop' or 'warn'",
        "facts": {"entity": "silver", "expectation": NAMES[place]},
    }
    assert bench.commits("silver") == []


def test_a_declared_column_that_may_not_be_null_is_enforced(bench: Bench) -> None:
    declared = k.App("shop")
    raw = declared.source("raw", k.storage("scratch"))

    @declared.pipe(raw, name="silver", schema="n bigint, `it's` string NOT NULL")
    def silver(df: pl.LazyFrame) -> pl.LazyFrame:
        return df

    bench.use(declared).put("raw", "n bigint, `it's` string", (1, None))
    error = bench.run().outcomes["silver"].error
    assert (error["code"], error["what"], error["why"]) == (
        "KDL-EXP-001",
        "a row of 'silver' has no value in the column \"it's\"",
        "the schema says NOT NULL; nothing was committed",
    )


@pytest.mark.parametrize("readers", [1, 2])
def test_expectations_of_memory_entities_are_applied_inlined_or_shared(bench: Bench, readers: int) -> None:
    declared = k.App("shop")
    raw = declared.source("raw", k.storage("scratch"))
    rules = {
        "positive": k.rule("n > 0", on_fail="drop"),
        "small": k.rule("n < 2", on_fail="warn"),
    }

    @declared.pipe(raw, name="middle", storage=k.memory(), expect=rules, schema="n int")
    def middle(df: pl.LazyFrame) -> pl.LazyFrame:
        return df

    for number in range(readers):
        declared.pipe(middle, name=f"out{number}")(middle.function)
    bench.use(declared).put("raw", "n bigint", (-1,), (1,), (3,))
    result = bench.run()
    assert bench.rows("out0") == [(1,), (3,)]
    if readers == 1:
        assert result.outcomes["out0"].expectations == {"middle: positive": 1, "middle: small": 1}
    else:
        assert result.outcomes["middle"].expectations == {"positive": 1, "small": 1}


@pytest.mark.parametrize("readers", [1, 2])
def test_a_fatal_expectation_of_a_memory_entity_names_it(bench: Bench, readers: int) -> None:
    declared = k.App("shop")
    raw = declared.source("raw", k.storage("scratch"))
    rules = {"any": k.rule("true", on_fail="fail"), "positive": k.rule("n > 0", on_fail="fail")}

    @declared.pipe(raw, name="middle", storage=k.memory(), expect=rules)
    def middle(df: pl.LazyFrame) -> pl.LazyFrame:
        return df

    for number in range(readers):
        declared.pipe(middle, name=f"out{number}")(middle.function)
    bench.use(declared).put("raw", "n bigint", (-1,))
    outcomes = bench.run().outcomes
    error = outcomes["out0" if readers == 1 else "middle"].error
    assert error["what"] == "a row of 'middle' breaks the expectation 'positive'"
