"""Finds the rows of a CSV file that cannot be read: the careful way, taken only where the fast one failed.

Python's csv module tells lines and raw text; whether a value has its type is decided by pyarrow's own
CSV conversion, so that both ways agree.
"""

from __future__ import annotations

import csv
import io
import re
from collections.abc import Iterable, Iterator, Mapping, Sequence
from typing import IO

import pyarrow as pa
import pyarrow.csv as pacsv

from kindling.hooks.arrow import neutral_type
from kindling_plugin_files.badrows import BadRowLog
from kindling_plugin_files.options import FileOptions

CHUNK_ROWS = 4_000
IN_MEMORY_BYTES = 64 * 1024 * 1024

Wanted = Mapping[int, tuple[str, pa.DataType, bool]]
"""Columns to check, by place: name, type, and whether it must not be null."""
Row = tuple[int, str, list[str], str]
"""Line of a row's start, its raw text, its fields, and what is already known to be wrong with it."""

# Each pattern lets at least all valid values through; what passes is still tried by pyarrow. They only
# spare the search a file full of bad values.
_LIKELY = {
    "int": re.compile(r"\s*-?(\d+|0[xX][0-9a-fA-F]+)\s*"),
    "number": re.compile(r"\s*[+-]?(\d+\.?\d*|\.\d+)([eE][+-]?\d+)?\s*|\s*[+-]?[a-zA-Z]{3,8}\s*"),
    "time": re.compile(r"\s*\d{4}-\d{2}-\d{2}.*\s*"),
}


class _Lines:
    """Hands lines to csv.reader and keeps the raw text of the row that is being read."""

    def __init__(self, lines: Iterable[str]) -> None:
        self._lines = iter(lines)
        self.raw: list[str] = []

    def __iter__(self) -> Iterator[str]:
        for line in self._lines:
            self.raw.append(line)
            yield line


def split_bad_rows(
    lines: Iterable[str],
    options: FileOptions,
    file: str,
    shape: tuple[int, int, Wanted],
    to: tuple[BadRowLog, IO[bytes]],
    *,
    keep_blank: bool,
) -> None:
    """Log the bad rows of a file; copy the others as UTF-8 text, without the rows before the data.

    Args:
        lines: The file's text, line ends kept.
        options: Of the entity.
        file: How the log calls the file.
        shape: Number of columns, number of rows before the data, and the columns to check.
        to: The log, which takes each bad row with its line, its raw text and what is wrong; and the file
            for the others, left at its start.
        keep_blank: Whether an empty line is a row.
    """
    width, skipped, wanted = shape
    sieve = _Sieve(file, ("", options.null_value), wanted, to)
    chunk: list[Row] = []
    for line, raw, fields in _rows(lines, options.delimiter, skipped):
        if not fields and not keep_blank:
            continue
        found = fields or [""]
        wrong = "" if len(found) == width else f"expected {width} columns, found {len(found)}"
        chunk.append((line, raw, found, wrong))
        if len(chunk) >= CHUNK_ROWS:
            sieve.sift(chunk)
            chunk.clear()
    sieve.sift(chunk)
    to[1].seek(0)


def _rows(lines: Iterable[str], delimiter: str, skipped: int) -> Iterator[tuple[int, str, list[str]]]:
    source = _Lines(lines)
    reader = csv.reader(iter(source), delimiter=delimiter)
    start = 1
    for place, fields in enumerate(reader):
        raw = "".join(source.raw)
        source.raw.clear()
        if place >= skipped:
            yield start, raw, fields
        start = reader.line_num + 1


class _Sieve:
    """Sends each row to the log or to the good ones; a bad value is searched for only once."""

    def __init__(
        self, file: str, null: tuple[str, str], wanted: Wanted, to: tuple[BadRowLog, IO[bytes]]
    ) -> None:
        self._file = file
        self._null = null
        self._wanted = wanted
        self._log, self._good = to
        self._bad: dict[int, set[str]] = {place: set() for place in wanted}

    def sift(self, chunk: list[Row]) -> None:
        """Decide the rows of a chunk, in their order."""
        reasons = {number: wrong for number, (_, _, _, wrong) in enumerate(chunk) if wrong}
        for place in self._wanted:
            self._judge(
                place, [(number, row[2][place]) for number, row in enumerate(chunk) if not row[3]], reasons
            )
        for number, (line, raw, _, _) in enumerate(chunk):
            if number in reasons:
                self._log.add(f"{self._file}:{line}", raw.rstrip("\r\n"), reasons[number])
            else:
                self._good.write((raw if raw.endswith(("\n", "\r")) else raw + "\n").encode())

    def _judge(self, place: int, values: list[tuple[int, str]], reasons: dict[int, str]) -> None:
        """Add a reason for each value of a column that cannot be read."""
        name, kind, required = self._wanted[place]
        bad, shown = self._bad[place], neutral_type(kind)
        distinct = {value for _, value in values}
        bad.update(bad_values(sorted(distinct.difference(bad, self._null)), kind))
        empty = distinct.intersection(self._null) if required else ()
        if not empty and bad.isdisjoint(distinct):
            return
        for number, value in values:
            if value in bad:
                reasons.setdefault(number, f"column {name!r}: {value!r} is no {shown}")
            elif value in empty:
                reasons.setdefault(number, f"column {name!r} is null, and must not be")


def bad_values(values: Sequence[str], kind: pa.DataType) -> list[str]:
    """Return those of some distinct values that pyarrow cannot convert to a type."""
    likely = _pattern(kind)
    bad = [value for value in values if likely is not None and not likely.fullmatch(value)]
    maybe = [value for value in values if likely is None or likely.fullmatch(value)]
    open_ranges = [maybe] if maybe else []
    while open_ranges:
        part = open_ranges.pop()
        if _converts(part, kind):
            continue
        if len(part) == 1:
            bad += part
            continue
        half = len(part) // 2
        open_ranges += [part[:half], part[half:]]
    return bad


def _pattern(kind: pa.DataType) -> re.Pattern[str] | None:
    if pa.types.is_integer(kind):
        return _LIKELY["int"]
    if pa.types.is_floating(kind) or pa.types.is_decimal(kind):
        return _LIKELY["number"]
    if pa.types.is_temporal(kind):
        return _LIKELY["time"]
    return None


def _converts(values: Sequence[str], kind: pa.DataType) -> bool:
    quoted = "\n".join('"' + value.replace('"', '""') + '"' for value in values)
    for tried in finer(kind):
        try:
            pacsv.read_csv(
                io.BytesIO(f"v\n{quoted}\n".encode()),
                parse_options=pacsv.ParseOptions(newlines_in_values=True),
                convert_options=pacsv.ConvertOptions(column_types={"v": tried}, null_values=[]),
            )
        except pa.ArrowInvalid:
            continue
        return True
    return False


def finer(kind: pa.DataType) -> tuple[pa.DataType, ...]:
    """Return the Arrow types a text may be read as: instants lose what is finer than microseconds."""
    if pa.types.is_timestamp(kind):
        return kind, pa.timestamp("ns", tz=kind.tz)
    return (kind,)
