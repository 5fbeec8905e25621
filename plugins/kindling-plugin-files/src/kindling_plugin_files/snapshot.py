"""Which files an entity consists of right now: those of its newest manifest, or those that are there."""

from __future__ import annotations

from dataclasses import dataclass

from kindling.addresses import Address
from kindling.errors import StoreError
from kindling.names import did_you_mean
from kindling.schemas import Field, Schema
from kindling_plugin_files import manifest
from kindling_plugin_files.manifest import Manifest
from kindling_plugin_files.options import entity_name
from kindling_plugin_files.places import FileEntry, LocalPlace, RemotePlace
from kindling_plugin_files.probe import SUFFIXES


@dataclass(frozen=True, slots=True)
class Snapshot:
    """The files of one version.

    Attributes:
        entries: Sorted by name; in a written entity in the order of their commits.
        manifest: Of a written entity; None for a source.
        version: The version's token.
    """

    entries: tuple[FileEntry, ...]
    manifest: Manifest | None
    version: str

    @property
    def schema(self) -> Schema | None:
        """The schema of a written entity; None for a source."""
        if self.manifest is None:
            return None
        return Schema(tuple(Field(*column) for column in self.manifest.columns))


def take_snapshot(address: Address, place: LocalPlace | RemotePlace) -> Snapshot | None:
    """Return the files of the newest version; None if the entity does not exist.

    Raises:
        StoreError: KDL-STORE-002, a file that the manifest lists is gone or has another size.
    """
    newest = manifest.newest(place)
    if newest is None:
        if manifest.is_managed(place):
            return None  # its first write was never committed
        entries = place.found(SUFFIXES[address.storage])
        token = manifest.source_token(entries)
        return None if token is None else Snapshot(entries, None, token)
    while (damage := _damage(place, newest)) is not None:
        later = manifest.newest(place)
        if later is None or later.number == newest.number:
            name, happened = damage
            raise StoreError(
                "KDL-STORE-002",
                f"{entity_name(address)!r} cannot be read",
                why=f"{name} {happened} since it was committed",
                where=place.inner(name),
                hint="restore the file, or run the entity again with --full-refresh",
            )
        newest = later  # it was overwritten between two looks
    return Snapshot(tuple(newest.entries(place)), newest, newest.token)


def _damage(place: LocalPlace | RemotePlace, version: Manifest) -> tuple[str, str] | None:
    """Return the first file of a version that is not as it was committed, and what happened to it."""
    for listed in version.entries(place):
        found = place.entry(listed.name)
        if found is None:
            return listed.name, "is gone"
        if found.size != listed.size:
            return listed.name, "has another size"
    return None


def missing(address: Address, place: LocalPlace | RemotePlace) -> StoreError:
    """Return the error for an entity without files, with siblings whose names look alike."""
    name = address.uri.rstrip("/").rpartition("/")[2]
    siblings = [sibling for sibling in place.siblings() if sibling[:1] not in "._"]
    return StoreError(
        "KDL-STORE-001",
        f"{entity_name(address)!r} has no file at {address.uri}",
        why=did_you_mean(name, siblings) if len(siblings) <= 1000 else "",  # noqa: PLR2004  # not for a crowd
        hint="check the path in its declaration",
    )


def check_unchanged(address: Address, place: LocalPlace | RemotePlace, before: Snapshot) -> None:
    """Refuse what was read if a source file changed meanwhile: half of it may be old, half new.

    Raises:
        StoreError: KDL-STORE-213.
    """
    if before.manifest is not None:
        return
    now = {entry.name: entry.known() for entry in place.found(SUFFIXES[address.storage])}
    changed = next((entry for entry in before.entries if now.get(entry.name) != entry.known()), None)
    if changed is not None:
        raise StoreError(
            "KDL-STORE-213",
            f"{entity_name(address)!r} changed while it was read",
            where=changed.path,
            hint="run again once the file is complete",
        )
