"""The work of the frozen flights loops, with sqlframe on DuckDB and Delta tables by deltalake.

The frozen DuckDB loop writes DuckDB's own tables, Kindling writes Delta tables: this one writes what
Kindling writes. Usage: python flights_duckdb_delta.py DATA OUT.
"""

from __future__ import annotations

import sys
from pathlib import Path

import duckdb
from deltalake import DeltaTable, write_deltalake
from sqlframe.duckdb import DuckDBDataFrame, DuckDBSession, Window
from sqlframe.duckdb import functions as F  # noqa: N812  # as everybody writes it

DATA, OUT = Path(sys.argv[1]), Path(sys.argv[2])
KEY = ("year", "month", "day", "carrier", "flight", "origin", "sched_dep_time")

connection = duckdb.connect()
spark = DuckDBSession(conn=connection)


def read(name: str) -> DuckDBDataFrame:
    """Read one table's files."""
    return spark.read.parquet(*DeltaTable(str(OUT / name)).file_uris())


def write(query: str, name: str) -> None:
    """Write one table; DuckDB hands its rows over as an Arrow stream."""
    write_deltalake(str(OUT / name), connection.sql(query), mode="overwrite")


def save(frame: DuckDBDataFrame, name: str) -> None:
    """Write a frame."""
    write(frame.sql(dialect="duckdb", optimize=False), name)


for table in ("flights", "planes", "airports", "airlines", "weather"):
    write(f"SELECT * FROM read_csv('{DATA / table}.csv', nullstr='NA')", f"bronze.{table}")  # noqa: S608

left = read("bronze.flights").where("dep_time is not null").withColumn("late", F.col("arr_delay") > 15)  # noqa: PLR2004
order = Window.partitionBy(*KEY).orderBy(F.col("dep_time").asc())
save(left.withColumn("_r", F.row_number().over(order)).where("_r = 1").drop("_r"), "silver.flights")

clean = read("silver.flights")
late = F.avg(F.col("late").cast("int")).alias("late")
save(
    clean.join(read("bronze.airlines"), "carrier")
    .groupBy("carrier", "name")
    .agg(F.count("*").alias("n"), late),
    "gold.carrier",
)
built = read("bronze.planes").select("tailnum", "manufacturer", F.col("year").alias("built"))
found = clean.join(built, "tailnum").groupBy("manufacturer")
save(found.agg(F.count("*").alias("n"), F.avg("arr_delay").alias("d")), "gold.plane")
seen = read("bronze.weather").select("origin", "time_hour", "visib")
hours = clean.join(seen, ["origin", "time_hour"]).groupBy("origin", "visib")
save(hours.agg(F.avg("dep_delay").alias("d")), "gold.weather")
save(clean.groupBy("origin", "dest").agg(F.count("*").alias("n")), "gold.route")
