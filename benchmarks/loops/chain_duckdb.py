"""The chain of `apps/chain`, written by hand with sqlframe on DuckDB and deltalake. Usage: ... OUT."""

from __future__ import annotations

import os
import sys
from pathlib import Path

import duckdb
from deltalake import DeltaTable, write_deltalake
from sqlframe.duckdb import DuckDBDataFrame, DuckDBSession
from sqlframe.duckdb import functions as F  # noqa: N812  # as everybody writes it

OUT = Path(sys.argv[1])
LENGTH = int(os.environ.get("BENCH_LENGTH", "30"))
FIRST = "SELECT CAST(id AS BIGINT) AS id, CAST(0 AS BIGINT) AS v FROM range(1, 3) AS two(id)"

connection = duckdb.connect()
spark = DuckDBSession(conn=connection)


def read(name: str) -> DuckDBDataFrame:
    """Read one table's files."""
    return spark.read.parquet(*DeltaTable(str(OUT / name)).file_uris())


def write(frame: DuckDBDataFrame, name: str) -> None:
    """Write one table; DuckDB hands its rows over as an Arrow stream."""
    query = frame.sql(dialect="duckdb", optimize=False)
    write_deltalake(str(OUT / name), connection.sql(query), mode="overwrite")


write_deltalake(str(OUT / "n0"), connection.sql(FIRST), mode="overwrite")
for number in range(1, LENGTH):
    write(read(f"n{number - 1}").select("id", (F.col("v") + 1).alias("v")), f"n{number}")
