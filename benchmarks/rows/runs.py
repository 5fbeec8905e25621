"""Whole runs beside hand-written loops: flights, the chain, two workers, requests to the engine."""

from __future__ import annotations

import json
from pathlib import Path
from typing import TYPE_CHECKING

from commands import KINDLING, PYTHON, clean_environment, in_turns, run
from figures import Row, Sample, both_ratios, ratio, spread
from places import BENCHMARKS, LOOPS, PROBES, Scratch, as_new, baseline

if TYPE_CHECKING:
    from collections.abc import Callable

    from figures import Figure

FLIGHTS_BUDGET, CHAIN_BUDGET, WORKERS_BUDGET = 1.05, 1.10, 0.85
TABLES = ("silver.flights", "gold.carrier", "gold.plane", "gold.weather", "gold.route")


def kindling(project: Path, env: dict[str, str], workers: int) -> Callable[[], Sample]:
    """Return what runs a project's app once, all of it."""

    def once() -> Sample:
        as_new(project)
        return run([KINDLING, "run", "--workers", str(workers)], project, env)[0]

    return once


def by_hand(
    scratch: Scratch, out: str, script: Path, *arguments: str, env: dict[str, str] | None = None
) -> Callable[[], Sample]:
    """Return what runs a loop once into an empty folder; `OUT` in its arguments stands for that."""

    def once() -> Sample:
        folder = str(scratch.folder(out))
        given = [folder if argument == "OUT" else argument for argument in arguments]
        return run([PYTHON, str(script), *given], scratch.path, clean_environment(**(env or {})))[0]

    return once


def rows_of(folder: Path) -> int:
    """Return how many rows a Delta table has, by its log."""
    from deltalake import DeltaTable

    return int(DeltaTable(str(folder)).count())


def check_equal(lake: Path, out: Path, names: dict[str, str]) -> None:
    """Refuse to compare sides whose tables differ in their number of rows."""
    for ours, theirs in names.items():
        found = rows_of(lake / ours.replace(".", "/")), rows_of(out / theirs)
        if found[0] != found[1]:
            raise SystemExit(f"{ours!r}: {found[0]} rows by Kindling, {found[1]} by the loop")


def flights(scratch: Scratch, rounds: int) -> Row:
    """Measure the flights run on both engines."""
    data = scratch.flights()
    figures: list[Figure] = []
    for platform in ("sail", "duckdb"):
        project = scratch.project("flights", f"flights-{platform}")
        env = clean_environment(KINDLING_PLATFORM__DEFAULT=platform, KINDLING_TEST_DATA=str(data))
        sides = {
            "frozen": by_hand(
                scratch, f"out-{platform}", baseline(f"flights_{platform}.py"), str(data), "OUT"
            ),
            "kindling": kindling(project, env, 1),
            "parallel": kindling(project, env, 2),
        }
        delta = "out-sail"
        if platform == "duckdb":
            delta = "out-duckdb-delta"
            script = LOOPS / "flights_duckdb_delta.py"
            sides["delta"] = by_hand(scratch, delta, script, str(data), "OUT")
        found = in_turns(rounds, sides)
        check_equal(project / "lake" / "dev", scratch.path / delta, {name: name for name in TABLES})
        figures += _flights_figures(platform, found)
    return Row(
        "flights",
        "flights run to the hand-written loop on the same engine, whole process",
        tuple(figures),
        (
            "one worker against the sequential loops; two workers stand beside it",
            "the frozen DuckDB loop writes DuckDB's own tables, Kindling writes Delta tables",
            "the loop `flights_duckdb_delta.py` does the same work as Kindling",
        ),
    )


def _flights_figures(platform: str, found: dict[str, list[Sample]]) -> list[Figure]:
    figures = list(both_ratios(platform, found["kindling"], found["frozen"], budget=FLIGHTS_BUDGET))
    if "delta" in found:
        name = "duckdb, loop with Delta tables"
        figures += both_ratios(name, found["kindling"], found["delta"], budget=FLIGHTS_BUDGET)
    return [*figures, *both_ratios(f"{platform}, two workers", found["parallel"], found["frozen"])]


def chain(scratch: Scratch, rounds: int) -> Row:
    """Measure the chain of thirty tiny tables on both engines, and its first pipe alone."""
    figures: list[Figure] = []
    for platform in ("sail", "duckdb"):
        project, out = scratch.project("chain", f"chain-{platform}"), f"chain-out-{platform}"
        script = LOOPS / f"chain_{platform}.py"
        env = clean_environment(KINDLING_PLATFORM__DEFAULT=platform)
        one = {"BENCH_LENGTH": "1"}
        sides = {
            "loop one": by_hand(scratch, "chain-one", script, "OUT", env=one),
            "kindling one": kindling(project, {**env, **one}, 1),
            "loop": by_hand(scratch, out, script, "OUT"),
            "kindling": kindling(project, env, 1),
        }
        found = in_turns(rounds, sides)
        check_equal(project / "lake" / "dev", scratch.path / out, {"c.n29": "n29"})
        figures += both_ratios(platform, found["kindling"], found["loop"], budget=CHAIN_BUDGET)
        figures += both_ratios(f"{platform}, first pipe alone", found["kindling one"], found["loop one"])
        further = [_further(found[side], found[f"{side} one"]) for side in ("kindling", "loop")]
        figures += both_ratios(f"{platform}, each further pipe", *further)
    title = "30-pipe chain of tiny tables to the hand-written loop, whole process"
    return Row("chain", title, tuple(figures), ("DuckDB: sqlframe and deltalake on both sides",))


def _further(whole: list[Sample], first: list[Sample]) -> list[Sample]:
    """Return what each pipe after the first costs."""
    pairs = zip(whole, first, strict=True)
    return [Sample((all_.wall_s - one.wall_s) / 29, (all_.cpu_s - one.cpu_s) / 29) for all_, one in pairs]


def workers(scratch: Scratch, rounds: int) -> Row:
    """Measure the medallion on Sail with one and with two workers."""
    data, queries = scratch.orders(), BENCHMARKS / "apps" / "medallion" / "queries.json"
    project = scratch.project("medallion")
    env = clean_environment(KINDLING_PLATFORM__DEFAULT="sail", BENCH_ORDERS=str(data))
    script, given = LOOPS / "medallion_sail.py", (str(queries), str(data), "OUT")
    sides = {
        "one": kindling(project, env, 1),
        "two": kindling(project, env, 2),
        "loop one": by_hand(scratch, "medallion-out", script, *given, "1"),
        "loop two": by_hand(scratch, "medallion-out", script, *given, "2"),
    }
    found = in_turns(rounds, sides)
    names = {f"m.gold_{name}": f"gold_{name}" for name in ("daily", "country", "product", "segment")}
    check_equal(project / "lake" / "dev", scratch.path / "medallion-out", names)
    walls = {name: [sample.wall_s for sample in samples] for name, samples in found.items()}
    return Row(
        "workers",
        f"12-pipe medallion over {scratch.rows:,} rows on Sail, two workers to one",
        (
            ratio("two workers to one, wall", walls["two"], walls["one"], budget=WORKERS_BUDGET),
            ratio("the same, loop by hand, wall", walls["loop two"], walls["loop one"]),
            *both_ratios("one worker to the loop by hand", found["one"], found["loop one"]),
            *both_ratios("two workers to the loop with two", found["two"], found["loop two"]),
        ),
    )


def requests(scratch: Scratch, _rounds: int) -> Row:
    """Count requests to Sail, by Kindling and by the loop."""
    figures: list[Figure] = []
    for name, rules in (("chain", ""), ("chain with expectations", "rules")):
        ours = _counts(scratch, 30, rules)
        half = _counts(scratch, 15, rules)
        out = str(scratch.folder("requests-out"))
        script = str(LOOPS / "chain_sail.py")
        theirs = _counted(scratch, [script, out, *filter(None, [rules])], scratch.path, {})
        executed = ours.pop("ExecutePlan")
        other = sum(ours.values())
        slope = (other - sum(count for kind, count in half.items() if kind != "ExecutePlan")) / 15
        extra = (executed - theirs["ExecutePlan"]) / 30
        detail = f"{executed} to {theirs['ExecutePlan']} in 30 pipes"
        listed = ", ".join(f"{kind} {count}" for kind, count in sorted(ours.items()))
        others = sum(count for kind, count in theirs.items() if kind != "ExecutePlan")
        figures += [
            spread(
                f"{name}: executions a pipe beyond the loop's", [extra], "requests", budget=0, detail=detail
            ),
            spread(
                f"{name}: others for each further pipe",
                [slope],
                "requests",
                budget=2,
                detail=f"{other} in 30 pipes ({listed}), loop {others}",
            ),
        ]
    return Row(
        "requests",
        "requests to the engine of the 30-pipe chain on Sail, counted below all clients",
        tuple(figures),
        ("the loop with expectations asks for one aggregate a pipe: the one that the budget allows",),
    )


def _counts(scratch: Scratch, length: int, rules: str) -> dict[str, int]:
    project = scratch.project("chain", "requests")
    more = {"KINDLING_PLATFORM__DEFAULT": "sail", "BENCH_LENGTH": str(length), "BENCH_RULES": rules}
    return _counted(scratch, ["run", "--workers", "1", "--quiet"], project, more)


def _counted(scratch: Scratch, arguments: list[str], cwd: Path, more: dict[str, str]) -> dict[str, int]:
    target = scratch.path / "requests.json"
    command = [PYTHON, str(PROBES / "request_probe.py"), str(target), *arguments]
    run(command, cwd, clean_environment(**more))
    found: dict[str, int] = json.loads(target.read_text(encoding="utf-8"))
    return found
