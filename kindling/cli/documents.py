"""JSON documents that commands print: one schema name, sorted out of values that JSON lacks."""

from __future__ import annotations

import json
import math


def document(schema: str, **parts: object) -> str:
    """Return one JSON document, indented, ending with a line break.

    Args:
        schema: Name and version, for example `kindling.graph/1`; `schemas/graph.json` describes it.
        **parts: Its other keys.
    """
    return json.dumps({"schema": schema, **parts}, indent=2, ensure_ascii=False) + "\n"


def plain_value(value: object) -> object:
    """Return a cell of a frame as JSON types.

    Dates and times become ISO 8601, decimals and what JSON has no number for text, bytes hexadecimal,
    rows and mappings objects.
    """
    if value is None or isinstance(value, (bool, int, str)):
        return value
    if isinstance(value, float):
        return value if math.isfinite(value) else str(value)
    if isinstance(value, (bytes, bytearray, memoryview)):
        return bytes(value).hex()
    as_dict = getattr(value, "asDict", None)  # a Row of PySpark or sqlframe
    if callable(as_dict):
        value = as_dict()
    if isinstance(value, dict):
        return {str(key): plain_value(item) for key, item in value.items()}
    if isinstance(value, (list, tuple)):
        return [plain_value(item) for item in value]
    isoformat = getattr(value, "isoformat", None)
    return isoformat() if callable(isoformat) else str(value)
