"""Cases of the frame API: functions of the input frames, by name. What they cover stands in the name."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import kindling as k

Tables = dict[str, Any]

FRAMES: dict[str, Callable[[Tables], Any]] = {
    "select columns": lambda t: t["grp"].select("k", "g"),
    "select expressions": lambda t: t["plain"].select(
        "k", (k.F.col("i") + 1).alias("a"), k.F.lit("x").alias("b")
    ),
    "select a struct's field": lambda t: t["nest"].select("k", "st.x"),
    "select computed without a name": lambda t: t["plain"].select("k", k.F.col("i") + 1),
    "selectExpr": lambda t: t["plain"].selectExpr("k", "i + j AS a", "upper('x') AS b"),
    "selectExpr star": lambda t: t["lhs"].selectExpr("*", "k * 2 AS z"),
    "expr": lambda t: t["plain"].select("k", k.F.expr("i div 2").alias("a")),
    "where text": lambda t: t["grp"].where("i > 2 AND g = 'b'"),
    "where column": lambda t: t["grp"].where((k.F.col("i") > 2) & k.F.col("g").isin("a", "b")),
    "filter not": lambda t: t["grp"].filter(~(k.F.col("i") > 2)),
    "filter chained": lambda t: t["grp"].filter("i > 1").filter(k.F.col("o") < 3),
    "attribute columns": lambda t: t["grp"].where(t["grp"].i > 2).select("k"),
    "item columns": lambda t: t["grp"].where(t["grp"]["i"].isNotNull()).select("k"),
    "withColumn": lambda t: t["plain"].select("k", "i").withColumn("a", k.F.col("i") * 2),
    "withColumn over a name": lambda t: t["plain"].select("k", "i").withColumn("I", k.F.col("i") * 2),
    "withColumns": lambda t: (
        t["plain"].select("k", "i").withColumns({"a": k.F.col("i") + 1, "b": k.F.lit(2)})
    ),
    "withColumnRenamed": lambda t: t["lhs"].withColumnRenamed("v", "Word"),
    "withColumnsRenamed": lambda t: t["lhs"].withColumnsRenamed({"v": "a", "d": "b"}),
    "drop": lambda t: t["lhs"].drop("v", "nothing"),
    "drop column": lambda t: t["lhs"].drop(k.F.col("d")),
    "toDF": lambda t: t["one"].toDF("renamed"),
    "alias": lambda t: (
        t["lhs"].alias("a").join(t["rhs"].alias("b"), k.F.col("a.id") == k.F.col("b.id")).select("a.k", "b.q")
    ),
    "distinct": lambda t: t["grp"].select("g").distinct(),
    "dropDuplicates": lambda t: t["grp"].select("g", "o").dropDuplicates(),
    "dropDuplicates keys": lambda t: t["grp"].dropDuplicates(["g"]).select("g"),
    "drop_duplicates": lambda t: t["lhs"].select("d").drop_duplicates(),
    "dedupe": lambda t: k.dedupe(t["grp"], on=["g"], order_by=["i desc", "k"]),
    "dedupe ascending": lambda t: k.dedupe(t["grp"], on=["g"], order_by=["i", "k"]),
    "when otherwise": lambda t: t["plain"].select(
        "k", k.F.when(k.F.col("i") > 3, "big").when(k.F.col("i") > 0, "small").otherwise("none").alias("a")
    ),
    "when alone": lambda t: t["plain"].select("k", k.F.when(k.F.col("bo"), k.F.col("i")).alias("a")),
    "join inner": lambda t: t["lhs"].join(t["rhs"], "id").select("id", "k", "q"),
    "join list": lambda t: t["lhs"].join(t["rhs"], ["id"], "left").select("id", "k", "q"),
    "join left": lambda t: t["lhs"].join(t["rhs"], t["lhs"]["id"] == t["rhs"]["id"], "left").select("k", "q"),
    "join right": lambda t: (
        t["lhs"].join(t["rhs"], t["lhs"]["id"] == t["rhs"]["id"], "right").select("k", "q")
    ),
    "join outer": lambda t: t["lhs"].join(t["rhs"], ["id"], "outer").select("id", "k", "q"),
    "join right by name": lambda t: t["lhs"].join(t["rhs"], ["id"], "right").select("id", "k", "q"),
    "join full and where": lambda t: (
        t["lhs"].join(t["rhs"], "id", "full_outer").where("id > 1").select("id", "k")
    ),
    "join full and group": lambda t: (
        t["lhs"].select("id").join(t["rhs"].select("id", "q"), "id", "fullouter").groupBy("id").count()
    ),
    "ltrim": lambda t: t["txt"].select(
        "k", k.F.ltrim("s").alias("a"), k.F.ltrim("s", k.F.lit("H")).alias("b")
    ),
    "trim letters": lambda t: t["txt"].select("k", k.F.trim("s", k.F.lit("aH")).alias("b")),
    "join semi": lambda t: t["lhs"].join(t["rhs"], ["id"], "left_semi").select("k"),
    "join anti": lambda t: t["lhs"].join(t["rhs"], ["id"], "left_anti").select("k"),
    "join cross": lambda t: t["one"].crossJoin(t["rhs"].select("q")),
    "join two keys": lambda t: t["lhs"].join(t["rhs"], ["id", "d"]).select("id", "k", "q"),
    "join all columns": lambda t: t["lhs"].select("id", "k").join(t["rhs"].select("id", "q"), "id", "full"),
    "join null safe": lambda t: (
        t["lhs"].join(t["rhs"], t["lhs"]["id"].eqNullSafe(t["rhs"]["id"])).select("k", "q")
    ),
    "join range": lambda t: t["lhs"].join(t["rhs"], t["lhs"]["k"] < t["rhs"]["q"]).select("k", "q"),
    "join ambiguous": lambda t: t["lhs"].join(t["rhs"], t["lhs"]["id"] == t["rhs"]["id"]).select("id"),
    "join empty": lambda t: t["lhs"].join(t["empty"].select("k", "i"), "k", "left").select("k", "i"),
    "union": lambda t: t["lhs"].select("id").union(t["rhs"].select("id")),
    "union of types": lambda t: t["lhs"].select("id").union(t["rhs"].select("d")),
    "unionByName": lambda t: t["lhs"].select("id", "d").unionByName(t["rhs"].select("d", "id")),
    "unionByName missing": lambda t: (
        t["lhs"].select("id", "v").unionByName(t["rhs"].select("id"), allowMissingColumns=True)
    ),
    "intersect": lambda t: t["lhs"].select("id").intersect(t["rhs"].select("id")),
    "subtract": lambda t: t["lhs"].select("id").subtract(t["rhs"].select("id")),
    "exceptAll": lambda t: t["lhs"].select("id").exceptAll(t["rhs"].select("id")),
    "intersectAll": lambda t: t["lhs"].select("id").intersectAll(t["rhs"].select("id")),
    "groupBy agg": lambda t: (
        t["grp"].groupBy("g").agg(k.F.sum("i").alias("s"), k.F.count("*").alias("n"), k.F.max("s").alias("m"))
    ),
    "groupBy unnamed": lambda t: t["grp"].groupBy("g").agg(k.F.sum("i"), k.F.avg("e"), k.F.count("i")),
    "groupBy dict": lambda t: t["grp"].groupBy("g").agg({"i": "sum"}),
    "groupBy count": lambda t: t["grp"].groupBy("g", "bo").count(),
    "groupBy sum": lambda t: t["grp"].groupBy("g").sum("i"),
    "groupBy max": lambda t: t["grp"].groupBy("g").max("i", "e"),
    "groupBy mean": lambda t: t["grp"].groupBy("g").mean("e"),
    "groupBy expression": lambda t: (
        t["grp"].groupBy(k.F.upper("g").alias("u")).agg(k.F.count("*").alias("n"))
    ),
    "groupBy float": lambda t: t["lhs"].groupBy("d").agg(k.F.count("*").alias("n")),
    "agg alone": lambda t: t["grp"].agg(k.F.min("k").alias("a"), k.F.countDistinct("g").alias("b")),
    "agg empty": lambda t: t["empty"].agg(k.F.sum("i").alias("a"), k.F.count("*").alias("b")),
    "rollup": lambda t: t["grp"].rollup("g", "o").agg(k.F.count("*").alias("n")),
    "cube": lambda t: t["grp"].cube("g", "o").agg(k.F.count("*").alias("n")),
    "pivot": lambda t: t["grp"].groupBy("g").pivot("o", [1, 2]).sum("i"),
    "pivot without values": lambda t: t["grp"].groupBy("g").pivot("bo").count(),
    "unpivot": lambda t: t["plain"].unpivot("k", ["i", "j"], "c", "v"),
    "window row_number": lambda t: t["grp"].select(
        "k", k.F.row_number().over(k.Window.partitionBy("g").orderBy("i", "k")).alias("r")
    ),
    "window descending": lambda t: t["grp"].select(
        "k",
        k.F.row_number()
        .over(k.Window.partitionBy("g").orderBy(k.F.col("i").desc(), k.F.desc("k")))
        .alias("r"),
    ),
    "window nulls": lambda t: t["grp"].select(
        "k",
        k.F.row_number()
        .over(k.Window.orderBy(k.F.col("i").asc_nulls_last(), k.F.col("d").desc_nulls_first(), "k"))
        .alias("r"),
    ),
    "window sum": lambda t: t["grp"].select(
        "k", k.F.sum("i").over(k.Window.partitionBy("g").orderBy("k")).alias("r")
    ),
    "window rows": lambda t: t["grp"].select(
        "k", k.F.sum("i").over(k.Window.orderBy("k").rowsBetween(-1, k.Window.currentRow)).alias("r")
    ),
    "window range": lambda t: t["grp"].select(
        "k", k.F.sum("i").over(k.Window.orderBy("o").rangeBetween(-1, 0)).alias("r")
    ),
    "window unbounded": lambda t: t["grp"].select(
        "k",
        k.F.last("i")
        .over(
            k.Window.partitionBy("g")
            .orderBy("k")
            .rowsBetween(k.Window.unboundedPreceding, k.Window.unboundedFollowing)
        )
        .alias("r"),
    ),
    "window lag": lambda t: t["grp"].select(
        "k", k.F.lag("i", 1, 0).over(k.Window.partitionBy("g").orderBy("k")).alias("r")
    ),
    "window lead": lambda t: t["grp"].select("k", k.F.lead("s").over(k.Window.orderBy("k")).alias("r")),
    "window ntile": lambda t: t["grp"].select("k", k.F.ntile(3).over(k.Window.orderBy("k")).alias("r")),
    "window rank": lambda t: t["grp"].select(
        "k", k.F.rank().over(k.Window.partitionBy("g").orderBy("o")).alias("r")
    ),
    "window of aggregate": lambda t: (
        t["grp"]
        .groupBy("g")
        .agg(k.F.count("*").alias("n"))
        .select("g", k.F.rank().over(k.Window.orderBy("n", "g")).alias("r"))
    ),
    "orderBy name": lambda t: t["grp"].select("k", "g").orderBy("g", "k"),
    "orderBy descending": lambda t: t["grp"].select("k", "i").orderBy(k.F.col("i").desc(), "k"),
    "orderBy flags": lambda t: t["grp"].select("k", "i").orderBy(["i", "k"], ascending=[False, True]),
    "orderBy limit": lambda t: t["num"].select("k", "d").sort("d", "k").limit(4),
    "orderBy offset": lambda t: t["grp"].select("k").orderBy("k").offset(3).limit(2),
    "fillna number": lambda t: t["plain"].fillna(0),
    "fillna text": lambda t: t["lhs"].fillna("?"),
    "fillna dict": lambda t: t["plain"].select("k", "i", "d").na.fill({"i": -1, "d": 0.5}),
    "dropna": lambda t: t["grp"].dropna().select("k"),
    "dropna subset": lambda t: t["grp"].na.drop(subset=["i"]).select("k"),
    "dropna all": lambda t: t["grp"].select("i", "d", "k").dropna("all", subset=["i", "d"]),
    "replace": lambda t: t["lhs"].replace("one", "1"),
    "cast": lambda t: t["plain"].select(
        "k", k.F.col("i").cast("string").alias("a"), k.F.col("d").cast("int").alias("b")
    ),
    "cast type": lambda t: t["plain"].select("k", k.F.col("i").cast(k.types.DoubleType()).alias("a")),
    "cast decimal": lambda t: t["plain"].select("k", k.F.col("d").cast("decimal(12,2)").alias("a")),
    "astype": lambda t: t["plain"].select("k", k.F.col("i").astype("bigint").alias("a")),
    "between": lambda t: t["plain"].select("k", k.F.col("i").between(0, 10).alias("a")),
    "isin": lambda t: t["plain"].select("k", k.F.col("i").isin([3, 7]).alias("a")),
    "like": lambda t: t["txt"].select(
        "k", k.F.col("s").like("%o%").alias("a"), k.F.col("s").rlike("[0-9]").alias("b")
    ),
    "ilike": lambda t: t["txt"].select("k", k.F.col("s").ilike("hello%").alias("a")),
    "contains": lambda t: t["txt"].select(
        "k",
        k.F.col("s").contains("l").alias("a"),
        k.F.col("s").startswith("H").alias("b"),
        k.F.col("s").endswith("3").alias("c"),
    ),
    "substr": lambda t: t["txt"].select(
        "k", k.F.col("s").substr(2, 3).alias("a"), k.F.substring("s", 1, 2).alias("b")
    ),
    "isNull": lambda t: t["plain"].select(
        "k", k.F.col("i").isNull().alias("a"), k.F.col("i").isNotNull().alias("b")
    ),
    "eqNullSafe": lambda t: t["plain"].select("k", k.F.col("i").eqNullSafe(None).alias("a")),
    "getItem": lambda t: t["nest"].select(
        "k", k.F.col("m").getItem("a").alias("b"), k.F.col("st").getField("y").alias("c")
    ),
    "getItem index": lambda t: t["nest"].where("k = 1").select("k", k.F.col("a").getItem(1).alias("b")),
    "arithmetic": lambda t: t["plain"].select(
        "k",
        (k.F.col("i") / k.F.col("j")).alias("a"),
        (k.F.col("i") % 2).alias("b"),
        (-k.F.col("i")).alias("c"),
        (2 - k.F.col("i")).alias("e"),
    ),
    "power": lambda t: t["plain"].select("k", (k.F.col("i") ** 2).alias("a")),
    "bitwise": lambda t: t["plain"].select(
        "k", k.F.col("i").bitwiseAND(6).alias("a"), k.F.col("i").bitwiseOR(1).alias("b")
    ),
    "logic": lambda t: t["plain"].select(
        "k", ((k.F.col("i") > 1) | k.F.col("bo")).alias("a"), (~k.F.col("bo")).alias("b")
    ),
    "literals": lambda t: t["one"].select(
        k.F.lit(1).alias("a"),
        k.F.lit(1.5).alias("b"),
        k.F.lit("x").alias("c"),
        k.F.lit(True).alias("d"),
        k.F.lit(None).alias("e"),
    ),
    "literal nan": lambda t: t["one"].select(
        k.F.lit(float("nan")).alias("a"), k.F.lit(float("-inf")).alias("b")
    ),
    "literal list": lambda t: t["one"].select(k.F.lit([1, 2]).alias("a")),
    "literal large": lambda t: t["one"].select(k.F.lit(2**40).alias("a")),
    "concat": lambda t: t["txt"].select(
        "k", k.F.concat("s", k.F.lit("-"), "u").alias("a"), k.F.concat_ws(",", "s", "u").alias("b")
    ),
    "coalesce": lambda t: t["plain"].select("k", k.F.coalesce("i", k.F.lit(0)).alias("a")),
    "greatest": lambda t: t["plain"].select(
        "k", k.F.greatest("i", "j").alias("a"), k.F.least("i", "j").alias("b")
    ),
    "round": lambda t: t["plain"].select(
        "k", k.F.round("d", 1).alias("a"), k.F.floor("d").alias("b"), k.F.ceil("d").alias("c")
    ),
    "regexp": lambda t: t["txt"].select(
        "k",
        k.F.regexp_replace("s", "[aeiou]", "*").alias("a"),
        k.F.regexp_extract("s", "([a-z]+)", 1).alias("b"),
    ),
    "split": lambda t: t["txt"].select("k", k.F.split("p", ",").alias("a")),
    "dates": lambda t: t["time"].select(
        "k",
        k.F.year("d").alias("a"),
        k.F.date_add("d", 1).alias("b"),
        k.F.datediff("d", "e").alias("c"),
        k.F.dayofweek("d").alias("e"),
        k.F.last_day("d").alias("f"),
    ),
    "date_format": lambda t: t["time"].select("k", k.F.date_format("ts", "yyyy-MM-dd HH:mm").alias("a")),
    "to_date": lambda t: t["time"].select(
        "k", k.F.to_date("ds", "yyyy-MM-dd").alias("a"), k.F.to_timestamp("tss").alias("b")
    ),
    "date_trunc": lambda t: t["time"].select(
        "k", k.F.date_trunc("month", "ts").alias("a"), k.F.trunc("d", "year").alias("b")
    ),
    "time zones": lambda t: t["time"].select("k", k.F.from_utc_timestamp("ts", "Europe/Berlin").alias("a")),
    "hashes": lambda t: t["txt"].select("k", k.F.sha2("s", 256).alias("a"), k.F.md5("s").alias("b")),
    "arrays": lambda t: t["nest"].select(
        "k",
        k.F.size("a").alias("n"),
        k.F.array_contains("a", 1).alias("c"),
        k.F.sort_array("a").alias("s"),
        k.F.element_at("m", "a").alias("e"),
    ),
    "array": lambda t: t["plain"].select(
        "k", k.F.array("i", "j").alias("a"), k.F.struct("i", "j").alias("b")
    ),
    "create_map": lambda t: t["plain"].select("k", k.F.create_map(k.F.lit("a"), "i").alias("m")),
    "transform": lambda t: t["nest"].select(
        "k", k.F.transform("a", lambda x: x + 1).alias("b"), k.F.filter("a", lambda x: x > 1).alias("c")
    ),
    "aggregate": lambda t: t["nest"].select(
        "k", k.F.aggregate("b", k.F.lit(0), lambda acc, x: acc + k.F.coalesce(x, k.F.lit(0))).alias("s")
    ),
    "exists": lambda t: t["nest"].select(
        "k", k.F.exists("a", lambda x: x > 2).alias("b"), k.F.forall("a", lambda x: x > 0).alias("c")
    ),
    "explode": lambda t: t["nest"].select("k", k.F.explode("a").alias("v")),
    "explode_outer": lambda t: t["nest"].select("k", k.F.explode_outer("a").alias("v")),
    "explode map": lambda t: t["nest"].select("k", k.F.explode("m").alias("x", "y")),
    "posexplode": lambda t: t["nest"].select("k", k.F.posexplode("a")),
    "collect": lambda t: (
        t["grp"]
        .groupBy("g")
        .agg(
            k.F.sort_array(k.F.collect_list("i")).alias("l"), k.F.sort_array(k.F.collect_set("s")).alias("s")
        )
    ),
    "statistics": lambda t: (
        t["grp"]
        .groupBy("g")
        .agg(
            k.F.stddev("e").alias("a"),
            k.F.var_pop("e").alias("b"),
            k.F.corr("e", "o").alias("c"),
            k.F.percentile_approx("i", 0.5).alias("d"),
            k.F.median("e").alias("f"),
        )
    ),
    "countDistinct": lambda t: (
        t["grp"]
        .groupBy("g")
        .agg(
            k.F.countDistinct("s").alias("a"),
            k.F.sum_distinct("i").alias("b"),
            k.F.count_distinct("i", "s").alias("c"),
        )
    ),
    "first last": lambda t: (
        t["grp"].groupBy("g").agg(k.F.max_by("s", "k").alias("a"), k.F.min_by("s", "k").alias("b"))
    ),
    "conditional aggregate": lambda t: (
        t["grp"].groupBy("g").agg(k.F.sum(k.F.when(k.F.col("bo"), 1).otherwise(0)).alias("a"))
    ),
    "json": lambda t: t["nest"].select("k", k.F.get_json_object("j", "$.a").alias("a")),
    "call_function": lambda t: t["plain"].select("k", k.F.call_function("abs", k.F.col("i")).alias("a")),
    "cache and repartition": lambda t: t["grp"].repartition(2).coalesce(1).cache().select("k"),
    "hint": lambda t: t["lhs"].join(k.F.broadcast(t["rhs"]), "id").select("id", "k", "q"),
    "transform method": lambda t: t["grp"].transform(lambda frame: frame.where("i > 3")).select("k"),
    "colRegex": lambda t: t["grp"].select(t["grp"].colRegex("`[gk]`")),
    "sample": lambda t: t["grp"].sample(1.0).select("k"),
    "overflow": lambda t: t["edge"].select("k", (k.F.col("i") + 1).alias("a")),
    "division by zero": lambda t: t["plain"].select("k", (k.F.col("i") / k.F.col("i")).alias("a")),
    "bad cast": lambda t: t["txt"].select("k", k.F.col("s").cast("int").alias("a")),
    "try_cast": lambda t: t["txt"].select("k", k.F.col("c").try_cast("int").alias("a")),
    "self join": lambda t: (
        t["lhs"].select("id", "k").join(t["lhs"].groupBy("id").agg(k.F.count("*").alias("n")), "id")
    ),
    "names in other case": lambda t: t["grp"].groupBy("G").agg(k.F.sum("I").alias("Total")),
    "empty groups": lambda t: t["empty"].groupBy("s").agg(k.F.sum("i").alias("a")),
    "isEmpty in code": lambda t: t["grp"].where(k.F.lit(not t["empty"].isEmpty())).select("k"),
}
