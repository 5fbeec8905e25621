"""Spark's date patterns and regular-expression replacements in DuckDB's notation.

Source: Spark 4.2 SQL reference, "Datetime Patterns"; DuckDB 2.0 documentation, "Date Format Functions".
"""

from __future__ import annotations

import re

from kindling_plugin_duckdb.portability import refused_pattern

_LETTERS = {
    "yyyy": "%Y",
    "yy": "%y",
    "MMMM": "%B",
    "MMM": "%b",
    "MM": "%m",
    "M": "%-m",
    "dd": "%d",
    "d": "%-d",
    "HH": "%H",
    "H": "%-H",
    "hh": "%I",
    "h": "%-I",
    "mm": "%M",
    "m": "%-M",
    "ss": "%S",
    "s": "%-S",
    "SSS": "%g",
    "SSSSSS": "%f",
    "a": "%p",
    "EEEE": "%A",
    "EEE": "%a",
    "EE": "%a",
    "E": "%a",
    "D": "%-j",
    "DDD": "%j",
}
_TOKEN = re.compile(r"'((?:[^']|'')*)'|([A-Za-z])\2*|[^A-Za-z']+")
_UNITS = {
    "year": "year",
    "yyyy": "year",
    "yy": "year",
    "quarter": "quarter",
    "month": "month",
    "mon": "month",
    "mm": "month",
    "week": "week",
    "day": "day",
    "dd": "day",
    "hour": "hour",
    "minute": "minute",
    "second": "second",
    "millisecond": "milliseconds",
    "microsecond": "microseconds",
}


def strftime_pattern(function: str, pattern: str) -> str:
    """Return DuckDB's form of one of Spark's date patterns.

    Raises:
        RunError: KDL-PORT-026, a letter of it has no equal.
    """
    parts: list[str] = []
    end = 0
    for match in _TOKEN.finditer(pattern):
        if match.start() != end:
            break
        end = match.end()
        letters = match[0]
        if letters.startswith("'"):
            parts.append((match[1] or "'").replace("''", "'").replace("%", "%%"))
        elif match[2]:
            if letters not in _LETTERS:
                raise refused_pattern(function, pattern, letters)
            parts.append(_LETTERS[letters])
        else:
            parts.append(letters.replace("%", "%%"))
    if end != len(pattern):
        raise refused_pattern(function, pattern, pattern[end:])
    return "".join(parts)


def truncation_unit(function: str, unit: str) -> str:
    """Return DuckDB's name of a unit of `trunc` or `date_trunc`.

    Raises:
        RunError: KDL-PORT-026, the unit is unknown.
    """
    found = _UNITS.get(unit.lower())
    if found is None:
        raise refused_pattern(function, unit, unit)
    return found


def replacement(text: str) -> str:
    r"""Return a Java replacement text in RE2's form: `$1` becomes `\1`, and `\$` a plain `$`.

    Raises:
        RunError: KDL-PORT-026, it names a group or one above 9.
    """
    parts: list[str] = []
    place = 0
    while place < len(text):
        letter = text[place]
        if letter == "\\":
            following = text[place + 1 : place + 2]
            parts.append("\\\\" if following == "\\" else following)
            place += 2
        elif letter == "$":
            match = re.match(r"\$(\d)(?!\d)", text[place:])
            if match is None:
                raise refused_pattern("regexp_replace", text, text[place : place + 3])
            parts.append("\\" + match[1])
            place += 2
        else:
            parts.append(letter)
            place += 1
    return "".join(parts)
