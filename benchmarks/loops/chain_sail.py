"""The chain of `apps/chain`, written by hand on Sail and Delta. Usage: python chain_sail.py OUT [rules]."""

from __future__ import annotations

import os
import sys
from pathlib import Path

from pysail.spark import SparkConnectServer
from pyspark.sql import DataFrame, SparkSession
from pyspark.sql import functions as F  # noqa: N812  # as everybody writes it

OUT = Path(sys.argv[1])
HAS_RULES = "rules" in sys.argv[2:]
LENGTH = int(os.environ.get("BENCH_LENGTH", "30"))
FIRST = (
    "SELECT CAST(1 AS BIGINT) AS id, CAST(0 AS BIGINT) AS v "
    "UNION ALL SELECT CAST(2 AS BIGINT), CAST(0 AS BIGINT)"
)


def write(frame: DataFrame, name: str) -> None:
    """Write one table."""
    frame.write.format("delta").mode("overwrite").save(str(OUT / name))


server = SparkConnectServer("127.0.0.1", 0)
server.start(background=True)
address = server.listening_address
spark = SparkSession.builder.remote(f"sc://127.0.0.1:{address[1]}").getOrCreate()
write(spark.sql(FIRST), "n0")
for number in range(1, LENGTH):
    before = spark.read.format("delta").load(str(OUT / f"n{number - 1}"))
    made = before.select("id", (F.col("v") + 1).alias("v"))
    if HAS_RULES:
        bad = made.agg(F.count(F.when(~(F.col("v") < 1000), 1)).alias("bad")).collect()[0]["bad"]  # noqa: PLR2004
        if bad:
            print(f"n{number}: {bad} rows are not small")
    write(made, f"n{number}")
spark.stop()  # else the exit of the interpreter sometimes hangs
