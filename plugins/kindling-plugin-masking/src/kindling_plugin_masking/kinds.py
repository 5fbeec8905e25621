"""Families of column types, and the refusal of a type that a mask does not accept."""

from __future__ import annotations

from kindling.errors import ConfigError
from kindling.hooks.masking import MaskRequest

TEXT, WHOLE, DECIMAL, FRACTION, BOOLEAN = "string", "whole number", "decimal", "double or float", "boolean"
BINARY, DATE, TIMESTAMP, NESTED = "binary", "date", "timestamp", "array, map or struct"
EXACT = (TEXT, WHOLE, DECIMAL, BOOLEAN, BINARY, DATE, TIMESTAMP)
"""Kinds whose values have one text on each engine; doubles have several."""
WHOLE_BITS = {"tinyint": 8, "smallint": 16, "int": 32, "bigint": 64}
_KINDS = {
    "string": TEXT,
    **dict.fromkeys(WHOLE_BITS, WHOLE),
    "float": FRACTION,
    "double": FRACTION,
    "boolean": BOOLEAN,
    "binary": BINARY,
    "date": DATE,
    "timestamp": TIMESTAMP,
    "timestamp_ntz": TIMESTAMP,
}


def kind_of(type_: str) -> str:
    """Return the family of a type."""
    return DECIMAL if type_.startswith("decimal(") else _KINDS.get(type_, NESTED)


def accept(mask: str, request: MaskRequest, kinds: tuple[str, ...]) -> str:
    """Return the family of the column's type.

    Raises:
        ConfigError: KDL-GOV-100, the mask does not accept it.
    """
    found = kind_of(request.type)
    if found in kinds:
        return found
    raise ConfigError(
        "KDL-GOV-100",
        f"the mask {mask!r} cannot mask a column of the type {request.type!r}",
        why=f"it accepts: {'; '.join(kinds)}",
        hint='let the rule\'s class fit such columns only, or use mask = "redact", which accepts each type',
        mask=mask,
        type=request.type,
    )
