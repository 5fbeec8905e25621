"""What an engine answered to a case: as JSON types, and when two answers are equal."""

from __future__ import annotations

import json
import math
from datetime import date, datetime, timezone
from decimal import Decimal
from typing import Any

import pyarrow as pa

CLOSE = 1e-12


def plain(value: object) -> Any:  # noqa: PLR0911  # one return for each kind
    """Return a value of a Parquet file as JSON types; each kind keeps its own form."""
    if isinstance(value, (bytes, bytearray)):
        return "0x" + bytes(value).hex()
    if isinstance(value, Decimal):
        return f"{value:f}"
    if isinstance(value, datetime):
        return (value.astimezone(timezone.utc) if value.tzinfo else value).isoformat()
    if isinstance(value, date):
        return value.isoformat()
    if isinstance(value, dict):
        return {key: plain(item) for key, item in value.items()}
    if isinstance(value, (list, tuple)):
        return [plain(item) for item in value]
    return value


def column_values(column: pa.ChunkedArray) -> list[Any]:
    """Return a column's values as JSON types; entries of maps are ordered by their key."""
    return [_ordered(plain(value), column.type) for value in column.to_pylist()]


def _ordered(value: Any, kind: pa.DataType) -> Any:
    if value is None:
        return None
    if pa.types.is_map(kind):
        return sorted(([key, _ordered(item, kind.item_type)] for key, item in value), key=repr)
    if pa.types.is_list(kind) or pa.types.is_large_list(kind):
        return [_ordered(item, kind.value_type) for item in value]
    if pa.types.is_struct(kind):
        return {field.name: _ordered(value[field.name], field.type) for field in kind}
    return value


def same(left: Any, right: Any, *, is_close: bool) -> bool:
    """Tell whether two JSON values are equal: NaN is NaN, and the sign of a zero does not count."""
    if isinstance(left, float) and isinstance(right, float):
        return _same_float(left, right, is_close=is_close)
    if type(left) is not type(right):
        return False
    if isinstance(left, list):
        return len(left) == len(right) and all(
            same(a, b, is_close=is_close) for a, b in zip(left, right, strict=True)
        )
    if isinstance(left, dict):
        return list(left) == list(right) and all(
            same(left[key], right[key], is_close=is_close) for key in left
        )
    return bool(left == right)


def _same_float(left: float, right: float, *, is_close: bool) -> bool:
    if math.isnan(left) or math.isnan(right):
        return math.isnan(left) and math.isnan(right)
    return left == right or (is_close and math.isclose(left, right, rel_tol=CLOSE, abs_tol=1e-15))


def sorted_rows(rows: list[list[Any]]) -> list[list[Any]]:
    """Return rows in an order of their own; fractions are rounded for it, so that close ones meet."""
    return sorted(rows, key=lambda row: json.dumps(_rounded(row), sort_keys=True))


def _rounded(value: Any) -> Any:
    if isinstance(value, float):
        return "nan" if math.isnan(value) else f"{value + 0.0:.9g}"
    if isinstance(value, list):
        return [_rounded(item) for item in value]
    return {key: _rounded(item) for key, item in value.items()} if isinstance(value, dict) else value


def _lower(types: Any) -> Any:
    """Return types without the letter case of column names, which no storage of Kindling tells apart."""
    return types if isinstance(types, str) else [[name.lower(), kind] for name, kind in types]


def is_refusal(answer: dict[str, Any]) -> bool:
    """Tell whether Kindling refused the case, with a code and a hint."""
    return str(answer.get("error", "")).startswith("KDL-")


def verdict(answer: dict[str, Any], reference: dict[str, Any], *, is_close: bool) -> str:
    """Return what an answer is beside Spark's.

    `equal`: the same rows, or both fail. `refused`: Kindling's own error. `fails`: the engine's own error
    where Spark has an answer, loud too. `differs`: other rows, types or names, or rows where Spark fails.
    """
    if is_refusal(answer):
        return "refused"
    if "error" in answer and "error" in reference:
        return "equal"
    if "error" in answer:
        return "fails"
    if "error" in reference or _lower(answer["types"]) != _lower(reference["types"]):
        return "differs"
    return "equal" if same(answer["rows"], reference["rows"], is_close=is_close) else "differs"
