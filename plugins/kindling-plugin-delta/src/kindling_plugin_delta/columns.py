"""Delta's schema text to engine-neutral columns. Not Arrow types: see `kindling.hooks.arrow`.

Source: Delta Lake protocol, "Schema Serialization Format".
"""

from __future__ import annotations

import json

from kindling.errors import StoreError
from kindling.schemas import Field, Schema

_ATOMS = {
    "byte": "tinyint",
    "short": "smallint",
    "integer": "int",
    "long": "bigint",
    "float": "float",
    "double": "double",
    "boolean": "boolean",
    "string": "string",
    "binary": "binary",
    "date": "date",
    "timestamp": "timestamp",
    "timestamp_ntz": "timestamp_ntz",
}


def neutral_columns(schema_text: str) -> Schema:
    """Return the columns of a `schemaString`.

    Raises:
        StoreError: KDL-STORE-107, a column's type has no neutral counterpart.
    """
    columns = json.loads(schema_text)["fields"]
    return Schema(
        tuple(
            Field(c["name"], _neutral(c["type"], c["name"]), bool(c.get("nullable", True))) for c in columns
        )
    )


def _neutral(kind: object, column: str) -> str:
    if isinstance(kind, str):
        if kind.startswith("decimal"):
            return kind.replace(" ", "") if "(" in kind else "decimal(10,0)"
        if kind in _ATOMS:
            return _ATOMS[kind]
    elif isinstance(kind, dict):
        if kind["type"] == "array":
            return f"array<{_neutral(kind['elementType'], column)}>"
        if kind["type"] == "map":
            return f"map<{_neutral(kind['keyType'], column)},{_neutral(kind['valueType'], column)}>"
        if kind["type"] == "struct":
            inner = (f"{part['name']}:{_neutral(part['type'], column)}" for part in kind["fields"])
            return f"struct<{','.join(inner)}>"
    raise StoreError(
        "KDL-STORE-107",
        f"column {column!r} has the Delta type {kind!r}",
        why="no engine-neutral type holds it",
        hint="read the table with an engine that knows the type, and leave the column out",
        column=column,
    )
