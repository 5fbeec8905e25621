"""A rule's options, checked: all faults of one rule are told together. It knows no mask."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from decimal import Decimal
from typing import TypeVar

from kindling.errors import ConfigError
from kindling.hooks import Plain
from kindling.names import did_you_mean

Made = TypeVar("Made", int, str, bool)
NARROWEST, WIDEST = 1e-18, 1e18
"""Widths of buckets."""


class Options:
    """The options of one rule, read one after the other.

    Args:
        mask: The mask's name.
        given: The options as they were written.
        known: The options that the mask has.
    """

    def __init__(self, mask: str, given: Mapping[str, Plain], known: Iterable[str]) -> None:
        self._mask = mask
        self._given = given
        self._known = tuple(known)
        self._faults = [
            f"there is no option {name!r}: {did_you_mean(name, self._known)}"
            for name in given
            if name not in self._known
        ]

    def whole(self, name: str, default: int, low: int, high: int) -> int:
        """Return a whole number within bounds."""
        found = self._given.get(name, default)
        is_whole = isinstance(found, int) and not isinstance(found, bool)
        if is_whole and low <= int(str(found)) <= high:
            return int(str(found))
        return self._wrong(name, f"a whole number from {low} to {high}", default)

    def text(self, name: str, default: str, longest: int) -> str:
        """Return a text without control characters, at most so many letters."""
        found = self._given.get(name, default)
        # Spark puts settings into `${...}` before it reads the text as SQL.
        if isinstance(found, str) and len(found) <= longest and found.isprintable() and "${" not in found:
            return found
        return self._wrong(name, f"a printable text of at most {longest} letters, without '${{'", default)

    def choice(self, name: str, default: str, choices: Iterable[str]) -> str:
        """Return one of some words."""
        listed = tuple(choices)
        found = self._given.get(name, default)
        if isinstance(found, str) and found in listed:
            return found
        return self._wrong(name, f"one of {', '.join(listed)}", default)

    def flag(self, name: str, *, default: bool) -> bool:
        """Return true or false."""
        found = self._given.get(name, default)
        return found if isinstance(found, bool) else self._wrong(name, "true or false", default)

    def width(self, name: str) -> Decimal | None:
        """Return a number from 1e-18 to 1e18, None where it is not given or wrong."""
        found = self._given.get(name)
        if found is None:
            return None
        is_number = isinstance(found, (int, float)) and not isinstance(found, bool)
        if is_number and NARROWEST <= float(str(found)) <= WIDEST:
            return Decimal(str(found))
        self.add(f"{name!r} must be a number from {NARROWEST:g} to {WIDEST:g}")
        return None

    def has(self, name: str) -> bool:
        """Tell whether an option was given."""
        return name in self._given

    @property
    def is_sound(self) -> bool:
        """Whether no fault was found yet."""
        return not self._faults

    def add(self, fault: str) -> None:
        """Note a fault that the mask found."""
        self._faults.append(fault)

    def done(self) -> None:
        """Refuse the options if one of them is wrong.

        Raises:
            ConfigError: KDL-GOV-101, with all faults.
        """
        if self._faults:
            raise ConfigError(
                "KDL-GOV-101",
                f"the options of the mask {self._mask!r} cannot be used",
                why="; ".join(self._faults),
                hint=f"{self._mask} has the options {', '.join(self._known)}",
                mask=self._mask,
                faults=list(self._faults),
            )

    def _wrong(self, name: str, expected: str, default: Made) -> Made:
        """Note that an option is not what was expected. Its value is not cited: it may be a raw one."""
        self.add(f"{name!r} must be {expected}")
        return default
