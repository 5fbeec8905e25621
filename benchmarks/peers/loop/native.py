"""The same tables as DuckDB's own: what dbt-duckdb and SQLMesh write. Arguments as for `loop.py`."""

from __future__ import annotations

import json
import sys
from pathlib import Path

import duckdb

WORK = json.loads(Path("work.json").read_text(encoding="utf-8"))
connection = duckdb.connect("tables.duckdb")
for name in sys.argv[1:] or WORK["pipes"]:
    pipe = WORK["pipes"][name]
    places = {item: WORK["sources"].get(item) for item in pipe["inputs"]}
    scans = {item: f"read_parquet('{path}')" if path else item for item, path in places.items()}
    connection.execute(f"CREATE OR REPLACE TABLE {name} AS {pipe['sql'].format(**scans)}")
connection.close()
