"""Rows of a cursor as Arrow batches, in bounded memory. Not the other way: see `encoding`."""

from __future__ import annotations

import base64
import json
from collections.abc import Callable, Iterable, Iterator, Sequence
from datetime import date, datetime
from decimal import Decimal

import pyarrow as pa

from kindling.errors import StoreError
from kindling.hooks.arrow import arrow_schema
from kindling.schemas import Schema
from kindling_plugin_postgres.kinds import inner_types, is_nested

FIRST_ROWS = 256
_MOST_ROWS = 20_000
_BATCH_BYTES = 8_000_000
"""A batch aims at this size: the next one has as many rows as the last one's width allows."""
Decode = Callable[[object], object]
Rows = Sequence[tuple[object, ...]]


def batches(fetch: Callable[[int], Rows], entity: str, schema: Schema) -> Iterator[pa.RecordBatch]:
    """Yield batches of exactly the neutral types.

    Args:
        fetch: Returns at most so many further rows; none at the end.
        entity: Name for errors.
        schema: The columns of the rows, in order.

    Raises:
        StoreError: KDL-STORE-314, a value does not fit its column's neutral type.
    """
    target = arrow_schema(schema)
    decoders = [json_decoder(field.type) if is_nested(field.type) else None for field in schema.fields]
    wanted = FIRST_ROWS
    while rows := fetch(wanted):
        columns = [
            _column(values, part, decode, entity)
            for values, part, decode in zip(zip(*rows, strict=True), target, decoders, strict=True)
        ]
        # Nullability is the frame's own business: Arrow would not look at it.
        batch = pa.RecordBatch.from_arrays(columns, schema=target)
        yield batch
        width = max(1, batch.nbytes // batch.num_rows)
        wanted = max(1, min(_MOST_ROWS, _BATCH_BYTES // width))


def _column(values: tuple[object, ...], part: pa.Field, decode: Decode | None, entity: str) -> pa.Array:
    try:
        if decode is not None:
            values = tuple(None if value is None else decode(json.loads(str(value))) for value in values)
        return pa.array(values, part.type)
    except (pa.ArrowException, ValueError, TypeError, KeyError, OverflowError) as error:
        raise StoreError(
            "KDL-STORE-314",
            f"column {part.name!r} of {entity!r} has a value that is no {part.type}",
            why=str(error).partition("\n")[0][:200],
            hint="read a view that casts the column, or leaves such values out",
            column=part.name,
        ) from error


def json_decoder(neutral: str) -> Decode:
    """Return the inverse of `encoding.json_encoder`: from JSON types, not null, to what Arrow takes."""
    if neutral.startswith("array<"):
        item = _nullable(json_decoder(inner_types(neutral)[0]))
        return lambda value: [item(one) for one in value]  # type: ignore[attr-defined]  # a list
    if neutral.startswith("struct<"):
        parts = [(name, kind) for name, _, kind in (p.partition(":") for p in inner_types(neutral))]
        fields = [(name, _nullable(json_decoder(kind))) for name, kind in parts]
        return lambda value: {name: decode(value.get(name)) for name, decode in fields}  # type: ignore[attr-defined]  # a dict
    if neutral.startswith("map<"):
        key, value_kind = inner_types(neutral)
        decode_key, decode_value = json_decoder(key), _nullable(json_decoder(value_kind))
        return lambda value: [(decode_key(k), decode_value(v)) for k, v in _pairs(value)]
    if neutral.startswith("decimal"):
        return lambda value: Decimal(str(value))
    return _ATOMS.get(neutral, lambda value: value)


def _pairs(value: object) -> Iterable[tuple[object, object]]:
    """Return the pairs of a map: an object where its keys are texts, else a list of them."""
    return value.items() if isinstance(value, dict) else value  # type: ignore[return-value]  # a list of pairs


def _nullable(decode: Decode) -> Decode:
    return lambda value: None if value is None else decode(value)


_ATOMS: dict[str, Decode] = {
    "float": lambda value: float(str(value)),  # a number, or NaN as a text
    "double": lambda value: float(str(value)),
    "date": lambda value: date.fromisoformat(str(value)),
    "timestamp": lambda value: datetime.fromisoformat(str(value)),
    "timestamp_ntz": lambda value: datetime.fromisoformat(str(value)),
    "binary": lambda value: base64.b64decode(str(value)),
}
