"""The twelve pipes of `apps/medallion`, by hand on Sail and Delta. Usage: ... QUERIES DATA OUT WORKERS."""

from __future__ import annotations

import json
import sys
from concurrent.futures import ThreadPoolExecutor
from graphlib import TopologicalSorter
from pathlib import Path
from queue import SimpleQueue

from pysail.spark import SparkConnectServer
from pyspark.sql import DataFrame, SparkSession

QUERIES = json.loads(Path(sys.argv[1]).read_text(encoding="utf-8"))
DATA, OUT, WORKERS = Path(sys.argv[2]), Path(sys.argv[3]), int(sys.argv[4])

server = SparkConnectServer("127.0.0.1", 0)
server.start(background=True)
address = server.listening_address
spark = SparkSession.builder.remote(f"sc://127.0.0.1:{address[1]}").getOrCreate()


def frame_of(name: str) -> DataFrame:
    """Return what one table is made of."""
    kind, _, table = name.partition("_")
    if kind == "bronze":
        return (
            spark.read.schema(QUERIES["sources"][table]).option("header", "true").csv(f"{DATA}/{table}.csv")
        )
    query = QUERIES["pipes"][name]
    for item in query["inputs"]:
        spark.read.format("delta").load(str(OUT / item)).createOrReplaceTempView(item)
    return spark.sql(query["sql"].format(**{item: item for item in query["inputs"]}))


def make(name: str, done: SimpleQueue[str | BaseException]) -> None:
    """Write one table and say so."""
    try:
        frame_of(name).write.format("delta").mode("overwrite").save(str(OUT / name))
        done.put(name)
    except BaseException as error:  # noqa: BLE001  # raised again by the main thread
        done.put(error)


def main() -> None:
    """Make each table as soon as its inputs are there."""
    needs = {name: query["inputs"] for name, query in QUERIES["pipes"].items()}
    sorter = TopologicalSorter({**{f"bronze_{name}": [] for name in QUERIES["sources"]}, **needs})
    sorter.prepare()
    done: SimpleQueue[str | BaseException] = SimpleQueue()
    with ThreadPoolExecutor(WORKERS) as pool:
        while sorter.is_active():
            for name in sorter.get_ready():
                pool.submit(make, name, done)
            ended = done.get()
            if isinstance(ended, BaseException):
                raise ended
            sorter.done(ended)


main()
spark.stop()  # else the exit of the interpreter sometimes hangs
