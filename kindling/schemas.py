"""Engine-neutral schemas: names, types, nullability. Not a mapping to any engine's types.

A type is written in Spark's DDL, lower case and without spaces: `bigint`, `decimal(10,2)`,
`array<struct<a:int,b:string>>`. `timestamp` is an instant (microseconds, UTC), `timestamp_ntz` is a
wall clock. Source: Spark 4.2 SQL reference, "Data Types".
"""

from __future__ import annotations

import re

from kindling.errors import DeclarationError
from kindling.names import did_you_mean
from kindling.values import Value

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Iterator

ATOMS = (
    "tinyint",
    "smallint",
    "int",
    "bigint",
    "float",
    "double",
    "boolean",
    "string",
    "binary",
    "date",
    "timestamp",
    "timestamp_ntz",
)
_ALIASES = {
    "byte": "tinyint",
    "short": "smallint",
    "integer": "int",
    "long": "bigint",
    "real": "float",
    "bool": "boolean",
    "timestamp_ltz": "timestamp",
    "decimal": "decimal(10,0)",
    "dec": "decimal(10,0)",
    "numeric": "decimal(10,0)",
}
_DECIMAL = re.compile(r"(?:decimal|dec|numeric)\((\d+)(?:,(-?\d+))?\)")
_PYTHON_TYPES = {
    "int": "bigint",
    "float": "double",
    "str": "string",
    "bool": "boolean",
    "bytes": "binary",
    "date": "date",
    "datetime": "timestamp",
    "datetime.date": "date",
    "datetime.datetime": "timestamp",
    "Decimal": "decimal(38,18)",
    "decimal.Decimal": "decimal(38,18)",
}


class Field(Value):
    """One column: its name, its type in canonical DDL, and whether it may be null."""

    name: str
    type: str
    nullable: bool = True


class Schema(Value):
    """The columns of an entity, in order."""

    fields: tuple[Field, ...]

    @classmethod
    def of(cls, **types: str) -> Schema:
        """Make a schema from `name="type"` pairs, all nullable."""
        return cls(tuple(Field(name, canonical_type(text)) for name, text in types.items()))

    @property
    def names(self) -> tuple[str, ...]:
        """The column names, in order."""
        return tuple(field.name for field in self.fields)

    def field(self, name: str) -> Field | None:
        """Return the column of that name, letter case ignored, or None."""
        lower = name.lower()
        return next((field for field in self.fields if field.name.lower() == lower), None)

    def ddl(self) -> str:
        """Return the schema as DDL, for example "`a` bigint NOT NULL, `b` string"."""
        return ", ".join(
            f"`{field.name}` {field.type}" + ("" if field.nullable else " NOT NULL") for field in self.fields
        )


def canonical_type(text: str) -> str:
    """Return the canonical DDL of a type.

    Raises:
        DeclarationError: KDL-DECL-010, the type is unknown.
    """
    squeezed = re.sub(r"\s*([<>,:()])\s*", r"\1", text.strip())
    lower = squeezed.lower()
    lower = _ALIASES.get(lower, lower)
    if lower in ATOMS:
        return lower
    if match := _DECIMAL.fullmatch(lower):
        return f"decimal({match[1]},{match[2] or 0})"
    if re.fullmatch(r"(?:var)?char\(\d+\)", lower):
        return "string"
    head, _, rest = squeezed.partition("<")
    if rest.endswith(">"):
        inner = rest[:-1]
        if head.lower() == "array":
            return f"array<{canonical_type(inner)}>"
        if head.lower() == "map":
            key, value = split_top(inner)
            return f"map<{canonical_type(key)},{canonical_type(value)}>"
        if head.lower() == "struct":
            parts = (item.partition(":") for item in split_top(inner))
            return f"struct<{','.join(f'{name}:{canonical_type(kind)}' for name, _, kind in parts)}>"
    raise DeclarationError(
        "KDL-DECL-010",
        f"{text!r} is not a type",
        why=did_you_mean(lower, (*ATOMS, "decimal(10,2)", "array<...>", "map<...>", "struct<...>")),
        type=text,
    )


def split_top(text: str, separator: str = ",") -> tuple[str, ...]:
    """Split at separators that stand outside of brackets; parts are stripped, none is empty."""
    parts, depth, start = [], 0, 0
    for place, letter in enumerate(text):
        depth += (letter in "<(") - (letter in ">)")
        if letter == separator and depth == 0:
            parts.append(text[start:place])
            start = place + 1
    parts.append(text[start:])
    return tuple(part.strip() for part in parts if part.strip())


def parse_schema(declared: object) -> Schema:
    """Return the schema that a declaration states.

    Args:
        declared: A `Schema`, a DDL string, a dataclass (or any class with annotations), or an
            engine's StructType (anything with `simpleString()`).

    Raises:
        DeclarationError: KDL-DECL-010 or KDL-DECL-011, a type or the whole is not understood.
    """
    if isinstance(declared, Schema):
        return declared
    if isinstance(declared, str):
        return Schema(tuple(_parse_column(part) for part in split_top(declared)))
    annotations = getattr(declared, "__annotations__", None)
    if isinstance(declared, type) and annotations:
        return Schema(tuple(_annotated(name, hint) for name, hint in annotations.items()))
    if hasattr(declared, "simpleString") and hasattr(declared, "fields"):
        return Schema(tuple(_struct_fields(declared.fields)))
    raise DeclarationError(
        "KDL-DECL-011",
        f"{declared!r} is not a schema",
        hint="give a DDL string like 'id bigint, name string', a dataclass or a StructType",
    )


def _parse_column(text: str) -> Field:
    match = re.fullmatch(r"(`[^`]+`|\S+?)\s*[:\s]\s*(.+?)(\s+not\s+null)?", text, re.IGNORECASE)
    if match is None:
        raise DeclarationError(
            "KDL-DECL-011", f"{text!r} is not a column", hint="write 'name type', like 'id bigint'"
        )
    return Field(match[1].strip("`"), canonical_type(match[2]), match[3] is None)


def _annotated(name: str, hint: object) -> Field:
    text = hint if isinstance(hint, str) else getattr(hint, "__name__", str(hint))
    if not isinstance(hint, (str, type)):
        text = str(hint)
    plain = [part.strip() for part in text.split("|") if part.strip() != "None"]
    if len(plain) != 1:
        raise DeclarationError("KDL-DECL-010", f"{text!r} is not a type", type=text)
    kind = _PYTHON_TYPES.get(plain[0]) or canonical_type(plain[0])
    return Field(name, kind, "None" in text)


def _struct_fields(fields: object) -> Iterator[Field]:
    for item in fields:  # type: ignore[attr-defined]  # a StructType's list, of whichever engine
        yield Field(item.name, canonical_type(item.dataType.simpleString()), bool(item.nullable))
