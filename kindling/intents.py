"""How a pipe's rows enter its entity, and how much of its inputs it reads. Values, not options."""

from __future__ import annotations

from kindling.errors import DeclarationError
from kindling.values import Value

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Sequence


class Intent(Value):
    """A named write intent.

    Attributes:
        name: `overwrite`, `append`, `merge`, `scd2` or `replace`.
        on: Key columns of `merge` and `scd2`.
        track: Columns whose change makes a new `scd2` version; () for all but the keys.
        by: Columns of `replace`.
    """

    name: str
    on: tuple[str, ...] = ()
    track: tuple[str, ...] = ()
    by: tuple[str, ...] = ()

    def to_plain(self) -> dict[str, object]:
        """Return the intent as JSON types."""
        return {"name": self.name, "on": list(self.on), "track": list(self.track), "by": list(self.by)}

    @classmethod
    def from_plain(cls, plain: dict[str, object]) -> Intent:
        """Return the intent that `to_plain` wrote."""
        return cls(plain["name"], *(tuple(plain[key]) for key in ("on", "track", "by")))  # type: ignore[arg-type]


class Incremental(Value):
    """How much of its inputs a pipe reads.

    Attributes:
        kind: `changes` or `time`.
        column: Timestamp or date column of `time`.
        every_s: Length of a slice in seconds; 0 with `months` set.
        months: Length of a slice in calendar months; 0 with `every_s` set.
        lookback_s: How far before the newest slice to read again.
        deletes: What `changes` does with deleted rows: `refuse`, `ignore` or `include`.
        start: First instant of the first slice, RFC 3339 UTC, or "" for the data's own.
    """

    kind: str
    column: str = ""
    every_s: int = 0
    months: int = 0
    lookback_s: int = 0
    deletes: str = "refuse"
    start: str = ""


def overwrite() -> Intent:
    """Replace the whole entity: the default."""
    return Intent("overwrite")


def append() -> Intent:
    """Add rows; what a run added before is never added twice."""
    return Intent("append")


def merge(*, on: Sequence[str]) -> Intent:
    """Upsert by key columns (SCD type 1): keys not null, at most one row per key."""
    return Intent("merge", on=_columns("merge(on=)", on))


def scd2(*, on: Sequence[str], track: Sequence[str] = ()) -> Intent:
    """Keep each version of a key's row (SCD type 2).

    Kindling adds the columns `valid_from` (timestamp), `valid_to` (timestamp, null while current) and
    `is_current` (boolean).

    Args:
        on: Key columns.
        track: Columns whose change makes a new version; by default all but the keys.
    """
    return Intent("scd2", on=_columns("scd2(on=)", on), track=_columns("scd2(track=)", track, empty=True))


def replace(*, by: Sequence[str]) -> Intent:
    """Replace the rows whose `by` values occur among the new rows; the others stay."""
    return Intent("replace", by=_columns("replace(by=)", by))


def changes(*, deletes: str = "refuse") -> Incremental:
    """Read only what changed in the first input since the last commit of this pipe.

    Args:
        deletes: `refuse` fails when rows were deleted, `ignore` drops them, `include` adds a column
            `_change` with `insert`, `update` or `delete`.
    """
    if deletes not in ("refuse", "ignore", "include"):
        raise DeclarationError(
            "KDL-DECL-020",
            f"changes(deletes={deletes!r}) is unknown",
            why="known: refuse, ignore, include",
        )
    return Incremental("changes", deletes=deletes)


def by_time(column: str, *, every: str, lookback: str = "", start: str = "") -> Incremental:
    """Work in half-open UTC intervals of a timestamp or date column of the first input.

    Args:
        column: The column, present in the first input and in the output.
        every: Length of a slice: a number and `h`, `d`, `w` or `mo` (calendar months), like `1d`.
        lookback: How far before the newest data finished slices are read again, like `2d`.
        start: First instant, ISO 8601; by default the oldest value in the data.
    """
    every_s, months = _duration("every", every)
    lookback_s, lookback_months = _duration("lookback", lookback) if lookback else (0, 0)
    lookback_s += lookback_months * 31 * 86400
    return Incremental(
        "time", column=column, every_s=every_s, months=months, lookback_s=lookback_s, start=start
    )


_UNITS = {"h": 3600, "d": 86400, "w": 604800}


def _duration(argument: str, text: str) -> tuple[int, int]:
    """Return (seconds, months) of a text like `2d` or `1mo`."""
    number, unit = (text[:-2], "mo") if text.endswith("mo") else (text[:-1], text[-1:])
    if not number.isdecimal() or int(number) < 1 or unit not in (*_UNITS, "mo"):
        raise DeclarationError(
            "KDL-DECL-021",
            f"{argument}={text!r} is not a duration",
            why="expected a number of 1 or more and h, d, w or mo",
            hint="for example '1d'",
        )
    return (0, int(number)) if unit == "mo" else (int(number) * _UNITS[unit], 0)


def _columns(argument: str, columns: Sequence[str], *, empty: bool = False) -> tuple[str, ...]:
    if isinstance(columns, str):
        raise DeclarationError(
            "KDL-DECL-022", f"{argument} is the text {columns!r}", hint=f"write [{columns!r}]"
        )
    names = tuple(columns)
    if not names and not empty:
        raise DeclarationError("KDL-DECL-023", f"{argument} names no column")
    if len({name.lower() for name in names}) < len(names):
        raise DeclarationError("KDL-DECL-024", f"{argument} names a column twice: {', '.join(names)}")
    return names
