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
_DECIMAL = re.compile(r"(?:decimal|dec|numeric)\((\d+)(?:,(\d+))?\)", re.ASCII)
MOST_DIGITS = 38
"""Largest precision of a decimal. Source: Spark 4.2 SQL reference, "DecimalType"."""
_PYTHON_TYPES = {
    "int": "bigint",
    "float": "double",
    "str": "string",
    "bool": "boolean",
    "bytes": "binary",
    "date": "date",
    "datetime": "timestamp",
    "Decimal": "decimal(38,18)",
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
            f"{quoted(field.name)} {field.type}" + ("" if field.nullable else " NOT NULL")
            for field in self.fields
        )


def quoted(name: str) -> str:
    """Return a column name in backticks, its own backticks doubled."""
    return "`" + name.replace("`", "``") + "`"


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
    match = _DECIMAL.fullmatch(lower)
    if match and int(match[2] or 0) <= int(match[1]) <= MOST_DIGITS and int(match[1]):
        return f"decimal({int(match[1])},{int(match[2] or 0)})"
    if re.fullmatch(r"(?:var)?char\(\d+\)", lower):
        return "string"
    nested = _nested(squeezed)
    if nested:
        return nested
    raise DeclarationError(
        "KDL-DECL-010",
        f"{text!r} is not a type",
        why=did_you_mean(lower, (*ATOMS, "decimal(10,2)", "array<...>", "map<...>", "struct<...>")),
        type=text,
    )


def _nested(squeezed: str) -> str:
    """Return the canonical DDL of an array, map or struct, or ""."""
    head, _, rest = squeezed.partition("<")
    inner, kind = rest[:-1], head.lower()
    parts = split_top(inner)
    if not rest.endswith(">"):
        return ""
    if kind == "array":
        return f"array<{canonical_type(inner)}>"
    if kind == "map" and len(parts) == len(("key", "value")):
        return f"map<{canonical_type(parts[0])},{canonical_type(parts[1])}>"
    if kind == "struct" and parts:
        pairs = [part.partition(":") for part in parts]
        if all(is_field_name(name.strip("`")) for name, _, _ in pairs):
            fields = (f"{name.strip('`')}:{canonical_type(inner)}" for name, _, inner in pairs)
            return f"struct<{','.join(fields)}>"
    return ""


def is_field_name(name: str) -> bool:
    """Tell whether a struct's field may have a name: types are text, so no separator may stand in it."""
    return bool(name) and not re.search(r"[,:<>()`]", name)


def split_top(text: str, separator: str = ",") -> tuple[str, ...]:
    """Split at separators that stand outside of brackets and backticks; parts are stripped, none is empty."""
    parts: list[str] = []
    depth, start, is_quoted = 0, 0, False
    for place, letter in enumerate(text):
        is_quoted ^= letter == "`"
        if not is_quoted:
            depth += (letter in "<(") - (letter in ">)")
        if letter == separator and depth == 0 and not is_quoted:
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
    fields: list[Field] = []
    if isinstance(declared, str):
        fields = [_parse_column(part) for part in split_top(declared)]
    elif isinstance(declared, type):
        fields = [_annotated(name, hint) for name, hint in _annotations(declared).items()]
    elif hasattr(declared, "simpleString") and hasattr(declared, "fields"):
        fields = list(_struct_fields(declared.fields))
    if not fields:
        raise DeclarationError(
            "KDL-DECL-011",
            f"{declared!r} is not a schema",
            hint="give a DDL string like 'id bigint, name string', a dataclass or a StructType",
        )
    return _without_twins(fields)


def _without_twins(fields: list[Field]) -> Schema:
    names = [field.name.lower() for field in fields]
    twins = sorted({name for name in names if names.count(name) > 1})
    if twins:
        raise DeclarationError(
            "KDL-DECL-013",
            f"the schema names a column twice: {', '.join(twins)}",
            why="letter case does not tell columns apart",
        )
    return Schema(tuple(fields))


def _annotations(declared: type) -> dict[str, object]:
    """Return the annotations of a class and of those that it inherits from, as `dataclasses` orders them."""
    found: dict[str, object] = {}
    for cls in reversed(declared.__mro__[:-1]):
        found.update(cls.__annotations__)
    return {name: hint for name, hint in found.items() if "ClassVar[" not in str(hint)}


def _parse_column(text: str) -> Field:
    match = re.fullmatch(r"(`(?:[^`]|``)+`|[^`\s]+?)\s*[:\s]\s*(.+?)(\s+not\s+null)?", text, re.IGNORECASE)
    if match is None:
        raise DeclarationError(
            "KDL-DECL-011", f"{text!r} is not a column", hint="write 'name type', like 'id bigint'"
        )
    name = match[1][1:-1].replace("``", "`") if match[1].startswith("`") else match[1]
    return Field(name, canonical_type(match[2]), match[3] is None)


def _annotated(name: str, hint: object) -> Field:
    text = hint if isinstance(hint, str) else getattr(hint, "__name__", str(hint))
    if not isinstance(hint, (str, type)):
        text = str(hint)
    text = text.strip("'\"")  # `tags: "array<string>"` is quoted once more by the future import
    plain = [part.strip() for part in text.split("|") if part.strip() != "None"]
    if len(plain) != 1:
        raise DeclarationError("KDL-DECL-010", f"{text!r} is not a type", type=text)
    last = plain[0].rpartition(".")[2]  # `datetime.date`, or `dt.date`
    kind = _PYTHON_TYPES.get(last) or canonical_type(plain[0])
    return Field(name, kind, "None" in text)


def _struct_fields(fields: object) -> Iterator[Field]:
    for item in fields:  # type: ignore[attr-defined]  # a StructType's list, of whichever engine
        yield Field(item.name, canonical_type(item.dataType.simpleString()), bool(item.nullable))
