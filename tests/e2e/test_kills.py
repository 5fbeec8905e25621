"""`kill -9` anywhere in a run loses nothing and doubles nothing: the next run ends where it would have."""

from __future__ import annotations

import contextlib
import os
import random
import shutil
import signal
import subprocess
import sys
import time
from pathlib import Path

import pytest
from deltalake import DeltaTable
from shell import Shell

pytestmark = pytest.mark.timeout(1200)
POINTS = int(os.environ.get("KINDLING_TEST_KILLS", "25"))  # on each engine
APP = """
from __future__ import annotations
import kindling as k

app = k.App("kills")
events_csv = app.source("raw.events", k.csv("events/*.csv"), schema="id bigint, kind string, v bigint")


@app.pipe(events_csv, name="bronze.events", write=k.append(), incremental=k.changes())
def events(new: k.DataFrame) -> k.DataFrame:
    return new


@app.pipe(events, name="silver.newest", write=k.merge(on=["id"]), incremental=k.changes())
def newest(new: k.DataFrame) -> k.DataFrame:
    return k.dedupe(new, on=["id"], order_by=["v desc"])


@app.pipe(events, name="silver.history", write=k.scd2(on=["id"]), incremental=k.changes())
def history(new: k.DataFrame) -> k.DataFrame:
    return k.dedupe(new, on=["id"], order_by=["v desc"])


@app.pipe(events, name="silver.good", expect={"positive": "v > 0"}, on_fail="quarantine")
def good(df: k.DataFrame) -> k.DataFrame:
    return df


@app.pipe(events, name="silver.log", write=k.append(), incremental=k.changes(), expect={"positive": "v > 0"},
          on_fail="quarantine")
def log(new: k.DataFrame) -> k.DataFrame:
    return new


totals = app.sql(
    "gold.totals",
    "SELECT kind, sum(v) AS v, count(*) AS n FROM {good} GROUP BY kind",
    inputs={"good": good},
)
"""
TABLES = (
    "bronze/events",
    "silver/newest",
    "silver/history",
    "silver/good",
    "silver/good__quarantine",
    "silver/log",
    "silver/log__quarantine",
    "gold/totals",
)
KILLER = '''
import os, signal, sys
from kindling.plan.project import open_project
from kindling.run.run import run
from kindling.run.request import RunRequest
from kindling.run.sqlite import SqliteState


class Dying(SqliteState):
    """Dies right after the table was committed and before that is recorded."""

    left = int(sys.argv[1])

    def put_task(self, app, environment, record):
        Dying.left -= 1
        if Dying.left == 0:
            os.kill(os.getpid(), signal.SIGKILL)
        super().put_task(app, environment, record)


project = open_project(os.getcwd())
state = Dying(project.state_dir)
request = RunRequest(app=project.reference, project=project.path, environment="dev", run_id="doomed")
run(project, state, request)
'''


def make_project(folder: Path) -> Path:
    (folder / "events").mkdir(parents=True)
    (folder / "kindling.toml").write_text('app = "kills:app"\n')
    (folder / "kills.py").write_text(APP)
    rows = "\n".join(f"{i},{'ab'[i % 2]},{i - 2}" for i in range(20))
    (folder / "events" / "1.csv").write_text(f"id,kind,v\n{rows}\n")
    return folder


def add_events(folder: Path) -> None:
    rows = "\n".join(f"{i},{'abc'[i % 3]},{i * 3 - 12}" for i in range(10, 30))
    (folder / "events" / "2.csv").write_text(f"id,kind,v\n{rows}\n")


def contents(folder: Path) -> dict[str, list[str]]:
    """Sorted rows of each table, without the moments of history."""
    found = {}
    for name in TABLES:
        rows = DeltaTable(str(folder / "lake" / "dev" / name)).to_pyarrow_table().to_pylist()
        for row in rows:
            row.pop("valid_from", None)
            if "valid_to" in row:
                row["valid_to"] = row["valid_to"] is not None
        found[name] = sorted(str(sorted(row.items())) for row in rows)
    return found


@pytest.fixture(params=["sail", "duckdb"])
def prepared(request: pytest.FixtureRequest, tmp_path: Path) -> tuple[str, Path, dict[str, list[str]], float]:
    """(platform, project after run 1 with new data waiting, tables as they must become, seconds of run 2)."""
    platform = str(request.param)
    project = make_project(tmp_path / "project")
    Shell(project, platform)("run")
    add_events(project)
    undisturbed = tmp_path / "undisturbed"
    shutil.copytree(project, undisturbed)
    started = time.monotonic()
    Shell(undisturbed, platform)("run")
    return platform, project, contents(undisturbed), time.monotonic() - started


def environment(platform: str) -> dict[str, str]:
    return {**os.environ, "CI": "true", "KINDLING_PLATFORM__DEFAULT": platform}


def test_killed_at_random_points_the_next_run_ends_where_it_should(
    prepared: tuple[str, Path, dict[str, list[str]], float], tmp_path: Path
) -> None:
    platform, project, expected, seconds = prepared
    chance = random.Random(20130101)  # noqa: S311  # the same points in every run
    killed = 0
    for point in range(4 * POINTS):
        copy = tmp_path / f"point{point}"
        shutil.copytree(project, copy)
        started = time.monotonic()
        process = subprocess.Popen(
            [sys.executable, "-m", "kindling", "run"],
            cwd=copy,
            env=environment(platform),
            stderr=subprocess.DEVNULL,
            start_new_session=True,
        )
        with contextlib.suppress(subprocess.TimeoutExpired):
            process.wait(chance.uniform(0.2, 1.0) * seconds)
            seconds = time.monotonic() - started  # it had ended already: the machine is faster by now
        process.send_signal(signal.SIGKILL)
        if process.wait() == -signal.SIGKILL:
            killed += 1
            Shell(copy, platform)("run")
            assert contents(copy) == expected, f"killed at point {point}"
            assert "nothing changed" in Shell(copy, platform)("run").stderr
        shutil.rmtree(copy)
        if killed == POINTS:
            break
    assert killed == POINTS


@pytest.mark.parametrize("nth", [1, 3, 6])
def test_killed_between_commit_and_bookkeeping_the_commit_is_found_again(
    prepared: tuple[str, Path, dict[str, list[str]], float], nth: int
) -> None:
    platform, project, expected, _ = prepared
    (project / "killer.py").write_text(KILLER)
    command = [sys.executable, "killer.py", str(nth)]
    done = subprocess.run(command, cwd=project, env=environment(platform), check=False, capture_output=True)
    assert done.returncode == -signal.SIGKILL
    Shell(project, platform)("run")
    assert contents(project) == expected
