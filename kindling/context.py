"""What a pipe with `context=True` gets first. It exposes no session."""

from __future__ import annotations

from typing import TYPE_CHECKING, Protocol, runtime_checkable

if TYPE_CHECKING:
    from collections.abc import Sequence

    from kindling.addresses import Slice
    from kindling.frames import DataFrame
    from kindling.secret import Secret
    from kindling.values import Plain


class Log(Protocol):
    """A structured logger bound to the run and the task."""

    def info(self, event: str, **fields: object) -> object:
        """Log one line."""
        ...

    def warning(self, event: str, **fields: object) -> object:
        """Log one line that a person should look at."""
        ...


@runtime_checkable
class Context(Protocol):
    """A task's surroundings; what it is asked for enters the fingerprint."""

    @property
    def slice(self) -> Slice:
        """The part of the entity that this task makes."""
        ...

    @property
    def log(self) -> Log:
        """A structured logger."""
        ...

    def frame(self, rows: Sequence[Sequence[object]] | object, schema: object) -> DataFrame:
        """Make a frame of rows, or of Arrow data (anything with `__arrow_c_stream__`).

        Args:
            rows: Tuples in the order of the schema's columns, or Arrow data.
            schema: Dataclass, DDL string or StructType.
        """
        ...

    def setting(self, name: str) -> Plain:
        """Return a setting by its dotted name; ConfigError if it is unknown."""
        ...

    def secret(self, reference: str) -> Secret:
        """Resolve a `secret://vault/path#field` reference."""
        ...
