"""The same work by Kindling, by loops and by the peers: whole runs, second runs, one changed pipe."""

from __future__ import annotations

from typing import TYPE_CHECKING

from commands import CommandFailed, in_turns
from environments import versions
from equality import differences, sums_of
from figures import Row, Sample, both_ratios, lap, ratio
from projects import CHANGED, dependents, medallion, tiny_chain
from sides import ALL_AGAIN, CHANGES, ON_JVM, WHOLE, Project

if TYPE_CHECKING:
    from collections.abc import Callable

    from equality import Sums
    from figures import Figure
    from places import Scratch
    from projects import Work
    from sides import Side

MEDALLION_BUDGET, CHAIN_BUDGET, SQLMESH_BUDGET = 1.05, 1.10, 1 / 25
WARM = 1


def medallion_peers(scratch: Scratch, rounds: int) -> Row:
    """Measure the twelve pipes."""
    title = f"12-pipe medallion over {scratch.rows:,} rows of Parquet, from nothing, whole process"
    return _whole(scratch, rounds, "medallion", title, medallion(scratch), MEDALLION_BUDGET)


def tiny_chain_peers(scratch: Scratch, rounds: int) -> Row:
    """Measure the chain of thirty tiny tables."""
    title = "30-pipe chain of tables of two rows, from nothing, whole process"
    return _whole(scratch, rounds, "tiny-chain", title, tiny_chain(), CHAIN_BUDGET)


def _whole(scratch: Scratch, rounds: int, name: str, title: str, work: Work, budget: float) -> Row:
    projects = _projects(scratch, name, work, WHOLE)
    found = in_turns(rounds, {key: _fresh(project) for key, project in projects.items()})
    figures = [*_to_loop(found, budget), *_to_loop(found, budget, on="Sail", keys=("kindling-sail", "sail"))]
    return _row((name, title), work, projects, found, figures)


def medallion_jvm(scratch: Scratch, rounds: int) -> Row:
    """Measure the twelve pipes on JVM Spark, with Sail beside it."""
    title = f"12-pipe medallion over {scratch.rows:,} rows of Parquet on JVM Spark and on Sail, from nothing"
    return _on_jvm(scratch, rounds, "medallion-jvm", title, medallion(scratch))


def tiny_chain_jvm(scratch: Scratch, rounds: int) -> Row:
    """Measure the chain of thirty tiny tables on JVM Spark, with Sail beside it."""
    title = "30-pipe chain of tables of two rows on JVM Spark and on Sail, from nothing"
    return _on_jvm(scratch, rounds, "tiny-chain-jvm", title, tiny_chain())


def _on_jvm(scratch: Scratch, rounds: int, name: str, title: str, work: Work) -> Row:
    projects = _projects(scratch, name, work, ON_JVM)
    found = in_turns(rounds, {key: _fresh(project) for key, project in projects.items()})
    walls = {key: [sample.wall_s for sample in samples] for key, samples in found.items()}
    figures = [
        ratio("Kindling to the loop by hand on JVM Spark, wall", walls["kindling"], walls["loop"]),
        ratio("Kindling on Sail to the loop on JVM Spark, wall", walls["kindling-sail"], walls["loop"]),
    ]
    return _row((name, title), work, projects, found, figures)


def second_run(scratch: Scratch, rounds: int) -> Row:
    """Measure the second run of the medallion, in which nothing changed."""
    work = medallion(scratch)
    projects = _primed(scratch, "second-run", work)
    sides = {key: _again(project) for key, project in projects.items()}
    found = in_turns(rounds, sides)
    cpus = [[sample.cpu_s for sample in found[key]] for key in ("kindling", "sqlmesh")]
    figures = [ratio("Kindling to `sqlmesh plan`, CPU", *cpus, budget=SQLMESH_BUDGET)]
    title = f"second run of the medallion over {scratch.rows:,} rows, nothing changed, whole process"
    return _row(("second-run", title), work, projects, found, figures, lambda side: side.finds or ALL_AGAIN)


def one_changed(scratch: Scratch, rounds: int) -> Row:
    """Measure a run of the medallion after one pipe's SQL was changed: four of twelve tables are due."""
    works = [medallion(scratch, factor) for factor in range(2, rounds + WARM + 2)]
    tables = dependents(works[0], CHANGED)
    projects = _primed(scratch, "one-changed", medallion(scratch))
    sides = {key: _after_change(project, works, tables) for key, project in projects.items()}
    found = in_turns(rounds, sides, warm=WARM)
    title = f"one pipe of the medallion over {scratch.rows:,} rows changed, {len(tables)} of 12 tables due"
    figures = _to_loop(found, None)
    last = works[-1]
    return _row(
        ("one-changed", title),
        last,
        projects,
        found,
        figures,
        lambda side: side.told or side.finds or ALL_AGAIN,
    )


def _primed(scratch: Scratch, row: str, work: Work) -> dict[str, Project]:
    projects = _projects(scratch, row, work, CHANGES)
    for project in projects.values():
        project.clear()
        for command in project.side.primes or (project.side.whole,):
            project.run(command)
        project.settle()
    return projects


def _again(project: Project) -> Callable[[], Sample]:
    return lambda: project.run(project.side.again or project.side.whole)


def _after_change(project: Project, works: list[Work], tables: list[str]) -> Callable[[], Sample]:
    """Return what changes one pipe, each time to something new, and runs."""
    left = iter(works)

    def once() -> Sample:
        project.write(next(left))
        sample = project.run(project.side.changed or project.side.whole, tables)
        project.settle()
        return sample

    return once


def _to_loop(
    found: dict[str, list[Sample]],
    budget: float | None,
    on: str = "DuckDB",
    keys: tuple[str, str] = ("kindling", "loop"),
) -> list[Figure]:
    ours, theirs = (found[key] for key in keys)
    return list(both_ratios(f"{on}: Kindling to the loop by hand", ours, theirs, budget=budget))


def _fresh(project: Project) -> Callable[[], Sample]:
    def once() -> Sample:
        project.clear()
        return project.run(project.side.whole)

    return once


def _projects(scratch: Scratch, row: str, work: Work, sides: tuple[Side, ...]) -> dict[str, Project]:
    return {side.key: Project(side, scratch.path / "peers" / row / side.key, work) for side in sides}


def _row(
    named: tuple[str, str],
    work: Work,
    projects: dict[str, Project],
    found: dict[str, list[Sample]],
    figures: list[Figure],
    form: Callable[[Side], str] = lambda side: side.how,
) -> Row:
    """Return the row; CommandFailed where one side's tables are not the loop's."""
    tables = list(work["pipes"])
    wanted = _sums(projects["loop"], tables)
    wrong = [
        f"{project.side.name}: {one}"
        for key, project in projects.items()
        if key != "loop"
        for one in differences(wanted, _sums(project, tables))
    ]
    if wrong:
        raise CommandFailed("tables differ from the loop's:\n" + "\n".join(wrong))
    laps = tuple(
        lap(side.name, side.engine, side.tables, form(side), _countable(side, found[key]))
        for key, side in ((key, project.side) for key, project in projects.items())
    )
    environments = {project.side.environment for project in projects.values()} - {""}
    told = "; ".join(f"{one}: {versions(one)}" for one in sorted(environments))
    return Row(*named, tuple(figures), (f"equal in all tables: row counts and checksums. {told}",), laps)


def _countable(side: Side, samples: list[Sample]) -> list[Sample]:
    """Leave CPU time out where a JVM outlives the process that started it: nobody waits for it."""
    return [Sample(sample.wall_s, 0.0) for sample in samples] if side.on_jvm else samples


def _sums(project: Project, tables: list[str]) -> dict[str, Sums]:
    return sums_of(project.folder, project.side.tables, project.side.schema, tables)
