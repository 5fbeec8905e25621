"""Engine and first query by hand. Usage: python first_query.py sail|duckdb."""

from __future__ import annotations

import sys


def main() -> None:
    """Start the engine and ask it once."""
    if sys.argv[1] == "duckdb":
        import duckdb
        from sqlframe.duckdb import DuckDBSession

        print(DuckDBSession(conn=duckdb.connect()).sql("SELECT 1 AS one").collect())
        return
    from pysail.spark import SparkConnectServer
    from pyspark.sql import SparkSession

    server = SparkConnectServer("127.0.0.1", 0)
    server.start(background=True)
    address = server.listening_address
    assert address is not None  # noqa: S101  # it was just started
    spark = SparkSession.builder.remote(f"sc://127.0.0.1:{address[1]}").getOrCreate()
    print(spark.sql("SELECT 1 AS one").collect())
    spark.stop()  # else the exit of the interpreter sometimes hangs


main()
