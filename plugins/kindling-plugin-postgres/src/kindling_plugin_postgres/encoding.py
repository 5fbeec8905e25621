"""Arrow batches as the CSV that COPY reads. Not the other way: see `decoding`.

Arrow writes the CSV of atoms itself: every value in quotes, nulls without. Source: PostgreSQL 15 manual,
"COPY", CSV format: an unquoted empty string is null; "Arrays", "Array Input and Output Syntax".
"""

from __future__ import annotations

import base64
import io
import json
import math
from collections.abc import Callable, Iterator
from datetime import datetime

import pyarrow as pa
import pyarrow.compute as pc
from pyarrow import csv

from kindling.errors import StoreError
from kindling.hooks.arrow import arrow_schema
from kindling.schemas import Field, Schema
from kindling_plugin_postgres.kinds import inner_types, is_nested

_ROWS = 16_384
"""Rows of one piece of CSV: a bound on what is held beside the batch."""
Encode = Callable[[object], object]


class Encoder:
    """Turns batches into CSV, and checks what PostgreSQL would refuse or cut."""

    def __init__(self, entity: str, schema: Schema) -> None:
        self._entity = entity
        self._schema = schema
        self._target = arrow_schema(schema)
        self._options = csv.WriteOptions(include_header=False, quoting_style="all_valid")

    def pieces(self, batch: pa.RecordBatch) -> Iterator[bytes]:
        """Yield the CSV of a batch; its columns are taken by position.

        Raises:
            StoreError: KDL-STORE-312, a null where none may be; KDL-STORE-313, a NUL character in a text.
        """
        for start in range(0, batch.num_rows, _ROWS):
            part = batch.slice(start, _ROWS)
            columns = [
                self._encoded(column if column.type == kind.type else column.cast(kind.type), field)
                for column, kind, field in zip(part.columns, self._target, self._schema.fields, strict=True)
            ]
            text = io.BytesIO()
            csv.write_csv(pa.RecordBatch.from_arrays(columns, self._target.names), text, self._options)
            yield text.getvalue()

    def _encoded(self, column: pa.Array, field: Field) -> pa.Array:
        if not field.nullable and column.null_count:
            raise StoreError(
                "KDL-STORE-312",
                f"column {field.name!r} of {self._entity!r} must not be null, "
                f"but {column.null_count} of its rows are",
                hint="leave rows without it out, or declare the column as nullable",
                column=field.name,
            )
        if field.type == "string":
            self._check_text(column, field)
            return column
        encode = self._encoder(field)
        if encode is None:
            return column
        values = column.to_pylist()
        return pa.array([None if value is None else encode(value) for value in values], pa.string())

    def _encoder(self, field: Field) -> Callable[[object], str] | None:
        if field.type == "binary":
            return lambda value: f"\\x{value.hex()}"  # type: ignore[attr-defined]  # bytes
        if is_nested(field.type):
            make = json_encoder(field.type)
            return lambda value: self._checked(
                json.dumps(make(value), ensure_ascii=False, allow_nan=False), field, "\\u0000"
            )
        if field.type.startswith("array<"):
            kind = inner_types(field.type)[0]
            return lambda value: self._checked(_array_text(value, kind), field, "\0")  # type: ignore[arg-type]  # a list
        return None

    def _check_text(self, column: pa.Array, field: Field) -> None:
        if pc.any(pc.match_substring(column, "\0")).as_py():
            self._checked("\0", field, "\0")

    def _checked(self, text: str, field: Field, nul: str) -> str:
        if nul in text and (nul == "\0" or _has_nul(json.loads(text))):
            raise StoreError(
                "KDL-STORE-313",
                f"column {field.name!r} of {self._entity!r} has a text with a NUL character",
                why="PostgreSQL stores none",
                hint=f"remove it in the pipe: translate({field.name}, char(0), ''), or use binary",
                column=field.name,
            )
        return text


def _has_nul(value: object) -> bool:
    """Tell whether a text holds a NUL; an escaped backslash before `u0000` is none."""
    if isinstance(value, str):
        return "\0" in value
    if isinstance(value, dict):
        return any(_has_nul(item) for pair in value.items() for item in pair)
    return isinstance(value, list) and any(_has_nul(item) for item in value)


def _array_text(values: list[object], kind: str) -> str:
    parts = ["NULL" if value is None else _element(value, kind) for value in values]
    return "{" + ",".join(parts) + "}"


def _element(value: object, kind: str) -> str:
    text = f"\\x{value.hex()}" if kind == "binary" else str(value)  # type: ignore[attr-defined]  # bytes
    return '"' + text.replace("\\", "\\\\").replace('"', '\\"') + '"'


def json_encoder(neutral: str) -> Encode:
    """Return a function from a value, not null, to JSON types.

    Structs and maps with text keys become objects, other maps arrays of pairs, decimals, times and bytes
    (base64) texts, floats that JSON lacks `NaN`, `Infinity` and `-Infinity`.
    """
    if neutral.startswith("array<"):
        item = _nullable(json_encoder(inner_types(neutral)[0]))
        return lambda value: [item(one) for one in value]  # type: ignore[attr-defined]  # a list
    if neutral.startswith("struct<"):
        parts = [(name, kind) for name, _, kind in (p.partition(":") for p in inner_types(neutral))]
        fields = [(name, _nullable(json_encoder(kind))) for name, kind in parts]
        return lambda value: {name: encode(value[name]) for name, encode in fields}  # type: ignore[index]  # a dict
    if neutral.startswith("map<"):
        key, value_kind = inner_types(neutral)
        encode_key, encode_item = json_encoder(key), _nullable(json_encoder(value_kind))
        if key == "string":
            return lambda value: {k: encode_item(v) for k, v in value}  # type: ignore[attr-defined]  # pairs
        return lambda value: [[encode_key(k), encode_item(v)] for k, v in value]  # type: ignore[attr-defined]  # pairs
    if neutral.startswith("decimal"):
        return str
    return _ATOMS.get(neutral, lambda value: value)


def _nullable(encode: Encode) -> Encode:
    return lambda value: None if value is None else encode(value)


def _float(value: object) -> object:
    number = float(str(value))
    if math.isfinite(number):
        return number
    return "NaN" if math.isnan(number) else "Infinity" if number > 0 else "-Infinity"


def _time(value: object) -> str:
    return value.isoformat() if isinstance(value, datetime) else str(value)


_ATOMS: dict[str, Encode] = {
    "float": _float,
    "double": _float,
    "date": _time,
    "timestamp": _time,
    "timestamp_ntz": _time,
    "binary": lambda value: base64.b64encode(value).decode(),  # type: ignore[arg-type]  # bytes
}
