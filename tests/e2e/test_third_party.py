"""A platform that no plugin has heard of works with the delta and files plugins unchanged.

`kindling.testing.memory_platform` computes with polars and offers Arrow in and out, nothing else. It is
installed here as a distribution of its own, by its entry points, as a third party's would be.
"""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import pytest
from shell import make_project, rows
from strangers import install

pytestmark = pytest.mark.timeout(300)
MODULE = """
from kindling.hooks import hookimpl
from kindling.hooks.platform import PlatformOffer, PlatformSpec
from kindling.testing.memory_platform import MemoryPlatform


def open_platform(spec: PlatformSpec) -> MemoryPlatform:
    return MemoryPlatform({})


@hookimpl
def kindling_platform_offers() -> tuple[PlatformOffer, ...]:
    return (PlatformOffer("third", open_platform),)
"""
APP = """
orders_csv = app.source("raw.orders", k.csv("orders/*.csv"), schema="id bigint, day date, amount double")

orders = app.sql(
    "bronze.orders",
    "SELECT id, day, amount FROM {new}",
    inputs={"new": orders_csv},
    write=k.append(),
    incremental=k.changes(),
)
latest = app.sql(
    "silver.orders",
    "SELECT id, max(amount) AS amount FROM {orders} GROUP BY id",
    inputs={"orders": orders},
    write=k.merge(on=["id"]),
    expect={"positive": "amount > 0"},
    on_fail="quarantine",
)
history = app.sql(
    "silver.history", "SELECT id, amount FROM {latest}", inputs={"latest": latest}, write=k.scd2(on=["id"])
)
days = app.sql(
    "gold.days",
    "SELECT day, sum(amount) AS amount, count(*) AS n FROM {orders} GROUP BY day",
    inputs={"orders": orders},
    storage=k.parquet(),
)
"""


@pytest.fixture
def third_party(tmp_path: Path) -> Path:
    """A folder for PYTHONPATH in which the platform is installed."""
    third = {"api": "1.0", "features": ["arrow-in", "arrow-out", "share"], "config": {}}
    return install(tmp_path, "third", {"platform:third": third}, MODULE)


def test_delta_and_files_work_on_a_platform_they_do_not_know(tmp_path: Path, third_party: Path) -> None:
    project = make_project(tmp_path / "project", APP, 'platform.default = "third"\n')
    (project / "orders").mkdir()
    (project / "orders" / "1.csv").write_text("id,day,amount\n1,2024-01-01,5\n2,2024-01-01,-1\n")

    def kindling(*arguments: str) -> str:
        path = os.pathsep.join((str(third_party), os.environ.get("PYTHONPATH", "")))
        command = [sys.executable, "-m", "kindling", *arguments]
        done = subprocess.run(
            command,
            cwd=project,
            env={**os.environ, "PYTHONPATH": path},
            capture_output=True,
            text=True,
            check=False,
        )
        assert done.returncode == 0, done.stderr
        return done.stdout + done.stderr

    kindling("run")
    (project / "orders" / "2.csv").write_text("id,day,amount\n1,2024-01-02,7\n3,2024-01-02,3\n")
    kindling("run")
    assert "nothing changed" in kindling("run")
    assert len(rows(project, "bronze.orders")) == 4
    silver = sorted((row["id"], row["amount"]) for row in rows(project, "silver.orders"))
    assert silver == [(1, 7.0), (3, 3.0)]
    assert [row["id"] for row in rows(project, "silver.orders__quarantine")] == [2]
    versions = sorted(
        (row["id"], row["amount"], row["is_current"]) for row in rows(project, "silver.history")
    )
    assert versions == [(1, 5.0, False), (1, 7.0, True), (3, 3.0, True)]
    assert "2024-01-02" in kindling("show", "gold.days")
