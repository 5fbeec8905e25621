"""Cut time into half-open UTC slices. Pure; not where bounds come from."""

from __future__ import annotations

from datetime import MAXYEAR, datetime, timedelta, timezone

from kindling.addresses import Slice
from kindling.errors import PlanError

TYPE_CHECKING = False
if TYPE_CHECKING:
    from kindling.intents import Incremental

MOST = 100_000
"""More slices than this are a mistake of unit (`1h` over centuries)."""
_EPOCH = datetime(1970, 1, 1, tzinfo=timezone.utc)


def parse_instant(text: str, *, what: str) -> datetime:
    """Return an ISO 8601 date or date-time as an aware UTC datetime; without a zone it is UTC.

    Raises:
        PlanError: KDL-PLAN-030, it is none.
    """
    try:
        moment = datetime.fromisoformat(text)
    except ValueError:
        raise PlanError(
            "KDL-PLAN-030",
            f"{what} {text!r} is no date or time",
            hint="write 2013-01-31 or 2013-01-31T12:00:00Z",
        ) from None
    zoned = moment if moment.tzinfo else moment.replace(tzinfo=timezone.utc)
    return zoned.astimezone(timezone.utc)


def floor(moment: datetime, every: Incremental) -> datetime:
    """Return the start of the slice that holds an instant.

    Slices of months start at the first of a month counted from January of year 1; others are counted
    from the start that the pipe gives, or from 1970-01-01.

    Raises:
        OverflowError: It lies before year 1.
    """
    if every.months:
        months = (moment.year - 1) * 12 + moment.month - 1
        return _month(months - months % every.months)
    base = _start(every) or _EPOCH
    step = timedelta(seconds=every.every_s)
    return base + (moment - base) // step * step


def after(start: datetime, every: Incremental) -> datetime:
    """Return the end of the slice that starts at an instant.

    Raises:
        OverflowError: It lies behind year 9999.
    """
    if every.months:
        return _month((start.year - 1) * 12 + start.month - 1 + every.months)
    return start + timedelta(seconds=every.every_s)


def _start(every: Incremental) -> datetime | None:
    return parse_instant(every.start, what="by_time(start=)") if every.start else None


def _month(months: int) -> datetime:
    year = months // 12 + 1
    if year > MAXYEAR:
        raise OverflowError
    return datetime(year, months % 12 + 1, 1, tzinfo=timezone.utc)


def cut(first: datetime, last: datetime, every: Incremental) -> tuple[Slice, ...]:
    """Return the slices that hold the instants from `first` to `last`, both included, oldest first.

    Where the pipe gives a start, no slice begins before it: one of months that would is cut off there.

    Raises:
        PlanError: KDL-PLAN-031, there would be more than 100,000; KDL-PLAN-033, one lies outside of the
            years 1 to 9999.
    """
    least = _start(every)
    first = first if least is None else max(first, least)
    try:
        return _cut(first, last, every, least or first.min.replace(tzinfo=timezone.utc))
    except OverflowError:
        raise PlanError(
            "KDL-PLAN-033",
            f"by_time({every.column!r}) cannot cut slices between {first} and {last}",
            why="a slice would lie outside of the years 1 to 9999",
            hint="filter such values out before, or give by_time(start=)",
        ) from None


def _cut(first: datetime, last: datetime, every: Incremental, least: datetime) -> tuple[Slice, ...]:
    shortest = timedelta(seconds=every.every_s, days=28 * every.months)
    if (last - first) / shortest > MOST:  # asked before they fill the memory
        raise PlanError(
            "KDL-PLAN-031",
            f"by_time({every.column!r}) cuts more than {MOST} slices between {first} and {last}",
            hint="choose a longer every=",
        )
    slices: list[Slice] = []
    start = floor(first, every)
    while start <= last:
        end = after(start, every)
        slices.append(Slice.interval(max(start, least), end))
        start = end
    return tuple(slices)
