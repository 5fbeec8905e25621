"""Time the planning of a generated app in which everything is up to date.

    python plan_probe.py FOLDER PIPES [profile]

Writes a project with so many pipes, each a function of its own, a Delta log for each table and records of
their success; then prints the CPU and wall seconds of each step as JSON, or the profile of the plan.
"""

from __future__ import annotations

import cProfile
import json
import pstats
import shutil
import sys
import time
from pathlib import Path
from typing import TYPE_CHECKING

from kindling.hooks.storage import COMMIT_KEY, CommitInfo
from kindling.plan.plan import UNCHANGED
from kindling.plan.planner import Planner, Wish
from kindling.plan.project import open_project
from kindling.records import TaskRecord
from kindling.run.states import open_state

if TYPE_CHECKING:
    from collections.abc import Callable
    from typing import TypeVar

    T = TypeVar("T")

LAYER = 10
PART = 100
BASE = """from __future__ import annotations

import kindling as k

app = k.App("many")
source = app.source("raw.rows", k.csv("rows.csv"))


def doubled(name: str) -> k.Column:
    return k.F.col(name) * 2
"""
HEAD = """from __future__ import annotations

import kindling as k
from base import app, doubled, source
"""
PIPE = """

@app.pipe({inputs}, name="t.n{number}", tags=["layer{layer}"])
def n{number}({arguments}):
    frame = {frame}
    return frame.where("v > {number}").withColumn("w{layer}", doubled("v") + {number})
"""


def pipe_of(number: int) -> str:
    """Return one pipe: layers of ten, each reads one or two of the layer before."""
    layer = number // LAYER
    names = [f"n{number - LAYER}", f"n{layer * LAYER - LAYER}"] if layer else ["source"]
    names = list(dict.fromkeys(names))
    return PIPE.format(
        number=number,
        layer=layer,
        inputs=", ".join(names),
        arguments=", ".join(f"{letter}: k.DataFrame" for letter in "ab"[: len(names)]),
        frame="a.join(b, 'id')" if len(names) > 1 else "a",
    )


def write_app(folder: Path, pipes: int) -> None:
    """Write the app, a hundred pipes to a module: no app of ten thousand pipes is one file."""
    (folder / "base.py").write_text(BASE)
    starts = range(0, pipes, PART)
    for start in starts:
        before = [f"n{number}" for number in range(max(start - LAYER, 0), start)]
        imports = f"from part{start // PART - 1} import {', '.join(before)}\n" if before else ""
        texts = [pipe_of(number) for number in range(start, min(start + PART, pipes))]
        (folder / f"part{start // PART}.py").write_text("".join([HEAD, imports, *texts]))
    lines = ["from base import app", *(f"import part{start // PART}" for start in starts)]
    (folder / "many.py").write_text("\n".join(lines) + "\n")


def forget_app() -> None:
    """Make the next import of the app a real one."""
    for name in [name for name in sys.modules if name in ("many", "base") or name.startswith("part")]:
        del sys.modules[name]


def make_project(folder: Path, pipes: int) -> None:
    """Write the project and a log for each table."""
    shutil.rmtree(folder, ignore_errors=True)
    folder.mkdir(parents=True)
    (folder / "kindling.toml").write_text('app = "many:app"\nplatform.default = "duckdb"\n')
    write_app(folder, pipes)
    (folder / "rows.csv").write_text("id,v\n1,1\n")
    for number in range(pipes):
        log = folder / "lake" / "dev" / "t" / f"n{number}" / "_delta_log"
        log.mkdir(parents=True)
        info = CommitInfo("many", "dev", f"t.n{number}", "*", "r", "f").to_json()
        line = {"commitInfo": {"timestamp": 1, "operation": "WRITE", COMMIT_KEY: info}}
        (log / f"{0:020d}.json").write_text(json.dumps(line) + "\n")


class Clock:
    """Wall and CPU seconds by step."""

    def __init__(self) -> None:
        self.steps: dict[str, tuple[float, float]] = {}

    def measure(self, step: str, work: Callable[[], T]) -> T:
        """Do some work and note how long it took."""
        wall, cpu = time.perf_counter(), time.process_time()
        made = work()
        self.steps[step] = (time.perf_counter() - wall, time.process_time() - cpu)
        return made


def main() -> None:
    """Make the project, remember everything as done, and plan again."""
    folder, pipes = Path(sys.argv[1]), int(sys.argv[2])
    make_project(folder, pipes)
    clock = Clock()
    open_project(str(folder))  # writes the caches and the modules' bytecode
    forget_app()
    project = clock.measure("declare", lambda: open_project(str(folder)))
    state = open_state(project)
    planner = Planner(project, lambda: state.tasks("many", "dev"))
    for task in planner.plan(Wish()).tasks:
        version = planner.facts.version(planner.binding.entities[task.key.entity]) or ""
        state.put_task("many", "dev", TaskRecord(task.key.entity, "*", "f", task.parts, version, run_id="r"))
    planner = clock.measure("bind", lambda: Planner(project, lambda: state.tasks("many", "dev")))
    if "profile" in sys.argv[3:]:
        profiler = cProfile.Profile()
        profiler.runcall(planner.plan, Wish())
        pstats.Stats(profiler).sort_stats("tottime").print_stats(30)
        return
    plan = clock.measure("plan", lambda: planner.plan(Wish()))
    again = clock.measure("plan again", lambda: planner.plan(Wish()))
    stale = [task for found in (plan, again) for task in found.tasks if task.action != UNCHANGED]
    if stale or len(plan.tasks) != pipes:
        raise SystemExit(f"not warm: {len(stale)} of {len(plan.tasks)} would run: {stale[0].reasons}")
    print(json.dumps(clock.steps))


if __name__ == "__main__":
    main()
