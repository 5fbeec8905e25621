"""DuckDB's types as engine-neutral ones and back. Text in, text out."""

from __future__ import annotations

import re

from kindling.schemas import split_top
from kindling_plugin_duckdb.portability import refused_type

_NEUTRAL = {
    "TINYINT": "tinyint",
    "SMALLINT": "smallint",
    "INTEGER": "int",
    "BIGINT": "bigint",
    "HUGEINT": "bigint",
    "UTINYINT": "smallint",
    "USMALLINT": "int",
    "UINTEGER": "bigint",
    "UBIGINT": "decimal(20,0)",
    "FLOAT": "float",
    "DOUBLE": "double",
    "BOOLEAN": "boolean",
    "VARCHAR": "string",
    "JSON": "string",
    "UUID": "string",
    '"NULL"': "string",
    "BLOB": "binary",
    "DATE": "date",
    "TIMESTAMP WITH TIME ZONE": "timestamp",
    "TIMESTAMP": "timestamp_ntz",
    "TIMESTAMP_S": "timestamp_ntz",
    "TIMESTAMP_MS": "timestamp_ntz",
    "TIMESTAMP_NS": "timestamp_ntz",
}
_EXACT = {
    "tinyint": "TINYINT",
    "smallint": "SMALLINT",
    "int": "INTEGER",
    "bigint": "BIGINT",
    "float": "FLOAT",
    "double": "DOUBLE",
    "boolean": "BOOLEAN",
    "string": "VARCHAR",
    "binary": "BLOB",
    "date": "DATE",
    "timestamp": "TIMESTAMP WITH TIME ZONE",
    "timestamp_ntz": "TIMESTAMP",
}


def neutral_type(kind: str) -> str:
    """Return the neutral type of a DuckDB type as DESCRIBE writes it.

    Raises:
        RunError: KDL-PORT-029, it has none (INTERVAL, TIME, UNION and the like).
    """
    if kind in _NEUTRAL:
        return _NEUTRAL[kind]
    if match := re.fullmatch(r"(.*)\[\d*\]", kind):
        return f"array<{neutral_type(match[1])}>"
    if match := re.fullmatch(r"DECIMAL\((\d+),\s*(\d+)\)", kind):
        return f"decimal({match[1]},{match[2]})"
    if kind.startswith("ENUM("):
        return "string"
    if match := re.fullmatch(r"MAP\((.*)\)", kind):
        key, value = split_top(match[1])
        return f"map<{neutral_type(key)},{neutral_type(value)}>"
    if match := re.fullmatch(r"STRUCT\((.*)\)", kind):
        return f"struct<{','.join(_struct_field(part) for part in split_top(match[1]))}>"
    raise refused_type(kind)


def _struct_field(text: str) -> str:
    match = re.fullmatch(r'(?:"((?:[^"]|"")*)"|(\S+)) (.*)', text)
    if match is None:
        raise refused_type(text)
    name = match[1].replace('""', '"') if match[1] is not None else match[2]
    return f"{name}:{neutral_type(match[3])}"


def duckdb_type(neutral: str) -> str:
    """Return the DuckDB type that holds exactly a canonical neutral type."""
    if neutral in _EXACT:
        return _EXACT[neutral]
    if neutral.startswith("decimal("):
        return neutral.upper()
    head, _, inner = neutral[:-1].partition("<")
    if head == "array":
        return f"{duckdb_type(inner)}[]"
    parts = split_top(inner)
    if head == "map":
        return f"MAP({', '.join(duckdb_type(part) for part in parts)})"
    pairs = (part.partition(":") for part in parts)
    return f"STRUCT({', '.join(f'{quoted(name)} {duckdb_type(kind)}' for name, _, kind in pairs)})"


def same_type(kind: str, neutral: str) -> bool:
    """Tell whether a DuckDB type as DESCRIBE writes it holds exactly a neutral type."""
    return re.sub(r'[" ]', "", kind) == re.sub(r'[" ]', "", duckdb_type(neutral))


_NUMBERS = ("TINYINT", "SMALLINT", "INTEGER", "BIGINT", "HUGEINT", "FLOAT", "DOUBLE", "DECIMAL", "U")
_TIMES = ("DATE", "TIMESTAMP")


def alike(kind: str, other: str) -> bool:
    """Tell whether two DuckDB types are of one family, so that both engines widen them alike."""
    return '"NULL"' in (kind, other) or _family(kind) == _family(other)


def _family(kind: str) -> str:
    if kind.endswith("]"):
        return "list"
    if kind.startswith(_NUMBERS) and kind != "UUID":
        return "number"
    return "time" if kind.startswith(_TIMES) else re.sub(r"\W.*", "", kind)


def quoted(name: str) -> str:
    """Return an identifier in DuckDB's quotes."""
    return '"' + name.replace('"', '""') + '"'
