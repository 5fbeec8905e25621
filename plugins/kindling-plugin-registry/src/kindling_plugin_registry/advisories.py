"""Advisories: the part of OSV that a registry uses, and which versions one affects. Not where they are kept.

Source: Open Source Vulnerability format 1.7, "affected[].ranges[].events" and its evaluation, read 2026-11.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Annotated, Literal

from msgspec import Meta, Struct

from kindling_plugin_registry.records import AdvisoryId, Document, Link, Moment, Name, Some, Version
from kindling_plugin_registry.versions import version_of

if TYPE_CHECKING:
    from packaging.version import Version as ParsedVersion

EventVersion = Annotated[str, Meta(pattern=r"^[0-9][0-9A-Za-z.!+_-]*$(?!\n)")]


class Event(Struct, frozen=True, kw_only=True, forbid_unknown_fields=True, omit_defaults=True):
    """One end of a range; exactly one of the three is given."""

    introduced: EventVersion | None = None
    fixed: EventVersion | None = None
    last_affected: EventVersion | None = None

    def __post_init__(self) -> None:
        """Refuse an event with none or several ends; msgspec reports it as a fault of the document."""
        if sum(item is not None for item in (self.introduced, self.fixed, self.last_affected)) != 1:
            msg = "an event has exactly one of introduced, fixed, last_affected"
            raise ValueError(msg)


class Range(Document, frozen=True, kw_only=True):
    """Affected versions as events in the ecosystem's own order of versions."""

    type: Literal["ECOSYSTEM"]
    events: Annotated[tuple[Event, ...], Meta(min_length=1)]


class Package(Document, frozen=True, kw_only=True, omit_defaults=True):
    """What is affected."""

    ecosystem: Literal["PyPI"]
    name: Name
    purl: str = ""


class Affected(Document, frozen=True, kw_only=True, omit_defaults=True):
    """One package and its affected versions, by ranges, by list, or by both."""

    package: Package
    ranges: tuple[Range, ...] = ()
    versions: tuple[Version, ...] = ()

    def is_affected(self, version: str) -> bool:
        """Tell whether a version is listed, or lies in a range."""
        return version in self.versions or any(_is_within(item.events, version) for item in self.ranges)


class Score(Document, frozen=True, kw_only=True):
    """A CVSS vector."""

    type: Literal["CVSS_V2", "CVSS_V3", "CVSS_V4"]
    score: Some


class Reference(Document, frozen=True, kw_only=True):
    """An address with more about it."""

    type: Literal[
        "ADVISORY", "ARTICLE", "DETECTION", "DISCUSSION", "REPORT", "FIX", "INTRODUCED", "PACKAGE",
        "EVIDENCE", "WEB",
    ]  # fmt: skip
    url: Link


class Credit(Document, frozen=True, kw_only=True, omit_defaults=True):
    """Who found or mended it."""

    name: Some
    contact: tuple[str, ...] = ()
    type: str = ""


class Advisory(Document, frozen=True, kw_only=True, omit_defaults=True):
    """`advisories/<id>.json`."""

    schema_version: Annotated[str, Meta(pattern=r"^1\.[0-9]+\.[0-9]+$(?!\n)")]
    id: AdvisoryId
    modified: Moment
    published: Moment
    summary: Annotated[str, Meta(min_length=1, max_length=120)]
    details: str
    affected: Annotated[tuple[Affected, ...], Meta(min_length=1)]
    withdrawn: Moment | None = None
    aliases: tuple[Some, ...] = ()
    related: tuple[Some, ...] = ()
    severity: tuple[Score, ...] = ()
    references: tuple[Reference, ...] = ()
    credits: tuple[Credit, ...] = ()

    def is_affected(self, name: str, version: str) -> bool:
        """Tell whether a release is affected; nothing is by a withdrawn advisory."""
        return self.withdrawn is None and any(
            item.package.name == name and item.is_affected(version) for item in self.affected
        )


class Advisories(Document, frozen=True, kw_only=True):
    """`advisories.json`: all advisories, signed."""

    schema: Literal["kindling.advisories/1"]
    advisories: tuple[Advisory, ...]


def _is_within(events: tuple[Event, ...], version: str) -> bool:
    """Walk the events in order of version: introduced opens, fixed closes, last_affected closes after it."""
    wanted = version_of(version)
    inside = False
    for event in sorted(events, key=_place):
        at, _ = _place(event)
        if event.last_affected is not None:
            inside = inside and wanted <= at
        elif at <= wanted:
            inside = event.introduced is not None
    return inside


def _place(event: Event) -> tuple[ParsedVersion, bool]:
    """Return an event's version, and whether it closes a range: of the same version, opening comes first."""
    at = event.introduced or event.fixed or event.last_affected or "0"
    return version_of(at), event.introduced is None
