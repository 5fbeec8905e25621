from __future__ import annotations

from datetime import date

from kindling.config.leaves import leaves_of, nested, spark_key, split_key, text_of
from kindling.config.schema import Schema


def flat(tree: dict[str, object]) -> dict[tuple[str, ...], object]:
    return {leaf.path: leaf.value for leaf in leaves_of(tree, Schema({}), lambda _: "here")}


def test_engine_keys_are_flattened_whether_quoted_or_nested() -> None:
    both = {"spark": {"spark.speculation": True, "spark": {"sql": {"shuffle": {"partitions": 2}}}}}
    assert flat(both) == {
        ("spark", "spark.speculation"): True,
        ("spark", "spark.sql.shuffle.partitions"): 2,
    }


def test_an_engine_key_that_begins_with_sql_is_completed_and_no_other_is() -> None:
    assert spark_key(("sql", "shuffle", "partitions")) == "spark.sql.shuffle.partitions"
    assert spark_key(("fs.s3a.endpoint",)) == "fs.s3a.endpoint"


def test_the_name_of_an_entity_may_be_nested_or_quoted() -> None:
    quoted = {"entities": {"bronze.flights": {"path": "p"}}}
    tables = {"entities": {"bronze": {"flights": {"path": "p"}}}}
    assert flat(quoted) == flat(tables) == {("entities", "bronze.flights", "path"): "p"}


def test_a_chosen_capability_may_be_named_shortly() -> None:
    assert flat({"platform": "duckdb"}) == flat({"platform": {"default": "duckdb"}})


def test_free_values_are_leaves_and_dates_become_text() -> None:
    assert flat({"settings": {"since": date(2013, 1, 1), "deep": {"list": [1, {"a": 2}]}}}) == {
        ("settings", "since"): "2013-01-01",
        ("settings", "deep", "list"): [1, {"a": 2}],
    }


def test_keys_are_split_and_nested() -> None:
    assert split_key('entities."bronze.flights".path') == ("entities", "bronze", "flights", "path")
    assert nested(("a", "b", "c"), 1) == {"a": {"b": {"c": 1}}}


def test_engines_get_text() -> None:
    assert [text_of(value) for value in (True, 2, 0.5, "x")] == ["true", "2", "0.5", "x"]
