"""PySpark's frames on DuckDB: equal rows, types and names, or a refusal. Expected values are Spark's."""

# ruff: noqa: E501  # a table of plans

from __future__ import annotations

from collections.abc import Callable
from datetime import date, datetime, timezone
from decimal import Decimal
from typing import TYPE_CHECKING, Any

import pytest
from kindling_plugin_duckdb.frame_api import FRAME_API, FUNCTIONS

from kindling.errors import RunError

if TYPE_CHECKING:
    from kindling_plugin_duckdb.session import DuckDBSession

F: Any = FUNCTIONS
W: Any = FRAME_API.window
UTC = timezone.utc
Body = Callable[[Any, Any], Any]


def joined_with_itself(frame: Any) -> Any:
    return frame.groupBy("s").count().join(frame.groupBy("s").agg(F.sum("i").alias("t")), "s")


BODIES: dict[str, tuple[Body, str, list[tuple[object, ...]]]] = {
    "text conditions": (lambda t, _: t.where("i > 2.5 AND s LIKE 'a%'").select("i"), "i int", [(3,), (3,)]),
    "column conditions": (
        lambda t, _: t.filter((F.col("i") > 3) | F.col("n").isNull()).select("i", "n"),
        "i int, n int",
        [(3, None), (5, 4)],
    ),
    "floats in Python are doubles": (
        lambda t, _: t.where("i = 5").select((F.col("i") * 2.5).alias("x"), F.lit(-0.5).alias("y")),
        "x double, y double",
        [(12.5, -0.5)],
    ),
    "literals have Python's types": (
        lambda t, _: t.limit(1).select(
            F.lit(3).alias("a"),
            F.lit(3_000_000_000).alias("b"),
            F.lit("a'b\\c").alias("c"),
            F.lit(Decimal("-1.50")).alias("d"),
            F.lit(True).alias("e"),
            F.lit(date(2020, 1, 2)).alias("f"),
            F.lit(datetime(2020, 1, 2, 3, tzinfo=UTC)).alias("g"),
            F.isnan(F.lit(float("nan"))).alias("h"),
            F.lit(float("-inf")).alias("k"),
        ),
        "a int, b bigint, c string, d decimal(3,2), e boolean, f date, g timestamp, h boolean, k double",
        [(3, 3_000_000_000, "a'b\\c", Decimal("-1.50"), True, date(2020, 1, 2), datetime(2020, 1, 2, 3, tzinfo=UTC),
          True, float("-inf"))],
    ),
    "division gives a double": (
        lambda t, _: t.select((F.col("i") / 2).alias("x")).distinct(),
        "x double",
        [(1.5,), (2.5,)],
    ),
    "case expressions": (
        lambda t, _: t.select("j", F.when(F.col("i") > 3, "big").when(F.col("j") > 8, "mid").alias("c")),
        "j int, c string",
        [(2, "big"), (7, None), (9, "mid")],
    ),
    "a join on a name keeps it once, in front": (
        lambda t, u: t.select("s", "i").join(u, "i"),
        "i int, s string, name string",
        [(3, "abc", "three"), (3, "abc", "three")],
    ),
    "an outer join": (
        lambda t, u: t.where("j <> 9").select("i", "s").join(u, ["i"], "outer"),
        "i int, s string, name string",
        [(3, "abc", "three"), (5, "Zed", None), (9, None, "nine")],
    ),
    "a right join": (
        lambda t, u: t.where("j <> 9").select("i", "s").join(u, "i", "right"),
        "i int, s string, name string",
        [(3, "abc", "three"), (9, None, "nine")],
    ),
    "a join on a condition": (
        lambda t, u: t.join(u, t["i"] == u["i"]).where("j = 7").select(t["s"], u["name"]),
        "s string, name string",
        [("abc", "three")],
    ),
    "a join by alias": (
        lambda t, u: t.alias("a").join(u.alias("b"), F.col("a.i") == F.col("b.i")).select("b.name", "a.j"),
        "name string, j int",
        [("three", 7), ("three", 9)],
    ),
    "a semi and an anti join": (
        lambda t, u: t.select("i").join(u, "i", "left_semi").union(t.select("i").join(u, "i", "left_anti")),
        "i int",
        [(3,), (3,), (5,)],
    ),
    "a frame joined with its own aggregate": (
        lambda t, _: t.select("i", "j").join(t.groupBy("i").agg(F.count("*").alias("c")), "i"),
        "i int, j int, c bigint",
        [(3, 7, 2), (3, 9, 2), (5, 2, 1)],
    ),
    "a plan used twice": (
        lambda t, _: joined_with_itself(t.where("i > 0").withColumn("k", F.col("i") + 1)),
        "s string, count bigint, t bigint",
        [("Zed", 1, 5), ("abc", 2, 6)],
    ),
    "a cross join": (lambda t, u: t.select("j").crossJoin(u.select("i")).where("j = 7"), "j int, i int",
                     [(7, 3), (7, 9)]),
    "aggregates": (
        lambda t, _: t.groupBy("s").agg(
            F.count("*").alias("c"), F.sum("i").alias("t"), F.avg("i").alias("a"), F.countDistinct("i").alias("x")
        ),
        "s string, c bigint, t bigint, a double, x bigint",
        [("Zed", 1, 5, 5.0, 1), ("abc", 2, 6, 3.0, 1)],
    ),
    "unnamed aggregates have Spark's names": (
        lambda t, _: t.groupBy("s").agg(F.sum("i"), F.max("d"), F.count("*"), F.count("n")),
        "s string, sum(i) bigint, max(d) double, count(1) bigint, count(n) bigint",
        [("Zed", 5, -1.25, 1, 1), ("abc", 6, 2.75, 2, 1)],
    ),
    "short forms of aggregates": (
        lambda t, _: t.groupBy("s").sum("i").union(t.groupBy("s").agg({"i": "max"})),
        "s string, sum(i) bigint",
        [("Zed", 5), ("Zed", 5), ("abc", 3), ("abc", 6)],
    ),
    "names keep their letter case": (
        lambda t, _: t.groupBy(F.col("s").alias("Name")).agg(F.count("*").alias("Count_All")).where("NAME = 'abc'"),
        "Name string, Count_All bigint",
        [("abc", 2)],
    ),
    "names are found in any letter case": (
        lambda t, _: t.select("i").withColumn("Late", F.col("I") > 3).withColumn("too", F.col("LATE")).distinct(),
        "i int, Late boolean, too boolean",
        [(3, False, False), (5, True, True)],
    ),
    "a column is replaced whatever its case": (
        lambda t, _: t.select("i", "j").withColumns({"I": F.col("i") * 2, "k": F.col("i") + 1}).where("j = 2"),
        "I int, j int, k int",
        [(10, 2, 6)],
    ),
    "renaming and dropping": (
        lambda t, _: t.select("i", "j", "s").withColumnRenamed("i", "Num").drop("s").where("j = 2"),
        "Num int, j int",
        [(5, 2)],
    ),
    "new names for all columns": (lambda t, _: t.where("j = 2").select("i", "s").toDF("A", "b"), "A int, b string",
                                  [(5, "Zed")]),
    "a window ordered by a name puts nulls first": (
        lambda t, _: t.select("j", F.row_number().over(W.orderBy("n")).alias("r")),
        "j int, r int",
        [(2, 3), (7, 1), (9, 2)],
    ),
    "a window partitioned and ordered down": (
        lambda t, _: t.select("j", F.rank().over(W.partitionBy("s").orderBy(F.col("j").desc())).alias("r")),
        "j int, r int",
        [(2, 1), (7, 2), (9, 1)],
    ),
    "moving windows": (
        lambda t, _: t.select(
            "j",
            F.sum("i").over(W.orderBy("j").rowsBetween(-1, W.currentRow)).alias("a"),
            F.sum("i").over(W.orderBy("j").rangeBetween(-2, 2)).alias("b"),
            F.lag("i", 1, 0).over(W.orderBy("j")).alias("c"),
            F.last("n", ignorenulls=True).over(W.orderBy("j")).alias("e"),
        ),
        "j int, a bigint, b bigint, c int, e int",
        [(2, 5, 5, 0, 4), (7, 8, 6, 5, 4), (9, 6, 6, 3, 2)],
    ),
    "a share of a total": (
        lambda t, _: t.select("j", (F.col("i") / F.sum("i").over(W.partitionBy("s"))).alias("x")),
        "j int, x double",
        [(2, 1.0), (7, 0.5), (9, 0.5)],
    ),
    "rows once per key": (lambda t, _: t.dropDuplicates(["s"]).select("s"), "s string", [("Zed",), ("abc",)]),
    "distinct rows": (lambda t, _: t.select("i", "s").dropDuplicates(), "i int, s string", [(3, "abc"), (5, "Zed")]),
    "the best row per key": (
        lambda t, _: t.withColumn("rn", F.row_number().over(W.partitionBy("s").orderBy(F.desc("j"))))
        .where("rn = 1")
        .drop("rn")
        .select("s", "j"),
        "s string, j int",
        [("Zed", 2), ("abc", 9)],
    ),
    "a union by place": (lambda t, _: t.select("i").union(t.select("j")).where("i > 6"), "i int", [(7,), (9,)]),
    "a union by name": (
        lambda t, _: t.select("i", "s").unionByName(t.select("s", "i")).distinct(),
        "i int, s string",
        [(3, "abc"), (5, "Zed")],
    ),
    "a union with missing columns": (
        lambda t, _: t.where("j = 2").select("i").unionByName(t.where("j = 2").select("s"), allowMissingColumns=True),
        "i int, s string",
        [(None, "Zed"), (5, None)],
    ),
    "differences and intersections": (
        lambda t, u: t.select("i").exceptAll(u.select("i")).union(t.select("i").intersect(u.select("i"))),
        "i int",
        [(3,), (3,), (5,)],
    ),
    "a set difference": (lambda t, u: t.select("i").subtract(u.select("i")), "i int", [(5,)]),
    "expressions as text": (
        lambda t, _: t.where("j = 7").selectExpr(
            "i", "i / 2 AS half", "cast(d AS int) AS di", "dayofweek(dt) AS dow", "substring(s, 0, 2) AS ss", "max(i)"
            " OVER () AS m"
        ),
        "i int, half double, di int, dow int, ss string, m int",
        [(3, 1.5, 2, 1, "ab", 3)],
    ),
    "one expression as text": (
        lambda t, _: t.select(F.expr("i div 2").alias("a"), F.expr("trunc(dt, 'MM')").alias("b")).distinct(),
        "a bigint, b date",
        [(1, date(2019, 12, 1)), (1, date(2020, 5, 1)), (2, date(2021, 1, 1))],
    ),
    "a field of a struct keeps its name": (
        lambda t, _: t.where("j = 7").select("st.x", F.col("st.y"), F.col("st").getField("x").alias("z")),
        "x int, y string, z int",
        [(1, "q", 1)],
    ),
    "arrays": (
        lambda t, _: t.where("j = 7").select(
            F.col("arr")[0].alias("a"),
            F.size("arr").alias("b"),
            F.transform("arr", lambda x: x * 2).alias("c"),
            F.transform("arr", lambda x, place: x + place).alias("d"),
            F.filter("arr", lambda x: x > 1).alias("e"),
            F.aggregate("arr", F.lit(0), lambda total, x: total + x).alias("f"),
            F.sort_array("arr", False).alias("g"),
            F.exists("arr", lambda x: x > 3).alias("h"),
        ),
        "a int, b int, c array<int>, d array<int>, e array<int>, f int, g array<int>, h boolean",
        [(1, 3, [2, 4, 6], [1, 3, 5], [2, 3], 6, [3, 2, 1], False)],
    ),
    "rows from arrays": (
        lambda t, _: t.where("j = 2").select("i", F.explode("arr").alias("e")),
        "i int, e int",
        [(5, 1), (5, 4)],
    ),
    "maps": (
        lambda t, _: t.where("j = 9").select(F.col("mp")["m"].alias("a"), F.create_map(F.lit("k"), "i").alias("b")),
        "a int, b map<string,int>",
        [(3, {"k": 3})],
    ),
    "dates": (
        lambda t, _: t.where("j = 7").select(
            F.dayofweek("dt").alias("a"),
            F.date_trunc("month", "ts").alias("b"),
            F.datediff("dt", F.lit("2020-01-01")).alias("c"),
            F.add_months("dt", 1).alias("d"),
            F.date_format("ts", "yyyy-MM-dd HH:mm").alias("e"),
            F.to_date(F.lit("02/01/2020"), "dd/MM/yyyy").alias("f"),
            F.timestamp_seconds(F.lit(1.5)).alias("g"),
        ),
        "a int, b timestamp, c int, d date, e string, f date, g timestamp",
        [(1, datetime(2020, 5, 1, tzinfo=UTC), 137, date(2020, 6, 17), "2020-05-17 13:04", date(2020, 1, 2),
          datetime(1970, 1, 1, 0, 0, 1, 500000, UTC))],
    ),
    "comparing dates with text": (
        lambda t, _: t.where(F.col("dt") > "2020-01-01").where(F.col("ts") < F.lit("2021-01-01")).select("i"),
        "i int",
        [(3,)],
    ),
    "text functions": (
        lambda t, _: t.where("j = 7").select(
            F.concat_ws("|", "s", "sn").alias("a"),
            F.substring("s", 0, 2).alias("b"),
            F.regexp_replace("s", "([ab])", "<$1>").alias("c"),
            F.instr("s", "b").alias("d"),
            F.col("s").like("a\\_c").alias("e"),
            F.round(F.lit(1.005), 2).alias("f"),
            F.col("s").isin("abc", "x").alias("g"),
        ),
        "a string, b string, c string, d int, e boolean, f double, g boolean",
        [("abc|10", "ab", "<a><b>c", 2, False, 1.01, True)],
    ),
    "filling numbers leaves other types alone": (
        lambda t, _: t.where("j = 7").select("n", "s", "bo").fillna(0),
        "n int, s string, bo boolean",
        [(0, "abc", True)],
    ),
    "filling by name": (
        lambda t, _: t.where("j = 9").select("n", "bo").na.fill({"bo": False, "n": 1}),
        "n int, bo boolean",
        [(2, False)],
    ),
    "dropping nulls": (lambda t, _: t.select("n", "bo").dropna(), "n int, bo boolean", [(4, False)]),
    "dropping nulls of some columns": (lambda t, _: t.na.drop(subset="n").select("n"), "n int", [(2,), (4,)]),
    "ordering puts nulls first": (lambda t, _: t.select("n").orderBy("n").limit(2), "n int", [(2,), (None,)]),
    "ordering down puts nulls last": (lambda t, _: t.select("n").sort(F.desc("n")).limit(2), "n int", [(2,), (4,)]),
    "cubes": (
        lambda t, _: t.cube("s").agg(F.count("*").alias("c")),
        "s string, c bigint",
        [("Zed", 1), ("abc", 2), (None, 3)],
    ),
    "hints change nothing": (
        lambda t, u: t.join(F.broadcast(u), "i").repartition(2).cache().select("name").distinct(),
        "name string",
        [("three",)],
    ),
    "casts": (
        lambda t, _: t.where("j = 7").select(
            F.col("d").cast("int").alias("a"), F.col("sn").cast("int").alias("b"), F.col("d").cast("decimal(10,1)")
        ),
        "a int, b int, d decimal(10,1)",
        [(2, 10, Decimal("2.8"))],
    ),
    "types of k.types": (
        lambda t, _: t.where("j = 7").select(F.col("i").cast(FRAME_API.types.LongType()).alias("a")),  # type: ignore[union-attr]
        "a bigint",
        [(3,)],
    ),
}  # fmt: skip


@pytest.mark.parametrize("name", BODIES)
def test_a_frame_has_the_rows_and_types_that_spark_gives(
    session: DuckDBSession, table: Any, others: Any, name: str
) -> None:
    body, schema, rows = BODIES[name]
    frame = body(table, others)
    fields = session.schema(frame).fields
    assert ", ".join(f"{field.name} {field.type}" for field in fields) == schema
    assert tuple(frame.columns) == tuple(field.name for field in fields)
    found = session.collect(frame).rows
    assert sorted(found, key=repr) == sorted(rows, key=repr)


def test_a_frame_computes_when_asked(table: Any) -> None:
    few = table.select("i", "s", "m").orderBy("j")
    assert few.count() == 3
    assert tuple(few.collect()[0]) == (5, "Zed", Decimal("7.05"))
    assert few.first().s == "Zed"
    assert few.head().i == 5
    assert len(few.head(2)) == len(few.take(2)) == 2
    assert few.where("i > 99").head() is None
    assert few.isEmpty() is False
    assert few.toArrow().num_rows == 3
    assert few.dtypes == [("i", "int"), ("s", "string"), ("m", "decimal(10,2)")]
    assert few.schema.names == ["i", "s", "m"]


def test_strange_column_names_work(make: Any, session: DuckDBSession) -> None:
    frame = make("größe int, `my col` int, order int, `a.b` int", [(1, 2, 3, 4)])
    assert session.schema(frame).names == ("größe", "my col", "order", "a.b")
    shown = frame.withColumn("x", F.col("größe") + F.col("`my col`") + F.col("order") + F.col("`a.b`"))
    assert session.collect(shown).rows == ((1, 2, 3, 4, 10),)
    assert (
        session.collect(frame.join(frame.select("größe", F.col("order").alias("o2")), "größe")).rows[0][-1]
        == 3
    )


def test_a_union_of_other_kinds_is_refused(session: DuckDBSession, table: Any) -> None:
    with pytest.raises(RunError, match="KDL-PORT-024: a set operation of integer and varchar in 'i'"):
        session.schema(table.select("i").union(table.select("s")))
