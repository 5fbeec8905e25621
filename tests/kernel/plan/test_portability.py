from __future__ import annotations

import types

import kindling as k
from kindling.plan.portability import uses_pyspark

functions = types.ModuleType("pyspark.sql.functions")


class Row:
    pass


Row.__module__ = "pyspark.sql.types"
row = Row()


def portable(df: object) -> object:
    return k.F.col("a"), df


def by_module(df: object) -> object:
    return functions.col("a")


def by_class(df: object) -> object:
    return Row


def by_value(df: object) -> object:
    return [row for _ in range(1)]


def by_import(df: object) -> object:
    from pyspark.sql.types import LongType

    return LongType()


def by_inner_function(df: object) -> object:
    def inner() -> object:
        return functions.col("a")

    return inner()


def test_a_pipe_that_uses_the_proxies_is_portable() -> None:
    assert uses_pyspark(portable) == ""
    assert uses_pyspark(None) == ""


def test_every_way_to_reach_pyspark_is_seen() -> None:
    found = [uses_pyspark(one) for one in (by_module, by_class, by_value, by_import, by_inner_function)]
    assert found == ["functions", "Row", "row", "pyspark.sql.types", "functions"]
