"""Where entities live and which part of one a task makes. Not how they are read or written."""

from __future__ import annotations

from kindling.errors import UsageError
from kindling.values import Value

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Mapping
    from datetime import datetime


class Address(Value):
    """The physical place of one entity in one environment; stores see nothing else.

    Attributes:
        storage: Capability name, for example `delta`.
        location: Name of the configured location, or "" where the declaration gives the place.
        parts: The entity's name parts after the naming template.
        uri: Folder, file, glob or other locator as an absolute path or URL; "" where it has none.
        options: The declaration's own options, sorted `(name, value)` pairs of JSON scalars; a source
            with a declared schema has it as DDL under `schema`.
        credential: A `secret://` reference, or "".
    """

    storage: str
    location: str
    parts: tuple[str, ...]
    uri: str = ""
    options: tuple[tuple[str, str | int | float | bool | None], ...] = ()
    credential: str = ""

    def option(self, name: str) -> str | int | float | bool | None:
        """Return one option's value, or None."""
        return next((value for key, value in self.options if key == name), None)

    def to_plain(self) -> dict[str, object]:
        """Return the address as JSON types."""
        return {
            "storage": self.storage,
            "location": self.location,
            "parts": list(self.parts),
            "uri": self.uri,
            "options": [list(pair) for pair in self.options],
            "credential": self.credential,
        }

    @classmethod
    def from_plain(cls, plain: Mapping[str, object]) -> Address:
        """Return the address that `to_plain` wrote."""
        return cls(
            storage=str(plain["storage"]),
            location=str(plain["location"]),
            parts=tuple(plain["parts"]),  # type: ignore[arg-type]  # written by to_plain
            uri=str(plain["uri"]),
            options=tuple((key, value) for key, value in plain["options"]),  # type: ignore[attr-defined]
            credential=str(plain["credential"]),
        )


class Slice(Value):
    """The part of an entity that one task makes: everything, an interval, or a key.

    Attributes:
        kind: `all`, `interval` or `key`.
        start: Inclusive start, RFC 3339 UTC to the second (`2013-01-01T00:00:00Z`), or "".
        end: Exclusive end in the same form, or "".
        key: The key's value, or "".
    """

    kind: str = "all"
    start: str = ""
    end: str = ""
    key: str = ""

    @classmethod
    def interval(cls, start: datetime, end: datetime) -> Slice:
        """Make the half-open interval of two aware datetimes."""
        return cls("interval", utc_text(start), utc_text(end))

    @classmethod
    def parse(cls, text: str) -> Slice:
        """Return the slice that `str()` wrote.

        Raises:
            UsageError: KDL-USE-001, the text is not `*`, `start/end` or `key:value`.
        """
        if text == "*":
            return cls()
        if text.startswith("key:"):
            return cls("key", key=text[4:])
        start, slash, end = text.partition("/")
        if slash and start and end:
            return cls("interval", start, end)
        raise UsageError(
            "KDL-USE-001", f"{text!r} is not a slice", why="expected '*', 'start/end' or 'key:value'"
        )

    def __str__(self) -> str:
        """Return `*`, `start/end` or `key:value`."""
        if self.kind == "interval":
            return f"{self.start}/{self.end}"
        return f"key:{self.key}" if self.kind == "key" else "*"


EVERYTHING = Slice()


class TaskKey(Value):
    """What identifies a task: the entity's logical name and the slice."""

    entity: str
    slice: Slice = EVERYTHING

    def __str__(self) -> str:
        """Return `entity`, or `entity[slice]` for a part of it."""
        return self.entity if self.slice.kind == "all" else f"{self.entity}[{self.slice}]"


def utc_text(moment: datetime) -> str:
    """Return an aware datetime as RFC 3339 UTC to the second.

    Raises:
        UsageError: KDL-USE-002, the datetime has no time zone.
    """
    if moment.tzinfo is None:
        raise UsageError("KDL-USE-002", f"{moment!r} has no time zone", hint="use datetime(..., tzinfo=UTC)")
    from datetime import timezone

    return moment.astimezone(timezone.utc).strftime("%Y-%m-%dT%H:%M:%SZ")
