"""The hand-written loop on Sail or on JVM Spark with Delta: python delta_spark.py sail|jvm."""

from __future__ import annotations

import json
import sys
from pathlib import Path
from typing import TYPE_CHECKING

from pyspark.sql import SparkSession

if TYPE_CHECKING:
    from pyspark.sql import DataFrame

WORK = json.loads(Path("work.json").read_text(encoding="utf-8"))
LAKE = Path.cwd() / "lake"
JVM = {
    "spark.jars.packages": "io.delta:delta-spark_2.13:4.4.0",
    "spark.sql.extensions": "io.delta.sql.DeltaSparkSessionExtension",
    "spark.sql.catalog.spark_catalog": "org.apache.spark.sql.delta.catalog.DeltaCatalog",
    "spark.sql.shuffle.partitions": "2",
    "spark.databricks.delta.snapshotPartitions": "1",
    "spark.ui.enabled": "false",
}


def on_jvm() -> SparkSession:
    """Start Spark, tuned for one machine."""
    builder = SparkSession.builder.master("local[2]")
    for key, value in JVM.items():
        builder = builder.config(key, value)
    return builder.getOrCreate()


def read(name: str) -> DataFrame:
    """Read a source or a table."""
    if name in WORK["sources"]:
        return spark.read.parquet(WORK["sources"][name])
    return spark.read.format("delta").load(str(LAKE / name))


if sys.argv[1] == "jvm":
    spark = on_jvm()
else:
    from pysail.spark import SparkConnectServer

    server = SparkConnectServer("127.0.0.1", 0)  # it ends with its last reference
    server.start(background=True)
    address = server.listening_address
    spark = SparkSession.builder.remote(f"sc://127.0.0.1:{address[1]}").getOrCreate()
for table, pipe in WORK["pipes"].items():
    for item in pipe["inputs"]:
        read(item).createOrReplaceTempView(item)
    made = spark.sql(pipe["sql"].format(**{item: item for item in pipe["inputs"]}))
    made.write.format("delta").mode("overwrite").save(str(LAKE / table))
spark.stop()  # else the exit of the interpreter sometimes hangs
