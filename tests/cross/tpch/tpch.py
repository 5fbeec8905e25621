"""Twenty-two questions of the shapes of TPC-H over eight sources, as SQL pipes.

The queries are written anew for Spark SQL with fixed parameters; money stays decimal, ratios are double.
Source: TPC Benchmark H, revision 3, clause 2.4, for what each query asks.
"""

from __future__ import annotations

import re
from pathlib import Path

import kindling as k

SOURCES = ("customer", "lineitem", "nation", "orders", "part", "partsupp", "region", "supplier")

app = k.App("tpch")
sources = {name: app.source(f"raw.{name}", k.parquet(f"data/{name}.parquet")) for name in SOURCES}
for path in sorted((Path(__file__).parent / "queries").glob("*.sql")):
    text = path.read_text()
    used = [name for name in SOURCES if re.search(rf"\{{{name}\}}", text)]
    app.sql(f"answers.{path.stem}", text, inputs={name: sources[name] for name in used})
