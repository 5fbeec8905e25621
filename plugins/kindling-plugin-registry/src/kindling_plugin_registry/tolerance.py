"""What clients make of a signed document that a newer Kindling wrote: keys they do not know are left out.

Not for operators: what `validate`, `build` and `add` read is closed (`formats`), so that a misspelt key is
found where it is written.
"""

from __future__ import annotations

from typing import TypeVar

import msgspec
from msgspec import inspect

from kindling.errors import PolicyError

T = TypeVar("T")


def read_signed(content: bytes, made: type[T], where: str) -> T:
    """Return a signed document as a value of `records`.

    Args:
        content: JSON, whose signature or hash was verified before.
        made: The class, for example `Page`.
        where: What it is called in an error, for example the registry's address.

    Raises:
        PolicyError: KDL-REG-113, it says what this version does not understand.
    """
    try:
        return msgspec.json.decode(content, type=made)
    except (msgspec.DecodeError, UnicodeDecodeError):
        pass  # read again below: unknown keys are rare, and the strict way is the quick one
    try:
        known = known_part(msgspec.json.decode(content), inspect.type_info(made))
        return msgspec.convert(known, type=made)
    except (msgspec.DecodeError, UnicodeDecodeError, RecursionError) as cause:
        raise PolicyError(
            "KDL-REG-113",
            f"the registry's {made.__name__.lower()!r} is not understood",
            why=str(cause),
            where=where,
            hint="pip install --upgrade kindling-plugin-registry",
        ) from cause


def known_part(plain: object, shape: inspect.Type) -> object:
    """Return JSON types without the keys that no struct of a shape has, at any depth."""
    if isinstance(shape, inspect.UnionType):
        return _of_union(plain, shape)
    if isinstance(plain, dict) and isinstance(shape, inspect.StructType):
        fields = {field.encode_name: field.type for field in shape.fields}
        return {key: known_part(value, fields[key]) for key, value in plain.items() if key in fields}
    if isinstance(plain, dict) and isinstance(shape, inspect.DictType):
        return {key: known_part(value, shape.value_type) for key, value in plain.items()}
    if isinstance(plain, list) and isinstance(shape, (inspect.VarTupleType, inspect.ListType)):
        return [known_part(value, shape.item_type) for value in plain]
    return plain


def _of_union(plain: object, shape: inspect.UnionType) -> object:
    """Return the known part by the one member of a union that is neither null nor a plain value."""
    members = [item for item in shape.types if isinstance(item, (inspect.StructType, inspect.CollectionType))]
    return known_part(plain, members[0]) if len(members) == 1 else plain
