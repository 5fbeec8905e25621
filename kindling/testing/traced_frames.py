"""Frames of PySpark's API and the origins of their columns, the same on every engine that has this API.

A plugin's test builds each of them with its session's modules and compares what the session traces.
"""

# ruff: noqa: ARG005, N803  # lambdas of one shape; their parameters are named as pipes name these things

from __future__ import annotations

from collections.abc import Callable
from typing import Any, TypeAlias

from kindling.frames import dedupe, with_frames
from kindling.hooks import Frame
from kindling.hooks.platform import Session
from kindling.lineage import ColumnLineage
from kindling.testing.rows import Row, frame_of

Build: TypeAlias = Callable[[Any, Any, Any, Any], Any]
"""From functions, Window and the inputs `a` and `b` to a frame; untyped, as pipe code is to a checker."""

A = "id int, who int, amount double, note string, xs array<int>"
B = "id int, name string, city string"
A_ROWS: list[Row] = [(1, 1, 2.5, "u", [1, 2]), (2, 1, 4.0, None, []), (3, 2, None, "v", [3])]
B_ROWS: list[Row] = [(1, "ada", "Bonn"), (2, "eve", "Rome")]

FRAMES: dict[str, tuple[Build, str]] = {
    "select": (
        lambda F, W, a, b: a.select("id", F.col("note").alias("n"), a["who"], a.amount),
        "id=a.id; n=a.note; who=a.who; amount=a.amount",
    ),
    "with_column": (
        lambda F, W, a, b: (
            a.select("id", "amount").withColumn("amount", F.col("amount") * 2).withColumn("z", F.lit(1))
        ),
        "id=a.id; amount=T:a.amount; z=",
    ),
    "with_columns": (
        lambda F, W, a, b: a.select("id").withColumns(
            {"x": F.col("id") + 1, "y": F.col("id").cast("string")}
        ),
        "id=a.id; x=T:a.id; y=T:a.id",
    ),
    "drop": (lambda F, W, a, b: a.drop("xs", "note").drop(a.amount), "id=a.id; who=a.who"),
    "rename": (
        lambda F, W, a, b: (
            a.select("id", "who").withColumnRenamed("who", "person").withColumnsRenamed({"id": "key"})
        ),
        "key=a.id; person=a.who",
    ),
    "to_df": (lambda F, W, a, b: b.toDF("x", "y", "z"), "x=b.id; y=b.name; z=b.city"),
    "filter": (
        lambda F, W, a, b: a.filter(F.col("amount") > 1).where("who = 1").select("note"),
        "note=a.note | a.amount a.who",
    ),
    "expr": (
        lambda F, W, a, b: a.select(
            F.expr("case when amount > 1 then note end as c"), F.expr("id + who").alias("s")
        ),
        "c=D:a.amount T:a.note; s=T:a.id T:a.who",
    ),
    "select_expr": (
        lambda F, W, a, b: a.selectExpr("id as k", "upper(note) as u", "*").drop("xs"),
        "k=a.id; u=T:a.note; id=a.id; who=a.who; amount=a.amount; note=a.note",
    ),
    "when": (
        lambda F, W, a, b: a.select(
            F.when(F.col("amount") > 1, F.col("note")).otherwise(F.lit("x")).alias("c")
        ),
        "c=D:a.amount T:a.note",
    ),
    "join_on": (
        lambda F, W, a, b: a.join(b, a.who == b.id, "left").select(a.id, b.name),
        "id=a.id; name=b.name | a.who b.id",
    ),
    "join_using": (
        lambda F, W, a, b: a.join(b, "id").select("id", "note", "city"),
        "id=a.id; note=a.note; city=b.city | a.id b.id",
    ),
    "join_using_full": (
        lambda F, W, a, b: a.join(b, ["id"], "full").select("id", "note", "city"),
        "id=T:a.id T:b.id; note=a.note; city=b.city | a.id b.id",
    ),
    "join_right": (
        lambda F, W, a, b: a.join(b, ["id"], "right").select("id", "note", "city"),
        "id=b.id; note=a.note; city=b.city | a.id b.id",
    ),
    "join_semi": (
        lambda F, W, a, b: a.join(b, a.who == b.id, "left_semi").select("id"),
        "id=a.id | a.who b.id",
    ),
    "join_anti": (
        lambda F, W, a, b: a.join(b, ["id"], "left_anti").select("note"),
        "note=a.note | a.id b.id",
    ),
    "cross": (lambda F, W, a, b: a.select("note").crossJoin(b.select("city")), "note=a.note; city=b.city"),
    "alias_join": (
        lambda F, W, a, b: (
            a.alias("l").join(b.alias("r"), F.col("l.who") == F.col("r.id")).select("l.id", "r.city")
        ),
        "id=a.id; city=b.city | a.who b.id",
    ),
    "self_join": (
        lambda F, W, a, b: (
            a.alias("l")
            .join(a.alias("r"), F.col("l.id") == F.col("r.who"))
            .select(F.col("l.note"), F.col("r.amount"))
        ),
        "note=a.note; amount=a.amount | a.id a.who",
    ),
    "group": (
        lambda F, W, a, b: a.groupBy("who").agg(
            F.sum("amount").alias("t"), F.count("*").alias("n"), F.max(F.col("note")).alias("m")
        ),
        "who=a.who; t=A:a.amount; n=; m=A:a.note | a.who",
    ),
    "group_count": (lambda F, W, a, b: a.groupBy("who").count(), "who=a.who; count= | a.who"),
    "agg": (
        lambda F, W, a, b: a.agg(F.countDistinct("note").alias("n"), F.avg("amount").alias("m")),
        "n=A:a.note; m=A:a.amount",
    ),
    "window": (
        lambda F, W, a, b: a.select(
            "id",
            F.row_number().over(W.partitionBy("who").orderBy(F.desc("amount"))).alias("r"),
            F.sum("amount").over(W.partitionBy("who")).alias("s"),
            F.lag("note").over(W.orderBy("id")).alias("l"),
        ),
        "id=a.id; r=D:a.amount D:a.who; s=A:a.amount D:a.who; l=D:a.id A:a.note",
    ),
    "union": (
        lambda F, W, a, b: a.select("id", "note").union(b.select("id", "name")),
        "id=a.id b.id; note=a.note b.name",
    ),
    "union_by_name": (
        lambda F, W, a, b: a.select("id", "note").unionByName(b.select(F.col("name").alias("note"), "id")),
        "id=a.id b.id; note=a.note b.name",
    ),
    "distinct": (lambda F, W, a, b: a.select("who").distinct(), "who=a.who | a.who"),
    "dropdup": (
        lambda F, W, a, b: a.select("who", "note").dropDuplicates(["who"]),
        "who=a.who; note=a.note | a.who",
    ),
    "order_by": (
        lambda F, W, a, b: a.select("who", "note").orderBy("who", F.desc("note")).limit(1),
        "who=a.who; note=a.note | a.note a.who",
    ),
    "sort_unselected": (lambda F, W, a, b: a.orderBy("amount").select("note"), "note=a.note | a.amount"),
    "explode": (lambda F, W, a, b: a.select("id", F.explode("xs").alias("x")), "id=a.id; x=T:a.xs | a.xs"),
    "fillna": (
        lambda F, W, a, b: a.select("id", "note").fillna("?", subset=["note"]),
        "id=a.id; note=T:a.note",
    ),
    "dropna": (
        lambda F, W, a, b: a.select("id", "note").dropna(subset=["note"]),
        "id=a.id; note=a.note | a.note",
    ),
    "intersect": (lambda F, W, a, b: a.select("id").intersect(b.select("id")), "id=a.id | a.id b.id"),
    "coalesce": (
        lambda F, W, a, b: a.select(
            F.coalesce(F.col("note"), F.lit("x")).alias("c"), F.concat_ws("-", "note", "id").alias("d")
        ),
        "c=T:a.note; d=T:a.id T:a.note",
    ),
    "transform": (
        lambda F, W, a, b: a.select(F.transform("xs", lambda x: x + F.col("who")).alias("t")),
        "t=T:a.who T:a.xs",
    ),
    "struct": (
        lambda F, W, a, b: a.select(F.struct("id", "note").alias("s")).select(
            "s.note", F.col("s")["id"].alias("i")
        ),
        "note=T:a.id T:a.note; i=T:a.id T:a.note",
    ),
    "dedupe": (
        lambda F, W, a, b: dedupe(a.select("who", "note", "amount"), on=["who"], order_by=["amount desc"]),
        "who=a.who; note=a.note; amount=a.amount | a.amount a.who",
    ),
    "chain": (
        lambda F, W, a, b: (
            a.withColumn("v", F.col("amount") * 2)
            .filter("v > 1")
            .groupBy("who")
            .agg(F.sum("v").alias("s"))
            .join(b, F.col("who") == b.id)
            .select("name", "s")
        ),
        "name=b.name; s=A:a.amount | a.amount a.who b.id",
    ),
}
"""The origins: `column=T:a.x ...; ... | rows`. T transformed, A aggregated, D decides, else as it is."""


def built(session: Session, name: str) -> tuple[Frame, dict[str, Frame]]:
    """Return one of the frames, and its inputs by entity."""
    inputs = {"a": frame_of(session, A, A_ROWS), "b": frame_of(session, B, B_ROWS)}
    api, build = session.frames, FRAMES[name][0]
    made = with_frames(api, lambda: build(api.functions, api.window, inputs["a"], inputs["b"]))
    return made, inputs


def told(lineage: ColumnLineage | None) -> str:
    """Return lineage as `FRAMES` writes it."""
    if lineage is None:
        return "opaque"
    signs = {"identity": "", "transformation": "T:", "aggregation": "A:", "indirect": "D:"}
    columns = "; ".join(
        f"{name}=" + " ".join(f"{signs[one.how]}{one.entity}.{one.column}" for one in origins)
        for name, origins in lineage.columns
    )
    rows = " ".join(f"{one.entity}.{one.column}" for one in lineage.rows)
    return f"{columns} | {rows}" if rows else columns
