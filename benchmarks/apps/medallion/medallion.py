"""Twelve pipes over orders and customers: bronze, clean, dedupe, two joins, four gold tables.

BENCH_CLASSES says, as JSON, what columns of the sources hold: `{"customers": {"name": "pii.name"}}`.
"""

from __future__ import annotations

import json
import os
from pathlib import Path

import kindling as k

DATA = os.environ["BENCH_ORDERS"]
CLASSES = json.loads(os.environ.get("BENCH_CLASSES", "{}"))
QUERIES = json.loads(Path(__file__).with_name("queries.json").read_text(encoding="utf-8"))

app = k.App("medallion")
handles: dict[str, k.Entity] = {}
for name, columns in QUERIES["sources"].items():
    source = app.source(
        f"raw.{name}", k.csv(f"{DATA}/{name}.csv"), schema=columns, classify=CLASSES.get(name, {})
    )
    handles[f"bronze_{name}"] = app.sql(f"m.bronze_{name}", "SELECT * FROM {rows}", inputs={"rows": source})
for name, query in QUERIES["pipes"].items():
    inputs = {item: handles[item] for item in query["inputs"]}
    handles[name] = app.sql(f"m.{name}", query["sql"], inputs=inputs)
