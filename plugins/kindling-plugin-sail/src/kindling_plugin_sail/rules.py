"""Functions that Sail 0.7.2 computes otherwise than Spark: what is written instead, or why they are refused.

A replacement is a tree: a tuple is a call or an operator, `"$0"` the first argument, all else a literal.
Source: the cross-engine suite, `docs/portability.md`; a rule that Sail no longer needs fails there.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from typing import TypeAlias

Tree: TypeAlias = "tuple[Tree, ...] | str | int | bool | None"
Literals: TypeAlias = Sequence["str | int | None"]
"""The arguments of a call that are literals; None for any other."""

_EMPTY = ("substring", "$0", 1, 0)
_DAYS = ("cast", ("date_diff", "$0", "$1"), "int")
_BEFORE_START = ("+", ("length", "$0"), "$1")
_HAS_NULL = ("<", ("size", ("array_compact", "$0")), ("size", "$0"))
_CHR = ("case", ("<", "$0", 0), ("substring", "a", 1, 0), ("chr", ("%", "$0", 256)))

REPLACED: Mapping[tuple[str, int], Tree] = {
    ("isnan", 1): ("coalesce", ("isnan", "$0"), False),  # null for null there, false on Spark
    ("weekday", 1): ("pmod", ("+", ("dayofweek", "$0"), 5), 7),  # -1 for Sundays
    ("datediff", 2): _DAYS,  # bigint
    ("date_diff", 2): _DAYS,
    ("unix_seconds", 1): ("cast", ("floor", ("/", ("unix_micros", "$0"), 1000000)), "bigint"),  # towards zero
    ("timestamp_seconds", 1): ("cast", "$0", "timestamp"),  # drops the fraction
    ("left", 2): ("case", ("<", "$1", 0), _EMPTY, ("left", "$0", "$1")),
    ("right", 2): ("case", ("<", "$1", 0), _EMPTY, ("right", "$0", "$1")),
    ("substring", 3): (
        "case",
        ("<", _BEFORE_START, 0),
        ("substring", "$0", 1, ("greatest", ("+", "$2", _BEFORE_START), 0)),
        ("substring", "$0", "$1", "$2"),
    ),
    ("slice", 3): (
        "case",
        ("<", ("+", ("size", "$0"), "$1"), 0),
        ("slice", "$0", 1, 0),
        ("slice", "$0", "$1", "$2"),
    ),
    ("chr", 1): _CHR,
    ("char", 1): _CHR,
    ("ifnull", 2): ("coalesce", "$0", "$1"),  # makes doubles of decimals
    ("array_contains", 2): (
        "case",
        ("array_contains", "$0", "$1"),
        True,
        _HAS_NULL,
        None,
        ("array_contains", "$0", "$1"),
    ),
    ("rint", 1): ("cast", ("bround", ("cast", "$0", "double")), "double"),
    ("regexp_count", 2): ("cast", ("regexp_count", "$0", "$1"), "int"),
    ("date_trunc", 2): ("date_trunc", "$0", ("cast", "$1", "timestamp")),  # a date stays without a zone
}
REPLACED = {**REPLACED, ("substr", 3): REPLACED["substring", 3]}

NEVER_NULL = frozenset(("collect_set",))
"""Aggregates that are null as window functions where no value is left; on Spark, an empty array."""


def is_needed(name: str, literals: Literals) -> bool:
    """Tell whether a call with these arguments needs its replacement: start positions mostly do not."""
    place = {"substring": 1, "substr": 1, "slice": 1, "left": 1, "right": 1, "chr": 0, "char": 0}.get(name)
    if place is None:
        return True
    value = literals[place]
    return not (isinstance(value, int) and 0 <= value < 256)  # noqa: PLR2004  # all letters of `chr`


def _always(_literals: Literals) -> bool:
    return True


def _empty_pattern(literals: Literals) -> bool:
    return len(literals) > 1 and literals[1] == ""


def _day_of_week(literals: Literals) -> bool:
    return str(literals[0]).lower() in ("dow", "dayofweek")


def _fine_unit(literals: Literals) -> bool:
    coarse = ("year", "yyyy", "yy", "quarter", "month", "mon", "mm", "week")
    return len(literals) > 1 and isinstance(literals[1], str) and literals[1].lower() not in coarse


_PERCENTILE = ("it interpolates, where Spark takes a value that occurs", "use percentile(x, 0.5)")
_SPLIT = ("an empty pattern splits letters differently", "use another pattern")
_DOW = ("it counts the days of the week from 0, Spark from 1", "use dayofweek(x)")
REFUSED: Mapping[str, tuple[Callable[[Literals], bool], str, str]] = {
    "approx_percentile": (_always, *_PERCENTILE),
    "percentile_approx": (_always, *_PERCENTILE),
    "initcap": (_always, "it starts a word after each sign, Spark after spaces only", "use upper and lower"),
    "conv": (_always, "negative numbers come out differently", "use hex or bin"),
    "hypot": (_always, "it overflows, and NaN beside infinity is NaN", "write sqrt(a * a + b * b)"),
    "log1p": (_always, "it is exact to ten digits only", "write ln(1 + x)"),
    "is_valid_utf8": (_always, "it is false for null", "write CASE WHEN x IS NOT NULL THEN ... END"),
    "sentences": (_always, "it finds other words", "use split"),
    "split": (_empty_pattern, *_SPLIT),
    "regexp_replace": (_empty_pattern, *_SPLIT),
    "date_part": (_day_of_week, *_DOW),
    "datepart": (_day_of_week, *_DOW),
    "get_json_object": (
        _always,
        "it returns parts as they stand, where Spark writes them again",
        "use from_json(x, 'a STRING').a",
    ),
    "trunc": (_fine_unit, "units below a week are null on Spark", "use date_trunc"),
}
"""By name: for which literals a call is refused, why, and what to do."""
