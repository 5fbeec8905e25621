"""The tables of `work.json` as an app: SQL pipes over Parquet sources, Delta tables out."""

from __future__ import annotations

import json
from pathlib import Path

import kindling as k

WORK = json.loads(Path(__file__).with_name("work.json").read_text(encoding="utf-8"))

app = k.App("work")
handles: dict[str, k.Entity] = {
    name: app.source(f"raw.{name}", k.parquet(path)) for name, path in WORK["sources"].items()
}
for name, pipe in WORK["pipes"].items():
    inputs = {item: handles[item] for item in pipe["inputs"]}
    handles[name] = app.sql(f"m.{name}", pipe["sql"], inputs=inputs)
