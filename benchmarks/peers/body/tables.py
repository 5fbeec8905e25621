"""What every side that writes Delta tables with DuckDB does for one table; copied beside each project.

`work.json` lists sources and, in an order in which they can be made, the tables with their SQL.
"""

from __future__ import annotations

import json
import os
from pathlib import Path

import duckdb
from deltalake import DeltaTable, write_deltalake

WORK = json.loads(Path("work.json").read_text(encoding="utf-8"))
LAKE = Path(os.environ.get("BENCH_LAKE", "lake"))
PIPES: dict[str, dict[str, list[str] | str]] = WORK["pipes"]

connection = duckdb.connect()


def scan(name: str) -> str:
    """Return what reads a source or a table in SQL."""
    if name in WORK["sources"]:
        return f"read_parquet('{WORK['sources'][name]}')"
    return f"read_parquet({DeltaTable(str(LAKE / name)).file_uris()})"


def query(name: str) -> duckdb.DuckDBPyRelation:
    """Return what one table is made of."""
    inputs = PIPES[name]["inputs"]
    return connection.sql(str(PIPES[name]["sql"]).format(**{item: scan(item) for item in inputs}))


def write(name: str, rows: duckdb.DuckDBPyRelation) -> None:
    """Write one table; DuckDB hands its rows over as an Arrow stream."""
    write_deltalake(str(LAKE / name), rows, mode="overwrite")


def make(name: str) -> None:
    """Read, transform and write one table."""
    write(name, query(name))


def made(name: str, sql: str, **inputs: str) -> str:
    """Write one table and return it with its version, for a peer that goes by what its functions return."""
    write(name, connection.sql(sql.format(**{item: scan(item) for item in inputs})))
    return f"{name}@{DeltaTable(str(LAKE / name)).version()}"
