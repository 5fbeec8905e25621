"""The second run, in which nothing changed, beside the standard library alone; peers are in `peers.py`."""

from __future__ import annotations

import subprocess
from typing import TYPE_CHECKING

from commands import KINDLING, PYTHON, clean_environment, in_turns, run
from figures import Row, both_ratios
from places import LOOPS, Scratch

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

    from figures import Figure, Sample

FLOOR_BUDGET = 3.0
STARTS_A_ROUND = 4


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
    return Row(
        "unchanged",
        "second run, nothing changed, to the standard library alone",
        tuple(figures),
        (
            "the floor: start Python, hash sources, list each `_delta_log`, stat CSV files, ask SQLite",
            "the row `second-run` has SQLMesh and the other peers beside it",
        ),
    )


def _check(floor: list[str], project: Path, env: dict[str, str]) -> None:
    """Refuse to measure a run that does something."""
    if not run(floor, project, env)[1].startswith("0 of"):
        raise SystemExit("the floor finds something stale right after it has remembered all")
    said = subprocess.run([KINDLING, "run"], cwd=project, env=env, capture_output=True, text=True, check=True)
    if not said.stderr.startswith("nothing changed"):
        raise SystemExit(f"the second run is no empty one:\n{said.stderr}")
