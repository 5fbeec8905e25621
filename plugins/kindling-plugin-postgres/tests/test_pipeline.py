"""An app over Delta and PostgreSQL, its state in PostgreSQL too: the command as users run it."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import pytest
from server import PASSWORD, USER, PostgresServer

Run = Callable[..., list[tuple[object, ...]]]
APP = """
from __future__ import annotations

import kindling as k

app = k.App("shop")
raw = app.source("raw.orders", k.csv("orders.csv"), schema="id bigint, amount decimal(9,2), at timestamp")


@app.pipe(raw, name="bronze.orders")
def orders(df: k.DataFrame) -> k.DataFrame:
    return df


@app.pipe(
    orders,
    name="gold.orders",
    write=k.merge(on=["id"]),
    storage=k.storage("postgres", location="marts"),
    expect={"positive": "amount > 0"},
    on_fail="quarantine",
)
def gold(df: k.DataFrame) -> k.DataFrame:
    return df.withColumn("day", k.F.to_date("at"))


@app.pipe(gold, name="gold.days")
def days(df: k.DataFrame) -> k.DataFrame:
    return df.groupBy("day").agg(k.F.count("*").alias("n"))
"""
SETTINGS = """
app = "shop:app"
state.default = "postgres"

[platform]
default = "{platform}"

[state.postgres]
uri = "{uri}"
credential = "secret://env/PG_LOGIN"
schema = "{schema}_state"

[locations.lake]
uri = "lake"

[locations.marts]
uri = "{uri}"
credential = "secret://env/PG_LOGIN"

[naming]
template = "{schema}_{{part0}}/{{part1}}"
"""
FIRST = "1,10.00,2026-01-01T10:00:00Z\n2,-5.00,2026-01-01T11:00:00Z\n3,7.50,2026-01-02T00:00:00Z\n"
SECOND = "3,8.50,2026-01-02T00:00:00Z\n4,1.00,2026-01-02T01:00:00Z\n"


class Project:
    def __init__(self, folder: Path, server: PostgresServer, schema: str, platform: str) -> None:
        self.folder = folder
        (folder / "shop.py").write_text(APP)
        settings = SETTINGS.format(platform=platform, uri=server.tcp_uri, schema=schema)
        (folder / "kindling.toml").write_text(settings)
        self.give(FIRST)

    def give(self, lines: str) -> None:
        (self.folder / "orders.csv").write_text(f"id,amount,at\n{lines}")

    def kindling(self, *arguments: str, code: int = 0) -> subprocess.CompletedProcess[str]:
        kept = {k: v for k, v in os.environ.items() if not k.startswith(("KINDLING_", "PYTHONDONT"))}
        done = subprocess.run(
            [sys.executable, "-m", "kindling", *arguments],
            cwd=self.folder,
            env={**kept, "PG_LOGIN": f"{USER}:{PASSWORD}", "CI": "true"},
            capture_output=True,
            text=True,
            check=False,
            timeout=240,
        )
        assert done.returncode == code, f"{arguments}\n{done.stdout}\n{done.stderr}"
        assert PASSWORD not in done.stdout + done.stderr
        return done

    def plan(self) -> dict[str, str]:
        told = json.loads(self.kindling("plan", "--json").stdout)
        return {task["entity"]: task["action"] for task in told["tasks"]}


@pytest.mark.parametrize("platform", ["duckdb", "sail"])
def test_delta_flows_into_postgresql_and_back(
    tmp_path: Path, server: PostgresServer, schema: str, sql: Run, platform: str
) -> None:
    project = Project(tmp_path, server, schema, platform)
    table = f"{schema}_gold.orders"
    project.kindling("run")
    assert sql(f"SELECT id, amount::text, day::text FROM {table} ORDER BY id") == [
        (1, "10.00", "2026-01-01"),
        (3, "7.50", "2026-01-02"),
    ]
    assert sql(f"SELECT id FROM {table}__quarantine") == [(2,)]
    assert "nothing changed: 3 entities" in project.kindling("run").stderr
    project.give(SECOND)
    project.kindling("run")
    assert sql(f"SELECT id, amount::text FROM {table} ORDER BY id") == [
        (1, "10.00"),
        (3, "8.50"),
        (4, "1.00"),
    ]
    sql(f"UPDATE {table} SET day = '2026-01-03' WHERE id = 1")
    assert project.plan()["gold.days"] == "run"
    project.kindling("run")
    assert set(project.plan().values()) == {"unchanged"}
    runs = json.loads(project.kindling("runs", "list", "--json").stdout)
    assert [run["status"] for run in runs["runs"]] == ["done"] * 3
    logs = b"".join(path.read_bytes() for path in (tmp_path / ".kindling").rglob("*") if path.is_file())
    assert PASSWORD.encode() not in logs


def test_a_server_that_is_away_is_told_before_anything_runs(
    tmp_path: Path, server: PostgresServer, schema: str
) -> None:
    project = Project(tmp_path, server, schema, "duckdb")
    settings = (tmp_path / "kindling.toml").read_text().replace('state.default = "postgres"', "")
    (tmp_path / "kindling.toml").write_text(settings.replace(f":{server.port}/", ":1/"))
    assert project.kindling("run", code=2).stderr == (
        "KDL-PLAN-022: the storage of 'gold.orders' cannot be asked for its version\n"
        "  why: the connection to postgresql://127.0.0.1:1/kindling was lost: Connection refused\n"
        "  where: shop.py:15\n"
    )
