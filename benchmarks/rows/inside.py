"""What is measured inside of one process: scheduling, planning, and what lies between two tasks."""

from __future__ import annotations

import json
import statistics
from typing import TYPE_CHECKING

import scheduler
from commands import PYTHON, clean_environment, run
from figures import Row, ratio, spread
from places import PROBES, Scratch, as_new

if TYPE_CHECKING:
    from figures import Figure

TASK_BUDGET, MAKESPAN_BUDGET = 0.6, 1.2
PLAN_BUDGET_MS, BOOKKEEPING_BUDGET_MS = 0.1, 2.0
SIZES = (10, 100, 1000, 10_000)
QUICK_SIZES = (10, 100, 1000)
NEAR, FAR = 1000, 10_000


def scheduling(_scratch: Scratch, rounds: int) -> Row:
    """Measure the scheduler per task and its makespan, over both executors."""
    figures: list[Figure] = []
    executors = scheduler.executors()
    for shape, needs in scheduler.shapes().items():
        base: list[float] = []
        ours: dict[str, list[float]] = {name: [] for name in executors}
        for _ in range(2 * rounds + 1):
            base.append(scheduler.by_graphlib(needs, scheduler.SLOTS, 0) / scheduler.NODES)
            for name, open_executor in executors.items():
                seconds = scheduler.by_kindling(needs, scheduler.SLOTS, 0, open_executor)
                ours[name].append(seconds / scheduler.NODES)
        figures += [
            ratio(f"{shape}, {name} executor", seconds[1:], base[1:], budget=TASK_BUDGET, unit="us")
            for name, seconds in ours.items()
        ]
    ideal, skewed, slots = 8 * scheduler.NAP_S, scheduler.skewed(), 4
    fifo = [scheduler.by_graphlib(skewed, slots, scheduler.NAP_S) / ideal for _ in range(rounds)]
    for name, open_executor in executors.items():
        spans = [
            scheduler.by_kindling(skewed, slots, scheduler.NAP_S, open_executor) / ideal
            for _ in range(rounds)
        ]
        figures.append(spread(f"makespan to ideal, {name} executor", spans, "x", budget=MAKESPAN_BUDGET))
    figures.append(spread("makespan to ideal, graphlib with a thread pool", fifo, "x"))
    return Row(
        "scheduler",
        "scheduler per task to graphlib with ThreadPoolExecutor, 1,000 nodes; makespan on a skewed graph",
        tuple(figures),
        ("wall time only: both sides share one process",),
    )


def planning(scratch: Scratch, rounds: int) -> Row:
    """Measure a warm plan of more and more pipes."""
    sizes = SIZES if scratch.is_full else QUICK_SIZES
    env = clean_environment()
    plans: dict[int, list[float]] = {}
    figures: list[Figure] = []
    for pipes in sizes:
        command = [PYTHON, str(PROBES / "plan_probe.py"), str(scratch.path / "plan"), str(pipes)]
        found = [json.loads(run(command, scratch.path, env)[1]) for _ in range(rounds)]
        per_pipe = {
            step: [steps[step][1] / pipes * 1e3 for steps in found] for step in ("declare", "bind", "plan")
        }
        plans[pipes] = per_pipe["plan"]
        budget = PLAN_BUDGET_MS if pipes >= NEAR else None
        figures.append(spread(f"{pipes:,} pipes, CPU of one pipe", plans[pipes], "ms", budget=budget))
        if pipes == sizes[-1]:
            figures += [
                spread(f"{pipes:,} pipes: {text}, CPU of one pipe", per_pipe[step], "ms")
                for step, text in (("declare", "import and declare"), ("bind", "check the declarations"))
            ]
    if FAR in plans:
        figures.append(
            ratio("growth: a pipe of 10,000 to a pipe of 1,000", plans[FAR], plans[NEAR], budget=1.5)
        )
    return Row(
        "plan",
        "warm plan of a generated app, nothing changed, one Delta table for each pipe",
        tuple(figures),
        (
            "`Planner.plan` in process: fingerprints, one log listing for each table, decisions, order",
            "linear growth is judged as at most 1.5 times the cost of a pipe with ten times the pipes",
        ),
    )


def bookkeeping(scratch: Scratch, rounds: int) -> Row:
    """Measure what lies between the end of a task and the begin of the next one."""
    project, target = scratch.project("chain", "tasks"), scratch.path / "between.json"
    env = clean_environment(KINDLING_PLATFORM__DEFAULT="duckdb")
    walls: list[float] = []
    cpus: list[float] = []
    writes: list[float] = []
    for _ in range(rounds):
        as_new(project)
        run([PYTHON, str(PROBES / "task_probe.py"), str(target)], project, env)
        between = json.loads(target.read_text(encoding="utf-8"))
        walls.append(statistics.median(wall for wall, _, _ in between) * 1e3)
        cpus.append(statistics.median(cpu for _, cpu, _ in between) * 1e3)
        writes.append(statistics.mean(count for _, _, count in between))
    return Row(
        "bookkeeping",
        "from the end of one task to the begin of the next: record, events, schedule, spec",
        (
            spread("one task, wall", walls, "ms", budget=BOOKKEEPING_BUDGET_MS),
            spread("one task, CPU", cpus, "ms", budget=BOOKKEEPING_BUDGET_MS),
            spread("writes of the state", writes, "writes", budget=1),
        ),
        ("medians over the 29 gaps of the chain on DuckDB, one worker; two event lines are written too",),
    )
