"""Engine-neutral types to and from Arrow: the exchange format between sessions and stores.

Not a dependency: pyarrow is imported when a function is called, and a plugin that calls one depends
on pyarrow itself.
"""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

from kindling.errors import StoreError
from kindling.schemas import MOST_DIGITS, Field, Schema, is_field_name, split_top

if TYPE_CHECKING:
    import pyarrow as pa

_ATOMS = {
    "tinyint": "int8",
    "smallint": "int16",
    "int": "int32",
    "bigint": "int64",
    "float": "float32",
    "double": "float64",
    "boolean": "bool_",
    "string": "string",
    "binary": "binary",
    "date": "date32",
}


def arrow_type(neutral: str) -> pa.DataType:
    """Return the Arrow type of a canonical neutral type; timestamps are microseconds."""
    import pyarrow as pa

    if neutral in _ATOMS:
        made: pa.DataType = getattr(pa, _ATOMS[neutral])()
        return made
    if neutral.startswith("timestamp"):
        return pa.timestamp("us", tz="UTC" if neutral == "timestamp" else None)
    if match := re.fullmatch(r"decimal\((\d+),(-?\d+)\)", neutral):
        return pa.decimal128(int(match[1]), int(match[2]))
    return _nested_type(neutral)


def _nested_type(neutral: str) -> pa.DataType:
    import pyarrow as pa

    head, _, inner = neutral[:-1].partition("<")
    if head == "array":
        return pa.list_(arrow_type(inner))
    if head == "map":
        key, value = split_top(inner)
        return pa.map_(arrow_type(key), arrow_type(value))
    pairs = (part.partition(":") for part in split_top(inner))
    return pa.struct([pa.field(name, arrow_type(kind)) for name, _, kind in pairs])


def arrow_schema(schema: Schema) -> pa.Schema:
    """Return the Arrow schema of a neutral one, columns in order."""
    import pyarrow as pa

    return pa.schema([pa.field(f.name, arrow_type(f.type), nullable=f.nullable) for f in schema.fields])


def neutral_type(arrow: pa.DataType, *, column: str = "") -> str:
    """Return the neutral type of an Arrow type; unsigned integers widen, nulls become `string`.

    Raises:
        StoreError: KDL-STORE-020, the type has no neutral counterpart.
    """
    import pyarrow as pa

    types = pa.types
    text = _neutral_atom(arrow)
    if text:
        return text
    if types.is_dictionary(arrow):
        return neutral_type(arrow.value_type, column=column)
    if types.is_map(arrow):
        key, item = neutral_type(arrow.key_type, column=column), neutral_type(arrow.item_type, column=column)
        return f"map<{key},{item}>"
    lists = (types.is_list, types.is_large_list, types.is_list_view, types.is_large_list_view)
    if any(is_kind(arrow) for is_kind in (*lists, types.is_fixed_size_list)):
        return f"array<{neutral_type(arrow.value_type, column=column)}>"
    if types.is_struct(arrow) and all(is_field_name(part.name) for part in arrow):
        inner = (f"{part.name}:{neutral_type(part.type, column=column)}" for part in arrow)
        return f"struct<{','.join(inner)}>"
    raise StoreError(
        "KDL-STORE-020", f"column {column!r} has the type {arrow}", why="no engine-neutral type holds it"
    )


def _neutral_atom(arrow: pa.DataType) -> str:
    import pyarrow as pa

    types = pa.types
    names = {
        "int8": "tinyint",
        "int16": "smallint",
        "int32": "int",
        "int64": "bigint",
        "uint8": "smallint",
        "uint16": "int",
        "uint32": "bigint",
        "uint64": "decimal(20,0)",
        "halffloat": "float",
        "float": "float",
        "double": "double",
        "bool": "boolean",
        "null": "string",
        "string": "string",
        "large_string": "string",
        "string_view": "string",
        "binary": "binary",
        "large_binary": "binary",
        "binary_view": "binary",
        "date32[day]": "date",
        "date64[ms]": "date",
    }
    if types.is_timestamp(arrow):
        return "timestamp" if arrow.tz else "timestamp_ntz"
    if types.is_decimal(arrow):
        fits = arrow.precision <= MOST_DIGITS and 0 <= arrow.scale <= arrow.precision
        return f"decimal({arrow.precision},{arrow.scale})" if fits else ""
    if types.is_fixed_size_binary(arrow):
        return "binary"
    return names.get(str(arrow), "")


def neutral_schema(arrow: pa.Schema) -> Schema:
    """Return the neutral schema of an Arrow schema, columns in order."""
    return Schema(tuple(Field(f.name, neutral_type(f.type, column=f.name), f.nullable) for f in arrow))
