"""What a table holds, in a form that can be compared between engines and kept in a file."""

from __future__ import annotations

import math
import zlib
from pathlib import Path

import pyarrow as pa
import pyarrow.compute as pc
from deltalake import DeltaTable

SMALL = 300


def summary(folder: Path) -> dict[str, object]:
    """Schema, row count, and for small tables all rows, else a checksum of each column.

    Column types are Arrow's; timestamps become text; rows are sorted.
    """
    table = DeltaTable(str(folder)).to_pyarrow_table()
    schema = [[field.name, type_name(field.type)] for field in table.schema]
    found: dict[str, object] = {"schema": schema, "rows": table.num_rows}
    if table.num_rows <= SMALL:
        rows = [[text(value) for value in row.values()] for row in table.to_pylist()]
        found["content"] = sorted(rows, key=lambda row: [str(value) for value in row])
    else:
        found["columns"] = {name: checksum(table[name]) for name in table.column_names}
    return found


def type_name(kind: pa.DataType) -> str:
    """Arrow's name; what differs in width of offsets only is one type."""
    name = str(kind).removeprefix("large_").replace("string_view", "string")
    return name.replace("tz=Etc/UTC", "tz=UTC")


def text(value: object) -> object:
    """JSON types; everything that is not one as text."""
    return value if isinstance(value, (str, int, float, bool, type(None))) else str(value)


def checksum(column: pa.ChunkedArray) -> list[object]:
    """Non-null values and a sum over them that does not depend on their order."""
    filled = column.drop_null()
    if pa.types.is_floating(column.type):
        return [len(filled), pc.sum(filled).as_py()]
    if pa.types.is_integer(column.type) or pa.types.is_boolean(column.type):
        return [len(filled), int(pc.sum(filled).as_py() or 0)]
    counts = pc.value_counts(filled.cast(pa.string()) if not pa.types.is_string(column.type) else filled)
    pairs = zip(counts.field("values").to_pylist(), counts.field("counts").to_pylist(), strict=True)
    return [len(filled), sum(zlib.crc32(str(value).encode()) * count for value, count in pairs)]


def differences(found: object, expected: object, path: str = "") -> list[str]:
    """Where two summaries differ; floats are equal to ten digits."""
    if isinstance(found, dict) and isinstance(expected, dict):
        keys = sorted({*found, *expected})
        return [d for k in keys for d in differences(found.get(k), expected.get(k), f"{path}.{k}")]
    if isinstance(found, list) and isinstance(expected, list) and len(found) == len(expected):
        pairs = enumerate(zip(found, expected, strict=True))
        return [d for i, (a, b) in pairs for d in differences(a, b, f"{path}[{i}]")]
    if isinstance(found, float) and isinstance(expected, (int, float)):
        return (
            [] if math.isclose(found, expected, rel_tol=1e-10) else [f"{path}: {found!r}, not {expected!r}"]
        )
    return [] if found == expected else [f"{path}: {found!r}, not {expected!r}"]
