"""Columns of a set of files: types that were inferred, brought together; names that must agree."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence

import pyarrow as pa

from kindling.errors import StoreError
from kindling.hooks.arrow import arrow_schema, neutral_type
from kindling.names import did_you_mean
from kindling.schemas import Field, Schema

UNKNOWN = ""
"""The type of a column in which only nulls were seen."""


def inferred_type(arrow: pa.DataType) -> str:
    """Return the neutral type of what Arrow inferred in a text file; clock times stay text."""
    if pa.types.is_null(arrow):
        return UNKNOWN
    if pa.types.is_time(arrow) or pa.types.is_duration(arrow) or pa.types.is_binary(arrow):
        return "string"
    return neutral_type(arrow)


def common_type(one: str, other: str) -> str:
    """Return the type that holds what two files of one set hold: at last `string`."""
    if UNKNOWN in (one, other) or one == other:
        return one or other
    if {one, other} == {"bigint", "double"}:
        return "double"
    if {one, other} == {"date", "timestamp_ntz"}:
        return "timestamp_ntz"
    return "string"


def common_types(files: Iterable[Mapping[str, str]]) -> dict[str, str]:
    """Return the common type of each column over the files of a set, in the order of first sight."""
    types: dict[str, str] = {}
    for columns in files:
        for name, kind in columns.items():
            types[name] = common_type(types.get(name, UNKNOWN), kind)
    return types


def settled(types: Mapping[str, str]) -> Schema:
    """Return the schema of inferred types: columns of nulls alone are text."""
    return Schema(tuple(Field(name, kind or "string") for name, kind in types.items()))


def check_names(entity: str, file: str, names: Sequence[str]) -> None:
    """Refuse a file that names a column twice, letter case ignored.

    Raises:
        StoreError: KDL-STORE-204.
    """
    seen: set[str] = set()
    for name in names:
        if name.lower() in seen:
            raise StoreError(
                "KDL-STORE-204",
                f"{entity!r} has two columns {name!r}",
                why="names are compared without letter case",
                where=file,
                hint="rename one of them in the file's first row, or declare header=False with schema=",
            )
        seen.add(name.lower())


def check_same(
    entity: str, first: tuple[str, Sequence[str]], other: tuple[str, Sequence[str]], path: str
) -> None:
    """Refuse a set of files whose columns differ.

    Args:
        entity: How messages call it.
        first: What is compared with: a file, its column names.
        other: The file, its column names.
        path: Where that file is.

    Raises:
        StoreError: KDL-STORE-206, naming both files and the columns.
    """
    known, found = ({name.lower(): name for name in names} for _, names in (first, other))
    missing = [name for lower, name in known.items() if lower not in found]
    added = [name for lower, name in found.items() if lower not in known]
    if missing or added:
        parts = [
            f"{word} {', '.join(names)}" for word, names in (("without", missing), ("with", added)) if names
        ]
        raise StoreError(
            "KDL-STORE-206",
            f"the files of {entity!r} have different columns",
            why=f"{other[0]} is {' and '.join(parts)}, compared with {first[0]}",
            where=path,
            hint="mend the file, or make the glob of the entity narrower",
        )


def check_declared(entity: str, file: str, schema: Schema, names: Sequence[str]) -> None:
    """Refuse a file that lacks a declared column; more columns than declared are left unread.

    Raises:
        StoreError: KDL-STORE-205, with names that look alike.
    """
    found = {name.lower() for name in names}
    missing = next((field.name for field in schema.fields if field.name.lower() not in found), None)
    if missing is not None:
        raise StoreError(
            "KDL-STORE-205",
            f"{entity!r} has no column {missing!r}",
            why=did_you_mean(missing, names),
            where=file,
            hint="change the declared schema, or the file",
        )


def no_nested(entity: str, column: str, kind: str) -> StoreError:
    """Return the error for a type that the format has no form for."""
    return StoreError(
        "KDL-STORE-212",
        f"column {column!r} of {entity!r} is {kind}, which these files cannot hold",
        hint="choose k.parquet() or k.delta(), or turn the column into text",
    )


def shaped(table: pa.Table, schema: Schema) -> pa.Table:
    """Return exactly the schema's columns in its order; what the table lacks is null.

    Instants lose what is finer than a microsecond, every other cast must be exact.
    """
    target = arrow_schema(schema)
    actual = {name.lower(): place for place, name in enumerate(table.column_names)}
    columns = []
    for field in target:
        place = actual.get(field.name.lower())
        if place is None:
            columns.append(pa.nulls(len(table), field.type))
            continue
        column = table.column(place)
        safe = not (pa.types.is_timestamp(column.type) and column.type.unit == "ns")
        columns.append(column if column.type == field.type else column.cast(field.type, safe=safe))
    return pa.Table.from_arrays(columns, schema=target)
