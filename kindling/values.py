"""Frozen, slotted value classes that cost no imports. Not a validator and not a serialiser.

`dataclasses` takes 20 ms to import, more than a whole unchanged run may cost (docs/decisions/0002),
so the nouns that every command touches are `Value` classes; elsewhere frozen dataclasses are used.
"""

from __future__ import annotations

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable
    from typing import Self, TypeAlias, dataclass_transform

    Scalar: TypeAlias = str | int | float | bool | None
    Plain: TypeAlias = Scalar | list["Plain"] | dict[str, "Plain"]
else:
    # What JSON and TOML can hold; checkers see the real aliases above, annotations are never evaluated.
    Scalar = Plain = object

    def dataclass_transform(**_options: object) -> object:
        """Stand in for the typing marker, which is only read by type checkers."""
        return lambda cls: cls


class _ValueType(type):
    """Turn annotations into slots and remember the defaults in declaration order."""

    def __new__(mcs, name: str, bases: tuple[type, ...], space: dict[str, object]) -> _ValueType:
        own = list(space.get("__annotations__", ()))  # type: ignore[call-overload]  # a dict at run time
        defaults = {key: space.pop(key) for key in own if key in space}
        inherited = getattr(bases[0], "_fields", ()) if bases else ()
        fields = (*inherited, *(key for key in own if key not in inherited))
        space["__init__"] = _first_init
        space["__slots__"] = tuple(key for key in own if key not in inherited)
        cls = super().__new__(mcs, name, bases, space)
        cls._fields = fields  # type: ignore[attr-defined]  # read by Value's methods
        cls._defaults = {**(getattr(bases[0], "_defaults", {}) if bases else {}), **defaults}  # type: ignore[attr-defined]
        # Slot descriptors set a value without going through the frozen __setattr__.
        cls._setters = tuple(getattr(cls, key).__set__ for key in fields)  # type: ignore[attr-defined]
        return cls


def _first_init(self: Value, *args: object, **kwargs: object) -> None:
    """Construct a class's first instance, which pays for the constructor of all others."""
    cls = type(self)
    made = _constructor(cls)
    cls.__init__ = made  # type: ignore[method-assign]  # the same call, with the fields as parameters
    made(self, *args, **kwargs)


def _constructor(cls: type[Value]) -> Callable[..., None]:
    """Return a constructor with the class's own parameters, as `dataclasses` makes one.

    Written out it takes 0.37 of the time of a loop over the fields, which planning thousands of pipes
    feels; making it takes 65 us (2026-11), so a class that is never used never pays.
    """
    fields: tuple[str, ...] = cls._fields  # type: ignore[attr-defined]  # put there by _ValueType
    defaults: dict[str, object] = cls._defaults  # type: ignore[attr-defined]  # the same
    setters: tuple[object, ...] = cls._setters  # type: ignore[attr-defined]  # the same
    parameters = [f"{key}=_defaults[{key!r}]" if key in defaults else key for key in fields]
    lines = [f"def __init__({', '.join(('self', *parameters))}):"]
    lines += [f"    _set{place}(self, {key})" for place, key in enumerate(fields)]
    if cls.check is not Value.check:
        lines.append("    self.check()")
    lines.append("    pass")
    space: dict[str, object] = {f"_set{place}": setter for place, setter in enumerate(setters)}
    space["_defaults"] = defaults
    exec("\n".join(lines), space)  # noqa: S102  # made of the class's own field names
    made: Callable[..., None] = space["__init__"]  # type: ignore[assignment]  # defined by the text
    made.__qualname__ = f"{cls.__qualname__}.__init__"
    return made


@dataclass_transform(frozen_default=True)
class Value(metaclass=_ValueType):
    """Base of the kernel's frozen values: compared, hashed and shown by their fields.

    A subclass only annotates its fields; defaults must be immutable. `check()` may be overridden
    to refuse field values, it runs at the end of construction.
    """

    def check(self) -> None:
        """Refuse field values that make no sense. The default accepts all."""

    def replace(self, **changes: object) -> Self:
        """Return a copy with some fields changed."""
        fields: tuple[str, ...] = self._fields  # type: ignore[attr-defined]
        made = type(self)(*[changes.pop(key) if key in changes else getattr(self, key) for key in fields])
        if changes:
            msg = f"{type(self).__name__} has no field {next(iter(changes))!r}"
            raise TypeError(msg)
        return made

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
