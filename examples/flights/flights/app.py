"""Fourteen pipes from CSV files to five gold tables, in Python and SQL.

A tail number leads to an aircraft and its owner, so it is classified here; `kindling.toml` says who sees
what of it.
"""

from __future__ import annotations

import kindling as k
from flights.rules import is_late

app = k.App("flights")

# --- sources: files as they are delivered -------------------------------------------------------------

TAIL = {"tailnum": "aircraft.tail"}

flights_csv = app.source("raw.flights", k.csv("data/flights/*.csv.zip", null_value="NA"), classify=TAIL)
airlines_csv = app.source("raw.airlines", k.csv("data/airlines.csv", null_value="NA"))
airports_csv = app.source("raw.airports", k.csv("data/airports.csv", null_value="NA"))
planes_csv = app.source("raw.planes", k.csv("data/planes.csv", null_value="NA"), classify=TAIL)
weather_csv = app.source("raw.weather", k.csv("data/weather.csv", null_value="NA"))

# --- bronze: the same rows as tables ------------------------------------------------------------------


@app.pipe(flights_csv, name="bronze.flights", write=k.append(), incremental=k.changes(), tags=["bronze"])
def bronze_flights(new: k.DataFrame) -> k.DataFrame:
    """Append the months that were not read before."""
    return new


airlines = app.sql(
    "bronze.airlines", "SELECT carrier, name FROM {rows}", inputs={"rows": airlines_csv}, tags=["bronze"]
)


@app.pipe(airports_csv, name="bronze.airports", tags=["bronze"])
def airports(df: k.DataFrame) -> k.DataFrame:
    return df.select("faa", k.F.col("name").alias("airport"), "lat", "lon", "tzone")


@app.pipe(planes_csv, name="bronze.planes", tags=["bronze"])
def bronze_planes(df: k.DataFrame) -> k.DataFrame:
    return df.withColumnRenamed("year", "built")


@app.pipe(weather_csv, name="bronze.weather", tags=["bronze"])
def bronze_weather(df: k.DataFrame) -> k.DataFrame:
    return df


# --- silver: clean, one row per key -------------------------------------------------------------------

FLIGHT_KEY = ["year", "month", "day", "carrier", "flight", "origin", "sched_dep_time"]


@app.pipe(
    bronze_flights,
    name="silver.flights",
    expect={
        "plausible delay": "dep_delay > -30",
        "known plane": k.rule("tailnum IS NOT NULL", on_fail="warn"),
        "positive distance": k.rule("distance > 0", on_fail="fail"),
    },
    on_fail="quarantine",
    tags=["silver"],
)
def flights(df: k.DataFrame) -> k.DataFrame:
    """Keep flights that left, one row per flight."""
    left = df.where("dep_time IS NOT NULL").withColumn("late", is_late("arr_delay"))
    return k.dedupe(left, on=FLIGHT_KEY, order_by=["dep_time", "tailnum"])


@app.pipe(bronze_planes, name="silver.planes", write=k.merge(on=["tailnum"]), tags=["silver"])
def planes(df: k.DataFrame) -> k.DataFrame:
    """Keep planes up to date by tail number."""
    return df.select("tailnum", "built", "manufacturer", "model", "seats", "engines")


@app.pipe(bronze_weather, name="silver.weather", tags=["silver"])
def weather(df: k.DataFrame) -> k.DataFrame:
    """Keep one observation per airport and hour."""
    kept = df.select("origin", "time_hour", "temp", "wind_speed", "precip", "visib")
    return k.dedupe(kept, on=["origin", "time_hour"], order_by=["temp", "visib"])


# --- a memory entity: joined once, read by two pipes --------------------------------------------------


@app.pipe(flights, planes, airports, name="work.trips", storage=k.memory())
def trips(f: k.DataFrame, p: k.DataFrame, a: k.DataFrame) -> k.DataFrame:
    """Flights with their plane and the airport they went to."""
    built = p.select("tailnum", "manufacturer", "built")
    to = a.select(k.F.col("faa").alias("dest"), k.F.col("airport").alias("to_airport"))
    return f.join(built, "tailnum", "left").join(to, "dest", "left")


# --- gold: what people ask for ------------------------------------------------------------------------

carriers = app.sql(
    "gold.carriers",
    """
    SELECT a.name AS airline, count(*) AS flights, avg(CAST(f.late AS INT)) AS late,
           avg(f.arr_delay) AS mean_arr_delay
    FROM {flights} f JOIN {airlines} a ON f.carrier = a.carrier
    GROUP BY a.name
    """,
    inputs={"flights": flights, "airlines": airlines},
    tags=["gold"],
)


@app.pipe(trips, name="gold.manufacturers", tags=["gold"])
def manufacturers(df: k.DataFrame) -> k.DataFrame:
    """How late the planes of each manufacturer arrive, and how old they are."""
    return (
        df.where("manufacturer IS NOT NULL")
        .groupBy("manufacturer")
        .agg(
            k.F.count("*").alias("flights"),
            k.F.avg("arr_delay").alias("mean_arr_delay"),
            k.F.min("built").alias("oldest"),
        )
    )


routes = app.sql(
    "gold.routes",
    """
    SELECT origin, dest, max(to_airport) AS to_airport, count(*) AS flights, sum(distance) AS miles
    FROM {trips} GROUP BY origin, dest
    """,
    inputs={"trips": trips},
    tags=["gold"],
)

aircraft = app.sql(
    "gold.aircraft",
    """
    SELECT tailnum, count(*) AS flights, avg(CAST(late AS INT)) AS late, sum(distance) AS miles
    FROM {flights} WHERE tailnum IS NOT NULL GROUP BY tailnum
    """,
    inputs={"flights": flights},
    tags=["gold"],
)


@app.pipe(flights, weather, name="gold.weather", tags=["gold"])
def visibility(f: k.DataFrame, w: k.DataFrame) -> k.DataFrame:
    """Departure delay by visibility at each airport."""
    seen = w.select("origin", "time_hour", "visib")
    return (
        f.join(seen, ["origin", "time_hour"])
        .groupBy("origin", "visib")
        .agg(k.F.count("*").alias("flights"), k.F.avg("dep_delay").alias("mean_dep_delay"))
    )
