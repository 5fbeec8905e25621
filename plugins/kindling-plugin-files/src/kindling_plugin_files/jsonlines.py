"""JSON lines to Arrow and back: one object per line. Not whole-file JSON documents.

Text stays text unless a schema says otherwise: JSON has no dates, and guessing them would lose zones.
"""

from __future__ import annotations

import io
import json
import re
from collections.abc import Iterator, Sequence
from datetime import date, datetime
from decimal import Decimal
from tempfile import SpooledTemporaryFile
from typing import IO, BinaryIO, cast

import pyarrow as pa
import pyarrow.json as pajson

from kindling.errors import StoreError
from kindling.hooks.arrow import arrow_type, neutral_type
from kindling.schemas import Field, Schema
from kindling_plugin_files.archives import unpacked
from kindling_plugin_files.badrows import BadRowLog
from kindling_plugin_files.badvalues import IN_MEMORY_BYTES
from kindling_plugin_files.columns import check_same, no_nested
from kindling_plugin_files.places import FileEntry, LocalPlace, RemotePlace
from kindling_plugin_files.textfiles import KNOWN

CHUNK_LINES = 20_000


class JsonReader:
    """Reads files of JSON lines of one entity."""

    def __init__(self, entity: str, place: LocalPlace | RemotePlace) -> None:
        self._entity = entity
        self._place = place

    def check(
        self, entries: Sequence[FileEntry], schema: Schema | None, origin: str
    ) -> tuple[FileEntry, ...]:
        """Return the files that are not empty. An object may lack keys; after a cursor it has no new ones."""
        for field in schema.fields if schema is not None else ():
            if not can_hold(field.type):
                raise no_nested(self._entity, field.name, field.type)
        filled = tuple(entry for entry in entries if entry.size)
        if schema is not None and origin == KNOWN:
            for entry in filled:
                names = self.table(entry, None, BadRowLog(self._entity, "", "skip")).column_names
                union = dict.fromkeys((*schema.names, *names))
                check_same(
                    self._entity,
                    ("what was read before", schema.names),
                    (entry.name, tuple(union)),
                    entry.path,
                )
        return filled

    def table(self, entry: FileEntry, schema: Schema | None, log: BadRowLog) -> pa.Table:
        """Read one file; with a schema exactly its types, else what pyarrow infers, text kept as text."""
        types = None if schema is None else _parsed_schema(schema)
        with unpacked(self._place, entry) as file:
            try:
                table = _parse(file, types)
                if schema is None or not _misfits(table, schema):
                    return table if schema is None else _with_dates(table, schema)
            except pa.ArrowInvalid:
                pass
        with SpooledTemporaryFile(max_size=IN_MEMORY_BYTES) as good:
            with unpacked(self._place, entry) as file:
                _copy_good_lines(file, entry.name, schema, (log, good))
            try:
                table = _parse(cast("BinaryIO", good), types)
            except pa.ArrowInvalid as error:
                raise self._mixed(entry.path, str(error)) from error
        return table if schema is None else _with_dates(table, schema)

    def common(self, schemas: Sequence[tuple[str, pa.Schema]]) -> Schema:
        """Return the schema of a set: whole and fractional numbers meet as double, other kinds do not."""
        texts = [(file, pa.schema([(f.name, _as_text(f.type)) for f in found])) for file, found in schemas]
        merged = texts[0][1]
        for file, found in texts[1:]:
            try:
                merged = pa.unify_schemas([merged, found], promote_options="permissive")
            except (pa.ArrowInvalid, pa.ArrowTypeError) as error:
                raise self._mixed(file, str(error)) from error
        kinds = ((f.name, pa.string() if pa.types.is_null(f.type) else f.type) for f in merged)
        return Schema(tuple(Field(name, neutral_type(kind, column=name)) for name, kind in kinds))

    def fits(self, inferred: pa.Schema, schema: Schema) -> bool:
        """Tell whether the inferred columns are those of the schema."""
        types = {field.name: field.type for field in schema.fields}
        return all(pa.types.is_null(f.type) or f.type == arrow_type(types[f.name]) for f in inferred)

    def _mixed(self, file: str, why: str) -> StoreError:
        return StoreError(
            "KDL-STORE-002",
            f"{self._entity!r} cannot be read",
            why=why,
            where=file,
            hint="declare the columns with schema=",
        )


def can_hold(kind: str) -> bool:
    """Tell whether JSON lines can hold a type and give it back: no maps, no bytes, no dates in lists."""
    return "map<" not in kind and "binary" not in kind and not ("<" in kind and re.search(r"\bdate\b", kind))


def _as_text(kind: pa.DataType) -> pa.DataType:
    """Return an inferred type with instants, and nulls inside of lists and objects, as text."""
    if pa.types.is_timestamp(kind):
        return pa.string()
    if pa.types.is_list(kind):
        inner = kind.value_type
        return pa.list_(pa.string() if pa.types.is_null(inner) else _as_text(inner))
    if pa.types.is_struct(kind):
        return pa.struct(
            [(f.name, pa.string() if pa.types.is_null(f.type) else _as_text(f.type)) for f in kind]
        )
    return kind


def _parsed_schema(schema: Schema) -> pa.Schema:
    """Return what pyarrow parses; dates are read as text, it has no conversion for them."""
    return pa.schema(
        [(f.name, pa.string() if f.type == "date" else arrow_type(f.type)) for f in schema.fields]
    )


def _parse(file: BinaryIO, types: pa.Schema | None) -> pa.Table:
    behaviour = "infer" if types is None else "ignore"
    options = pajson.ParseOptions(explicit_schema=types, unexpected_field_behavior=behaviour)
    try:
        return pajson.read_json(file, parse_options=options)
    except pa.ArrowInvalid as error:
        if "Empty JSON file" not in str(error):
            raise
        return pa.table({}) if types is None else types.empty_table()


def _misfits(table: pa.Table, schema: Schema) -> bool:
    """Tell whether a value is null that must not be, or a text is no date."""
    try:
        _with_dates(table, schema)
    except pa.ArrowInvalid:
        return True
    return any(
        not f.nullable and f.name in table.column_names and table.column(f.name).null_count
        for f in schema.fields
    )


def _with_dates(table: pa.Table, schema: Schema) -> pa.Table:
    for field in schema.fields:
        if field.type == "date" and field.name in table.column_names:
            place = table.column_names.index(field.name)
            table = table.set_column(place, field.name, table.column(place).cast(pa.date32()))
    return table


def _copy_good_lines(
    file: BinaryIO, name: str, schema: Schema | None, to: tuple[BadRowLog, IO[bytes]]
) -> None:
    """Log the lines that are no objects of the schema; copy the others, and go to their start."""
    chunk: list[tuple[int, bytes]] = []
    for number, line in enumerate(file, start=1):
        if line.strip():
            chunk.append((number, line))
        if len(chunk) >= CHUNK_LINES:
            _sift(chunk, name, schema, to)
    _sift(chunk, name, schema, to)
    to[1].seek(0)


def _sift(
    chunk: list[tuple[int, bytes]], file: str, schema: Schema | None, to: tuple[BadRowLog, IO[bytes]]
) -> None:
    """Send each line of a chunk to the log or to the good ones, and empty the chunk."""
    log, good = to
    reasons: dict[int, str] = {}
    for number, line in chunk:
        wrong = _no_object(line)
        if wrong:
            reasons[number] = wrong
    if schema is not None:
        objects = [(number, line) for number, line in chunk if number not in reasons]
        reasons.update(_misfitting(objects, schema))
    for number, line in chunk:
        if number in reasons:
            log.add(f"{file}:{number}", line.decode(errors="replace").strip(), reasons[number])
        else:
            good.write(line.rstrip(b"\r\n") + b"\n")
    chunk.clear()


def _no_object(line: bytes) -> str:
    try:
        found = json.loads(line)
    except ValueError as error:
        return f"no JSON: {error}"
    return "" if isinstance(found, dict) else f"no object but {type(found).__name__}"


def _misfitting(lines: list[tuple[int, bytes]], schema: Schema) -> dict[int, str]:
    """Return what is wrong with each line that does not fit the schema, found by halving."""
    types = _parsed_schema(schema)
    wrong: dict[int, str] = {}
    open_ranges = [lines] if lines else []
    while open_ranges:
        part = open_ranges.pop()
        why = _misfit(b"".join(line.rstrip(b"\r\n") + b"\n" for _, line in part), types, schema)
        if not why:
            continue
        if len(part) == 1:
            wrong[part[0][0]] = why
            continue
        half = len(part) // 2
        open_ranges += [part[:half], part[half:]]
    return wrong


def _misfit(text: bytes, types: pa.Schema, schema: Schema) -> str:
    try:
        table = _parse(io.BytesIO(text), types)
        _with_dates(table, schema)
    except pa.ArrowInvalid as error:
        return re.sub(r" in row \d+", "", str(error)).removeprefix("JSON parse error: ")
    null = next((f.name for f in schema.fields if not f.nullable and table.column(f.name).null_count), None)
    return "" if null is None else f"column {null!r} is null, and must not be"


def write_json(batches: Iterator[pa.RecordBatch], schema: Schema, file: BinaryIO, entity: str) -> int:
    """Write one JSON object per row in UTF-8 and return how many rows; decimals are written as text.

    Raises:
        StoreError: KDL-STORE-212, a type has no form in JSON that can be read back.
    """
    for field in schema.fields:
        if not can_hold(field.type):
            raise no_nested(entity, field.name, field.type)
    rows = 0
    for batch in batches:
        file.writelines(
            json.dumps(row, ensure_ascii=False, default=_plain, separators=(",", ":")).encode() + b"\n"
            for row in batch.to_pylist()
        )
        rows += len(batch)
    return rows


def _plain(value: object) -> str:
    if isinstance(value, datetime):
        return value.isoformat().replace("+00:00", "Z")
    if isinstance(value, date):
        return value.isoformat()
    if isinstance(value, Decimal):
        return format(value, "f")
    msg = f"{value!r} has no form in JSON"
    raise TypeError(msg)
