"""What a row of the benchmarks finds: figures with their spread, budget and verdict. Plain values."""

from __future__ import annotations

import statistics
from dataclasses import asdict, dataclass, field
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Sequence

MET, MISSED, INFORMATIVE = "met", "missed", "informative"


@dataclass(frozen=True, slots=True)
class Sample:
    """One process from start to end: wall time, and user and system time of its whole tree, in seconds."""

    wall_s: float
    cpu_s: float


@dataclass(frozen=True, slots=True)
class Figure:
    """One number that is compared with its budget.

    Attributes:
        name: What was measured, for example `console script, CPU`.
        value: The median.
        low: The least value seen.
        high: The greatest value seen.
        unit: `x` for ratios, else `s`, `ms`, `us` or a noun.
        count: How many values stand behind it.
        budget: Greatest value allowed; None where the figure only informs.
        detail: Both sides in absolute terms.
    """

    name: str
    value: float
    low: float
    high: float
    unit: str
    count: int
    budget: float | None = None
    detail: str = ""

    @property
    def verdict(self) -> str:
        """`met`, `missed` or `informative`; a value within half of its last shown digit counts as met."""
        if self.budget is None:
            return INFORMATIVE
        return MET if round(self.value, 3) <= self.budget else MISSED


@dataclass(frozen=True, slots=True)
class Lap:
    """What one of several contestants needed for the same work, in seconds.

    Attributes:
        name: Who it is.
        engine: What computed.
        tables: Where its tables are.
        how: How it does this row's work, where that is not said by the title.
        wall: Median, least and greatest wall time.
        cpu: Median, least and greatest CPU time of the whole tree.
        count: Runs behind each.
    """

    name: str
    engine: str
    tables: str
    how: str
    wall: tuple[float, float, float]
    cpu: tuple[float, float, float]
    count: int


@dataclass(frozen=True, slots=True)
class Row:
    """One row of the budget's table.

    Attributes:
        name: For `--only`.
        title: The comparison in words.
        figures: What was found.
        notes: What a reader must know to judge the figures.
        laps: All contestants where more than two do the same work; the first is the one to compare with.
    """

    name: str
    title: str
    figures: tuple[Figure, ...]
    notes: tuple[str, ...] = field(default=())
    laps: tuple[Lap, ...] = field(default=())

    def to_plain(self) -> dict[str, object]:
        """Return the row as JSON types, verdicts included."""
        figures = [{**asdict(figure), "verdict": figure.verdict} for figure in self.figures]
        plain = {"name": self.name, "title": self.title, "figures": figures, "notes": list(self.notes)}
        return {**plain, "laps": [asdict(one) for one in self.laps]} if self.laps else plain


def lap(name: str, engine: str, tables: str, how: str, samples: Sequence[Sample]) -> Lap:
    """Return medians and spread of one contestant."""
    wall = _three([sample.wall_s for sample in samples])
    return Lap(name, engine, tables, how, wall, _three([sample.cpu_s for sample in samples]), len(samples))


def _three(values: Sequence[float]) -> tuple[float, float, float]:
    return statistics.median(values), min(values), max(values)


def spread(
    name: str, values: Sequence[float], unit: str, *, budget: float | None = None, detail: str = ""
) -> Figure:
    """Return the median of some values with the least and the greatest one."""
    return Figure(
        name,
        statistics.median(values),
        min(values),
        max(values),
        unit,
        len(values),
        budget=budget,
        detail=detail,
    )


def ratio(
    name: str, ours: Sequence[float], theirs: Sequence[float], *, budget: float | None = None, unit: str = "s"
) -> Figure:
    """Return the ratio of two sides that ran in turns: the median of the rounds' ratios."""
    scale = {"s": 1, "ms": 1e3, "us": 1e6}[unit]
    mine, other = statistics.median(ours) * scale, statistics.median(theirs) * scale
    pairs = [one / two for one, two in zip(ours, theirs, strict=True)]
    return spread(name, pairs, "x", budget=budget, detail=f"{mine:.3g} {unit} to {other:.3g} {unit}")


def both_ratios(
    name: str, ours: Sequence[Sample], theirs: Sequence[Sample], *, budget: float | None = None
) -> tuple[Figure, Figure]:
    """Return the ratios of wall and of CPU time."""
    walls = [sample.wall_s for sample in ours], [sample.wall_s for sample in theirs]
    cpus = [sample.cpu_s for sample in ours], [sample.cpu_s for sample in theirs]
    unit = "ms" if statistics.median(walls[0]) < 1 else "s"
    return (
        ratio(f"{name}, wall", *walls, budget=budget, unit=unit),
        ratio(f"{name}, CPU", *cpus, budget=budget, unit=unit),
    )
