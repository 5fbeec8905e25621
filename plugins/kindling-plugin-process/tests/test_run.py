"""Whole runs through the command, on DuckDB with Delta tables and files."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from pathlib import Path

import pytest
from deltalake import DeltaTable

pytestmark = pytest.mark.timeout(240)
CANARY = "canary-51c7e0d2"
APP = """
from __future__ import annotations
import ctypes
import os
import subprocess
import time
import kindling as k

app = k.App("shop")
orders_csv = app.source("raw.orders", k.csv("orders/*.csv"), schema="id bigint, day date, amount double")


@app.pipe(orders_csv, name="bronze.orders", write=k.append(), incremental=k.changes())
def orders(new: k.DataFrame) -> k.DataFrame:
    print("orders were read")
    return new


@app.pipe(orders, name="tmp.good", storage=k.memory())
def good(df: k.DataFrame) -> k.DataFrame:
    return df.where("amount > 0")


@app.pipe(good, name="silver.newest", write=k.merge(on=["id"]), context=True)
def newest(context: k.Context, df: k.DataFrame) -> k.DataFrame:
    token = context.secret("secret://env/SHOP_TOKEN").reveal()
    print("the token is", token)
    subprocess.run(["echo", "again", token], check=True)
    return k.dedupe(df, on=["id"], order_by=["amount desc"])


days = app.sql(
    "gold.days",
    "SELECT day, sum(amount) AS amount, count(*) AS n FROM {good} GROUP BY day",
    inputs={"good": good},
    storage=k.parquet(),
)
"""
CRASH = """

@app.pipe(orders, name="silver.crash")
def crash(df: k.DataFrame) -> k.DataFrame:
    print("last words")
    return df.where(ctypes.string_at(0))


@app.pipe(crash, name="gold.behind")
def behind(df: k.DataFrame) -> k.DataFrame:
    return df


@app.pipe(orders, name="silver.slow", timeout_s=3)
def slow(df: k.DataFrame) -> k.DataFrame:
    ctypes.PyDLL(None).sleep(200)
    return df
"""


def make_project(folder: Path, code: str) -> Path:
    (folder / "orders").mkdir(parents=True)
    (folder / "kindling.toml").write_text(
        'app = "shop:app"\nplatform.default = "duckdb"\n[run]\nworkers = 2\ngrace_s = 1.0\n'
    )
    (folder / "shop.py").write_text(code)
    lines = [f"{number},2024-01-0{1 + number % 3},{number - 2}" for number in range(12)]
    (folder / "orders" / "1.csv").write_text("\n".join(["id,day,amount", *lines]) + "\n")
    return folder


def run(project: Path, executor: str, code: int = 0) -> subprocess.CompletedProcess[str]:
    done = subprocess.run(
        [sys.executable, "-m", "kindling", "run"],
        cwd=project,
        env={
            **os.environ,
            "CI": "true",
            "KINDLING_EXECUTOR__DEFAULT": executor,
            "SHOP_TOKEN": CANARY,
        },
        capture_output=True,
        text=True,
        timeout=200,
        check=False,
    )
    assert done.returncode == code, done.stdout + done.stderr
    return done


def rows(project: Path, name: str) -> list[str]:
    table = DeltaTable(str(project / "lake" / "dev" / name)).to_pyarrow_table()
    return sorted(str(sorted(row.items())) for row in table.to_pylist())


def files_of(project: Path) -> list[str]:
    import pyarrow.parquet as pq

    found = pq.read_table(str(project / "lake" / "dev" / "gold" / "days")).to_pylist()
    return sorted(str(sorted(row.items())) for row in found)


def logged(project: Path) -> list[dict[str, object]]:
    (log,) = project.glob(".kindling/runs/*/log.jsonl")
    return [json.loads(line) for line in log.read_text(encoding="utf-8").splitlines()]


def test_tables_are_those_of_the_threads_executor_and_prints_are_logged(tmp_path: Path) -> None:
    found = {}
    for executor in ("threads", "process"):
        project = make_project(tmp_path / executor, APP)
        done = run(project, executor)
        found[executor] = (rows(project, "bronze/orders"), rows(project, "silver/newest"), files_of(project))
        assert CANARY not in done.stderr + ("" if executor == "threads" else done.stdout)
    assert found["process"] == found["threads"]
    assert len(found["process"][0]) == 12
    project = tmp_path / "process"
    printed = {(line["task"], line["text"]) for line in logged(project) if line["event"] == "printed"}
    assert {("bronze.orders", "orders were read"), ("silver.newest", "again ***")} <= printed
    assert CANARY not in "".join(path.read_text("utf-8") for path in project.glob(".kindling/runs/*/*.jsonl"))
    assert "nothing changed" in run(project, "process").stderr


def test_a_pipe_that_crashes_or_hangs_fails_alone(tmp_path: Path) -> None:
    project = make_project(tmp_path / "project", APP + CRASH)
    done = run(project, "process", code=1)
    assert len(rows(project, "silver/newest")) == 9
    assert len(files_of(project)) == 3
    text = done.stdout + done.stderr
    assert "KDL-RUN-304: 'silver.crash' crashed its process" in text
    assert "it was ended by SIGSEGV" in text
    assert "shop.py:" in text
    assert "KDL-TIME-001: 'silver.slow' took longer than 3 s" in text
    assert not (project / "lake" / "dev" / "gold" / "behind").exists()
    assert ("silver.crash", "last words") in {
        (line.get("task"), line.get("text")) for line in logged(project)
    }
