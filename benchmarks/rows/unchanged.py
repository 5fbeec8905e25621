"""The second run, in which nothing changed: beside the standard library alone, and beside SQLMesh."""

from __future__ import annotations

import json
import os
import re
import shutil
import subprocess
from pathlib import Path
from typing import TYPE_CHECKING

from commands import KINDLING, PYTHON, clean_environment, in_turns, run
from figures import Row, both_ratios, ratio
from places import BENCHMARKS, LOOPS, Scratch

if TYPE_CHECKING:
    from collections.abc import Callable

    from figures import Figure, Sample

FLOOR_BUDGET, SQLMESH_BUDGET = 3.0, 1 / 25
STARTS_A_ROUND = 4
SETUP_S = 900
CONFIG = """gateways:
  local:
    connection:
      type: duckdb
      database: {folder}/db.duckdb
default_gateway: local
model_defaults:
  dialect: duckdb
  start: '2025-01-01'
disable_anonymized_analytics: true
"""


def unchanged(scratch: Scratch, rounds: int) -> Row:
    """Measure the second run of the chain, of flights and of the medallion."""
    figures: list[Figure] = []
    sides: dict[str, Callable[[], Sample]] = {}
    orders, flights = scratch.orders(), scratch.flights()
    sources = {
        "chain": [],
        "flights": sorted(flights.glob("*.csv")),
        "medallion": [orders / "orders.csv", orders / "customers.csv"],
    }
    for app, files in sources.items():
        project = scratch.project(app, f"unchanged-{app}")
        env = clean_environment(
            KINDLING_PLATFORM__DEFAULT="duckdb", KINDLING_TEST_DATA=str(flights), BENCH_ORDERS=str(orders)
        )
        run([KINDLING, "run"], project, env)
        state = scratch.path / f"floor-{app}.db"
        state.unlink(missing_ok=True)
        floor = [PYTHON, str(LOOPS / "floor.py"), str(project), str(state), *map(str, files)]
        run(floor, project, env)
        _check(floor, project, env)
        sides[f"{app} floor"] = lambda floor=floor, project=project, env=env: run(floor, project, env)[0]
        sides[app] = lambda project=project, env=env: run([KINDLING, "run"], project, env)[0]
    found = in_turns(rounds * STARTS_A_ROUND, sides, warm=2)
    for app in sources:
        wall, cpu = both_ratios(app, found[app], found[f"{app} floor"], budget=FLOOR_BUDGET)
        figures += [cpu, wall]
    peer, note = _sqlmesh(scratch, rounds, sides["medallion"])
    return Row(
        "unchanged",
        "second run, nothing changed, to the standard library alone and to `sqlmesh plan`",
        (*figures, *peer),
        (
            "the floor: start Python, hash sources, list each `_delta_log`, stat CSV files, ask SQLite",
            note,
        ),
    )


def _check(floor: list[str], project: Path, env: dict[str, str]) -> None:
    """Refuse to measure a run that does something."""
    if not run(floor, project, env)[1].startswith("0 of"):
        raise SystemExit("the floor finds something stale right after it has remembered all")
    said = subprocess.run([KINDLING, "run"], cwd=project, env=env, capture_output=True, text=True, check=True)
    if not said.stderr.startswith("nothing changed"):
        raise SystemExit(f"the second run is no empty one:\n{said.stderr}")


def _sqlmesh(scratch: Scratch, rounds: int, ours: Callable[[], Sample]) -> tuple[tuple[Figure, ...], str]:
    """Return the figure beside `sqlmesh plan`, and what to say about it."""
    command = _installed(scratch)
    if command is None:
        return (), "`sqlmesh plan`: not measured, SQLMesh could not be installed"
    folder = _project(scratch)
    env = clean_environment()
    made = subprocess.run(
        [command, "plan", "--auto-apply", "--no-prompts"],
        cwd=folder,
        env=env,
        capture_output=True,
        text=True,
        check=False,
        timeout=SETUP_S,
    )
    if made.returncode:
        return (), f"`sqlmesh plan`: not measured, the first one failed: {made.stdout[-200:]}"
    theirs = [command, "plan", "--auto-apply", "--no-prompts"]
    found = in_turns(rounds, {"sqlmesh": lambda: run(theirs, folder, env)[0], "kindling": ours})
    cpus = {name: [sample.cpu_s for sample in samples] for name, samples in found.items()}
    name = "medallion to `sqlmesh plan`, CPU"
    return (ratio(name, cpus["kindling"], cpus["sqlmesh"], budget=SQLMESH_BUDGET),), (
        "`sqlmesh plan` looks at code alone; Kindling also sees changed source files and tables"
    )


def _installed(scratch: Scratch) -> str | None:
    """Return the path of the command, in an environment of its own; None where it cannot be had."""
    venv = scratch.path / "sqlmesh-venv"
    command = venv / "bin" / "sqlmesh"
    places = [str(Path(PYTHON).parent), os.environ["PATH"]]
    uv = shutil.which("uv", path=os.pathsep.join(places))
    if not command.exists():
        if uv is None:
            return None
        for step in (
            [uv, "venv", "--quiet", "--python", PYTHON, str(venv)],
            [uv, "pip", "install", "--quiet", "--compile-bytecode", "--python", str(venv), "sqlmesh[duckdb]"],
        ):
            try:
                subprocess.run(step, check=True, capture_output=True, timeout=SETUP_S)
            except (subprocess.SubprocessError, OSError):
                return None
    return str(command) if command.exists() else None


def _project(scratch: Scratch) -> Path:
    """Write the medallion as a SQLMesh project."""
    folder, orders = scratch.folder("sqlmesh"), scratch.orders()
    queries = json.loads((BENCHMARKS / "apps" / "medallion" / "queries.json").read_text(encoding="utf-8"))
    (folder / "config.yaml").write_text(CONFIG.format(folder=folder))
    texts = {
        f"bronze_{name}": f"SELECT * FROM read_csv('{orders}/{name}.csv', header = TRUE)"  # noqa: S608
        for name in queries["sources"]
    }
    texts |= {
        name: re.sub(r"\{(\w+)\}", r"perf.\1", query["sql"]) for name, query in queries["pipes"].items()
    }
    (folder / "models").mkdir()
    for name, text in texts.items():
        head = f"MODEL (name perf.{name}, kind FULL, cron '@daily');\n"
        (folder / "models" / f"{name}.sql").write_text(f"{head}{text}\n")
    return folder
