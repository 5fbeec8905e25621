"""Frozen, slotted value classes that cost no imports. Not a validator and not a serialiser.

`dataclasses` takes 20 ms to import, more than a whole unchanged run may cost (docs/decisions/0002),
so the nouns that every command touches are `Value` classes; elsewhere frozen dataclasses are used.
"""

from __future__ import annotations

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Self, TypeAlias, dataclass_transform

    Scalar: TypeAlias = str | int | float | bool | None
    Plain: TypeAlias = Scalar | list["Plain"] | dict[str, "Plain"]
else:
    # What JSON and TOML can hold; checkers see the real aliases above, annotations are never evaluated.
    Scalar = Plain = object

    def dataclass_transform(**_options: object) -> object:
        """Stand in for the typing marker, which is only read by type checkers."""
        return lambda cls: cls


_MISSING = object()


class _ValueType(type):
    """Turn annotations into slots and remember the defaults in declaration order."""

    def __new__(mcs, name: str, bases: tuple[type, ...], space: dict[str, object]) -> _ValueType:
        own = list(space.get("__annotations__", ()))  # type: ignore[call-overload]  # a dict at run time
        defaults = {key: space.pop(key) for key in own if key in space}
        inherited = getattr(bases[0], "_fields", ()) if bases else ()
        fields = (*inherited, *(key for key in own if key not in inherited))
        space["__slots__"] = tuple(key for key in own if key not in inherited)
        cls = super().__new__(mcs, name, bases, space)
        cls._fields = fields  # type: ignore[attr-defined]  # read by Value's methods
        cls._defaults = {**(getattr(bases[0], "_defaults", {}) if bases else {}), **defaults}  # type: ignore[attr-defined]
        return cls


@dataclass_transform(frozen_default=True)
class Value(metaclass=_ValueType):
    """Base of the kernel's frozen values: compared, hashed and shown by their fields.

    A subclass only annotates its fields; defaults must be immutable. `check()` may be overridden
    to refuse field values, it runs at the end of construction.
    """

    def __init__(self, *args: object, **kwargs: object) -> None:
        fields: tuple[str, ...] = self._fields  # type: ignore[attr-defined]
        defaults: dict[str, object] = self._defaults  # type: ignore[attr-defined]
        if len(args) > len(fields):
            msg = f"{type(self).__name__} takes {len(fields)} fields, got {len(args)}"
            raise TypeError(msg)
        put = object.__setattr__
        for key, value in zip(fields, args, strict=False):
            put(self, key, value)
        for key in fields[len(args) :]:
            value = kwargs.pop(key, defaults.get(key, _MISSING))
            if value is _MISSING:
                msg = f"{type(self).__name__} needs {key!r}"
                raise TypeError(msg)
            put(self, key, value)
        if kwargs:
            msg = f"{type(self).__name__} has no field {next(iter(kwargs))!r}"
            raise TypeError(msg)
        self.check()

    def check(self) -> None:
        """Refuse field values that make no sense. The default accepts all."""

    def replace(self, **changes: object) -> Self:
        """Return a copy with some fields changed."""
        fields: tuple[str, ...] = self._fields  # type: ignore[attr-defined]
        return type(self)(**{**{key: getattr(self, key) for key in fields}, **changes})

    def __setattr__(self, name: str, value: object) -> None:
        msg = f"{type(self).__name__}.{name} cannot be assigned: values are frozen"
        raise AttributeError(msg)

    def __delattr__(self, name: str) -> None:
        msg = f"{type(self).__name__}.{name} cannot be deleted: values are frozen"
        raise AttributeError(msg)

    def __eq__(self, other: object) -> bool:
        if type(other) is not type(self):
            return NotImplemented
        fields: tuple[str, ...] = self._fields  # type: ignore[attr-defined]
        return all(getattr(self, key) == getattr(other, key) for key in fields)

    def __hash__(self) -> int:
        fields: tuple[str, ...] = self._fields  # type: ignore[attr-defined]
        return hash((type(self).__name__, *(getattr(self, key) for key in fields)))

    def __repr__(self) -> str:
        fields: tuple[str, ...] = self._fields  # type: ignore[attr-defined]
        inner = ", ".join(f"{key}={getattr(self, key)!r}" for key in fields)
        return f"{type(self).__name__}({inner})"

    def __reduce__(self) -> tuple[object, ...]:
        fields: tuple[str, ...] = self._fields  # type: ignore[attr-defined]
        return (type(self), tuple(getattr(self, key) for key in fields))
