"""Neutral types and those of PostgreSQL: which column holds which. Not how values travel.

PostgreSQL has no one-byte integer and no structs of this kind, so a commit remembers the neutral types;
they count as long as a column still has the type that they were stored in.
"""

from __future__ import annotations

import re
from dataclasses import dataclass

from kindling.errors import StoreError
from kindling.schemas import MOST_DIGITS, split_top

_STORED = {
    "tinyint": "smallint",
    "smallint": "smallint",
    "int": "integer",
    "bigint": "bigint",
    "float": "real",
    "double": "double precision",
    "boolean": "boolean",
    "string": "text",
    "binary": "bytea",
    "date": "date",
    "timestamp": "timestamp with time zone",
    "timestamp_ntz": "timestamp without time zone",
}
_NEUTRAL = {
    "int2": "smallint",
    "int4": "int",
    "int8": "bigint",
    "oid": "bigint",
    "float4": "float",
    "float8": "double",
    "bool": "boolean",
    "bytea": "binary",
    "date": "date",
    "timestamptz": "timestamp",
    "timestamp": "timestamp_ntz",
}
_UNBOUNDED = f"decimal({MOST_DIGITS},18)"
"""What `numeric` without digits becomes; a value that does not fit fails the read."""
_TEXTS = ("text", "varchar", "bpchar")
JSON = "jsonb"


def is_nested(neutral: str) -> bool:
    """Tell whether a type is stored as JSON: all nested ones but arrays of atoms."""
    return neutral.startswith(("struct<", "map<")) or (
        neutral.startswith("array<") and "<" in neutral[len("array<") :]
    )


def stored_type(neutral: str) -> str:
    """Return the type of a new column."""
    if neutral in _STORED:
        return _STORED[neutral]
    if match := re.fullmatch(r"decimal\((\d+),(\d+)\)", neutral):
        return f"numeric({match[1]},{match[2]})"
    if is_nested(neutral):
        return JSON
    return stored_type(neutral[len("array<") : -1]) + "[]"


@dataclass(frozen=True, slots=True)
class Column:
    """One column as the catalog tells it.

    Attributes:
        name: Its name.
        type: Its type as `format_type` writes it, a domain's own where it is one.
        base: `typname` of the type below domains; of an array: of its elements.
        modifier: `atttypmod`, -1 for none.
        is_array: Whether it is an array.
        nullable: Whether it may be null.
        remembered: The neutral type that Kindling stored, or "".
    """

    name: str
    type: str
    base: str
    modifier: int
    is_array: bool
    nullable: bool
    remembered: str = ""

    def neutral(self, entity: str) -> str:
        """Return the neutral type; what has none of its own is read as text.

        Raises:
            StoreError: KDL-STORE-307, no neutral type holds its values.
        """
        if self.remembered and stored_type(self.remembered) == self.type:
            return self.remembered
        inner = self._decimal(entity) if self.base == "numeric" else _NEUTRAL.get(self.base, "string")
        return f"array<{inner}>" if self.is_array else inner

    def _decimal(self, entity: str) -> str:
        """Source: PostgreSQL 15, numeric.c: modifier = ((precision << 16) | scale) + 4."""
        if self.modifier < 0:
            return _UNBOUNDED
        precision, scale = ((self.modifier - 4) >> 16) & 0xFFFF, (self.modifier - 4) & 0x7FF
        scale = (scale ^ 1024) - 1024  # eleven bits with a sign, since PostgreSQL 15
        if precision > MOST_DIGITS or not 0 <= scale <= precision:
            raise StoreError(
                "KDL-STORE-307",
                f"column {self.name!r} of {entity!r} is {self.type}",
                why=f"decimals have at most {MOST_DIGITS} digits, and no more of them behind the point",
                hint="read a view that casts or leaves out the column",
                column=self.name,
            )
        return f"decimal({precision},{scale})"

    @property
    def reads_as_text(self) -> bool:
        """Tell whether its values are asked for as text."""
        known = _NEUTRAL.keys() | {"numeric"}
        return self.base not in known and not (self.is_array and self.base in _TEXTS)

    @property
    def takes(self) -> str:
        """The type that values are cast to before they are stored; "" where an assignment does it.

        An explicit cast to `varchar(n)` cuts values without an error, an assignment refuses them.
        """
        return "" if self.base in _TEXTS else self.type


def inner_types(neutral: str) -> tuple[str, ...]:
    """Return the types inside of an array or map; of a struct, its `name:type` parts."""
    inner = neutral[neutral.index("<") + 1 : -1]
    return (inner,) if neutral.startswith("array<") else split_top(inner)
