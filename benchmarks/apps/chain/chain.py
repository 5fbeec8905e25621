"""Thirty pipes over a table of two rows: what is left is what each pipe costs."""

from __future__ import annotations

import os

import kindling as k

LENGTH = int(os.environ.get("BENCH_LENGTH", "30"))
RULES = {"small": "v < 1000"} if os.environ.get("BENCH_RULES") else {}

app = k.App("chain")
first = app.sql(
    "c.n0",
    "SELECT CAST(1 AS BIGINT) AS id, CAST(0 AS BIGINT) AS v "
    "UNION ALL SELECT CAST(2 AS BIGINT), CAST(0 AS BIGINT)",
    inputs={},
)


def following(before: k.Entity, number: int) -> k.Entity:
    """Declare one pipe."""

    @app.pipe(before, name=f"c.n{number}", expect=RULES, on_fail="warn")
    def one(df: k.DataFrame) -> k.DataFrame:
        return df.select("id", (k.F.col("v") + 1).alias("v"))

    return one


last: k.Entity = first
for number in range(1, LENGTH):
    last = following(last, number)
