"""What plain objects hold, read without running code of their classes. No digests."""

from __future__ import annotations

import types

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable

SCALARS = (type(None), bool, int, float, complex, str, bytes, type(...), type(NotImplemented), range, slice)
_SHOWN = {  # classes, by module, whose repr says everything
    "datetime": ("date", "datetime", "time", "timedelta", "timezone"),
    "decimal": ("Decimal",),
    "fractions": ("Fraction",),
    "uuid": ("UUID",),
    "pathlib": ("PosixPath", "WindowsPath", "PurePosixPath", "PureWindowsPath"),
    "zoneinfo": ("ZoneInfo",),
    "operator": ("itemgetter", "attrgetter", "methodcaller"),
    "types": ("GenericAlias", "UnionType"),
}
_STATELESS = {  # classes, by module, whose state cannot matter to what a pipe computes
    "_thread": ("lock", "RLock", "_local"),
    "weakref": ("WeakKeyDictionary", "WeakValueDictionary", "WeakSet"),
    "logging": ("Logger",),
    "_contextvars": ("ContextVar",),
    "_collections": ("_tuplegetter",),
    "dataclasses": ("_MISSING_TYPE", "_HAS_DEFAULT_FACTORY_CLASS"),
    "builtins": (
        "object",
        "getset_descriptor",
        "member_descriptor",
        "method_descriptor",
        "wrapper_descriptor",
    ),
}
_BASES: dict[type, Callable[..., object]] = {
    dict: lambda item: dict(dict.items(item)),
    list: lambda item: list(list.__iter__(item)),
    tuple: lambda item: tuple(tuple.__iter__(item)),
    set: lambda item: set(set.__iter__(item)),
    frozenset: lambda item: frozenset(frozenset.__iter__(item)),
    str: str.__str__,
    bytes: lambda item: bytes(memoryview(item)),
    int: int.__int__,
    float: float.__float__,
}
"""The value of an object of a subclass, seen as its builtin base: a subclass's own methods are not called."""


def is_shown(kind: type) -> bool:
    """Tell whether `repr` says all that there is to an object of the class."""
    return kind.__module__ == "typing" or kind.__name__ in _SHOWN.get(kind.__module__, ())


def is_stateless(kind: type) -> bool:
    """Tell whether an object of the class has no state that could matter."""
    return kind.__name__ in _STATELESS.get(kind.__module__, ())


def is_enum(kind: type) -> bool:
    """Tell whether a class is an Enum, without importing enum."""
    meta = type(kind)
    return meta is not type and any(cls.__module__ == "enum" for cls in type.mro(meta))


def scalar_text(item: object) -> str:
    """Return a scalar as text; `repr` of an int is limited in its digits."""
    return hex(item) if type(item) is int else repr(item)


def order_text(item: object) -> str:
    """Return a text by which the members of a set can be ordered alike in each process."""
    kind = type(item)
    if kind in SCALARS:
        return f"{kind.__name__} {scalar_text(item)}"
    if kind is tuple:
        return f"({', '.join([order_text(part) for part in item])})"  # type: ignore[attr-defined]  # a tuple
    if kind is frozenset:
        return f"{{{', '.join(sorted(order_text(part) for part in item))}}}"  # type: ignore[attr-defined]  # a set
    if is_enum(kind):
        return f"{kind.__qualname__}.{item._name_}"  # type: ignore[attr-defined]  # an Enum member
    if issubclass(kind, type) or kind is types.FunctionType:
        return f"{item.__module__}.{item.__qualname__}"  # type: ignore[attr-defined]  # classes and functions
    return repr(item) if is_shown(kind) else kind.__qualname__


def base_content(item: object) -> list[object]:
    """Return what an object of a subclass of a built-in type holds as that type."""
    kind = type(item)
    return [content(item) for base, content in _BASES.items() if issubclass(kind, base)]


def attributes(item: object) -> dict[str, object]:
    """Return an object's attributes and slots."""
    found: dict[str, object] = {}
    for cls in type(item).__mro__:
        for name, member in vars(cls).items():
            if type(member) is types.MemberDescriptorType:
                try:
                    found[name] = member.__get__(item)
                except AttributeError:  # a slot without a value
                    continue
    try:
        found.update(object.__getattribute__(item, "__dict__"))
    except AttributeError:  # it has slots only
        return found
    return found
