"""The Secret: a value that cannot be printed. Not where it comes from."""

from __future__ import annotations


class Secret:
    """A value that shows itself to nobody: `repr`, `str` and formats give `***`, pickling is refused.

    Equality is by identity, so a secret cannot be guessed by comparing.
    """

    __slots__ = ("_value", "version")

    def __init__(self, value: str, version: str = "") -> None:
        self._value = value
        self.version = version

    def reveal(self) -> str:
        """Return the value: call it where it is used, and keep it nowhere."""
        return self._value

    def __repr__(self) -> str:
        return "***"

    def __str__(self) -> str:
        return "***"

    def __format__(self, spec: str) -> str:
        return "***"

    def __reduce__(self) -> tuple[object, ...]:
        msg = "a secret is never pickled: send its reference and resolve it where it is used"
        raise TypeError(msg)
