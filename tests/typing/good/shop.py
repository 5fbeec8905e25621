"""An app that uses everything of the public API. Checked, never run; no asserts."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime, timezone

import kindling as k


@dataclass
class Order:
    """A schema as a dataclass."""

    id: int
    price: float | None


app = k.App("shop", settings={"platform": "sail"}, storage=k.delta(location="lake"))

orders: k.Entity = app.source("orders", k.csv("o.csv", null_value="NA", header=True), schema=Order)
people = app.source("people", k.json("p.jsonl"), schema="id bigint", classify={"id": "pii"}, tags=["raw"])
events = app.source("events", k.storage("kafka", topic="events", partitions=3))
crm = app.ref("crm", "gold.customers", schema=k.Schema((k.Field("id", "bigint", nullable=False),)))


@app.pipe(context=True, storage=k.memory())
def seeds(context: k.Context) -> k.DataFrame:
    """No input: rows from the context."""
    context.log.info("made", slice=str(context.slice), limit=context.setting("shop.limit"))
    key: str = context.secret("secret://env/API#key").reveal()
    return context.frame([(1, key)], "id bigint, key string")


@app.pipe()
def empty() -> k.DataFrame:
    """Neither input nor context."""
    raise NotImplementedError


@app.pipe(
    orders,
    name="silver.orders",
    write=k.merge(on=["id"]),
    incremental=k.changes(deletes="ignore"),
    expect={"positive": "price > 0", "known": k.rule("id IS NOT NULL", on_fail="fail")},
    on_fail="quarantine",
    schema=Order,
    classify={"id": "pii"},
    storage=k.parquet("silver/orders"),
    tags=("daily",),
    drift="evolve",
    partition_by=["day"],
    timeout_s=60,
    retries=2,
    version="2",
    platform="sail",
)
def silver(df: k.DataFrame) -> k.DataFrame:
    """One input, each option."""
    first = k.dedupe(df, on=["id"], order_by=["price desc"])
    row = k.F.row_number().over(k.Window.partitionBy("id").orderBy("price"))
    column: k.Column = k.F.col("price").cast(k.types.DoubleType())
    return first.where("price IS NOT NULL").withColumn("row", row).withColumn("price", column)


@app.pipe(
    silver,
    people,
    write=k.append(),
    incremental=k.by_time("ts", every="1d", lookback="2d", start="2013-01-01"),
)
def two(a: k.DataFrame, b: k.DataFrame) -> k.DataFrame:
    """Two inputs; the pipe above is a handle."""
    return a.join(b, "id")


@app.pipe(silver, people, two, write=k.scd2(on=["id"], track=["price"]))
def three(a: k.DataFrame, b: k.DataFrame, c: k.DataFrame) -> k.DataFrame:
    """Three inputs."""
    return a.unionByName(b).unionByName(c)


@app.pipe(silver, people, two, three, write=k.replace(by=["day"]))
def four(a: k.DataFrame, b: k.DataFrame, c: k.DataFrame, d: k.DataFrame) -> k.DataFrame:
    """Four inputs."""
    return a.unionByName(b).unionByName(c).unionByName(d)


@app.pipe(silver, people, two, three, four, write=k.overwrite())
def five(a: k.DataFrame, b: k.DataFrame, c: k.DataFrame, d: k.DataFrame, e: k.DataFrame) -> k.DataFrame:
    """Five inputs."""
    return a.unionByName(b).unionByName(c).unionByName(d).unionByName(e)


@app.pipe(silver, people, two, three, four, five, context=True)
def six(  # noqa: PLR0917  # what is tested
    context: k.Context,
    a: k.DataFrame,
    b: k.DataFrame,
    c: k.DataFrame,
    d: k.DataFrame,
    e: k.DataFrame,
    f: k.DataFrame,
) -> k.DataFrame:
    """Six inputs and the context."""
    context.log.warning("six")
    return a.unionByName(b).unionByName(c).unionByName(d).unionByName(e).unionByName(f)


@app.pipe(silver, people, two, three, four, five, six)
def seven(*frames: k.DataFrame) -> k.DataFrame:
    """More than six are not counted by checkers, but by the app."""
    return frames[0]


gold: k.Pipe[[]] = app.sql(
    "gold.orders",
    "SELECT * FROM {silver} JOIN {crm} USING (id)",
    inputs={"silver": silver, "crm": crm},
    tags=["g"],
)
from_file = app.sql_file(
    "gold.more", "more.sql", inputs={"gold": gold}, expect={"a": "b"}, write=k.overwrite()
)

whole = k.App("whole")
whole.include(app, prefix="shop")
names: dict[str, k.Entity] = whole.entities()
whole.raise_faults(sql=True)


def test_by_calling(frame: k.DataFrame, context: k.Context) -> int:
    """Pipes are still plain functions."""
    made: k.DataFrame = two(silver(frame), frame)
    return made.count() + six(context, made, made, made, made, made, made).count() + seeds(context).count()


def values(error: Exception) -> tuple[str, int]:
    """Use the nouns that users meet."""
    day = k.Slice.interval(
        datetime(2013, 1, 1, tzinfo=timezone.utc), datetime(2013, 1, 2, tzinfo=timezone.utc)
    )
    key = k.TaskKey("silver.orders", day)
    address = k.Address("delta", "lake", ("silver", "orders"), uri="/lake/silver/orders")
    other: k.Address = address.replace(uri="/elsewhere")
    intent: k.Intent = k.merge(on=["id"])
    every: k.Incremental = k.changes()
    choice: k.StorageChoice = k.delta()
    rule: k.Rule = k.rule("id > 0", on_fail="drop")
    if isinstance(error, k.Faults):
        return error.faults[0].code, error.exit_code
    if isinstance(error, k.KindlingError):
        return error.code, error.exit_code
    return f"{key} {other.uri} {intent.name} {every.kind} {choice.option('location')} {rule.condition}", 0
