"""The work of the frozen hand-written loops: five CSV files to bronze, silver and four gold tables."""

from __future__ import annotations

import os

import kindling as k

DATA = os.environ["KINDLING_TEST_DATA"]
KEY = ["year", "month", "day", "carrier", "flight", "origin", "sched_dep_time"]
LATE_MIN = 15

app = k.App("loop")


def copied(name: str) -> k.Pipe[[k.DataFrame]]:
    """Declare the bronze table of one CSV file."""
    source = app.source(f"raw.{name}", k.csv(f"{DATA}/{name}.csv", null_value="NA"))

    @app.pipe(source, name=f"bronze.{name}")
    def table(df: k.DataFrame) -> k.DataFrame:
        return df

    return table


flights, planes, airports, airlines, weather = (
    copied(name) for name in ("flights", "planes", "airports", "airlines", "weather")
)


@app.pipe(flights, name="silver.flights")
def clean(df: k.DataFrame) -> k.DataFrame:
    """Flights that left, one row for each key."""
    left = df.where("dep_time is not null").withColumn("late", k.F.col("arr_delay") > LATE_MIN)
    return k.dedupe(left, on=KEY, order_by=["dep_time"])


@app.pipe(clean, airlines, name="gold.carrier")
def carrier(c: k.DataFrame, a: k.DataFrame) -> k.DataFrame:
    """Share of late flights of each carrier."""
    late = k.F.avg(k.F.col("late").cast("int")).alias("late")
    return c.join(a, "carrier").groupBy("carrier", "name").agg(k.F.count("*").alias("n"), late)


@app.pipe(clean, planes, name="gold.plane")
def plane(c: k.DataFrame, p: k.DataFrame) -> k.DataFrame:
    """Mean delay by manufacturer."""
    built = p.select("tailnum", "manufacturer", k.F.col("year").alias("built"))
    found = c.join(built, "tailnum").groupBy("manufacturer")
    return found.agg(k.F.count("*").alias("n"), k.F.avg("arr_delay").alias("d"))


@app.pipe(clean, weather, name="gold.weather")
def visibility(c: k.DataFrame, w: k.DataFrame) -> k.DataFrame:
    """Mean delay by visibility."""
    seen = w.select("origin", "time_hour", "visib")
    return (
        c.join(seen, ["origin", "time_hour"]).groupBy("origin", "visib").agg(k.F.avg("dep_delay").alias("d"))
    )


@app.pipe(clean, name="gold.route")
def route(c: k.DataFrame) -> k.DataFrame:
    """Flights of each route."""
    return c.groupBy("origin", "dest").agg(k.F.count("*").alias("n"))
