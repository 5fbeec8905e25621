"""A registry's source: the folder in git, its paths and its documents. Not checks across them."""

from __future__ import annotations

import os
from datetime import datetime, timezone
from typing import TYPE_CHECKING

from kindling.errors import UsageError
from kindling_plugin_registry import records
from kindling_plugin_registry.advisories import Advisory
from kindling_plugin_registry.formats import read_document

if TYPE_CHECKING:
    from pathlib import Path

SETTINGS = "registry.toml"
MOMENT = "%Y-%m-%dT%H:%M:%SZ"


class Source:
    """Paths and documents of one registry; documents are read when they are asked for.

    Attributes:
        folder: The registry's folder.
    """

    def __init__(self, folder: Path) -> None:
        self.folder = folder.absolute()
        if not (self.folder / SETTINGS).is_file():
            raise UsageError(
                "KDL-REG-003",
                f"{str(folder)!r} is not a registry",
                why=f"it has no {SETTINGS}",
                hint="kindling registry init FOLDER, or name the folder with --registry",
            )

    @property
    def plugins(self) -> Path:
        """Folder with one folder for each plugin."""
        return self.folder / "plugins"

    @property
    def keys(self) -> Path:
        """Folder with the signed roots, which hold the public keys."""
        return self.folder / "keys"

    @property
    def wheels(self) -> Path:
        """Folder with the wheels that the registry keeps itself; may be missing."""
        return self.folder / "wheels"

    @property
    def dist(self) -> Path:
        """Folder of the built index."""
        return self.folder / "dist"

    def plugin(self, name: str) -> Path:
        """Return the folder of a plugin."""
        return self.plugins / name

    def release_path(self, name: str, version: str) -> Path:
        """Return the path of a release's record."""
        return self.plugin(name) / "releases" / f"{version}.json"

    def names(self) -> list[str]:
        """Return the names of all plugins' folders, sorted."""
        if not self.plugins.is_dir():
            return []
        with os.scandir(self.plugins) as found:  # knows what is a folder without asking for each
            return sorted(item.name for item in found if item.is_dir())

    def settings(self) -> records.RegistrySettings:
        """Return `registry.toml`."""
        return read_document(self.folder / SETTINGS, "registry", records.RegistrySettings)

    def record(self, name: str) -> records.PluginRecord:
        """Return a plugin's `plugin.toml`."""
        return read_document(self.plugin(name) / "plugin.toml", "plugin-record", records.PluginRecord)

    def releases(self, name: str) -> tuple[records.Release, ...]:
        """Return a plugin's releases, in the order of their files' names."""
        return tuple(
            read_document(path, "release", records.Release)
            for path in documents(self.plugin(name) / "releases")
        )

    def conformance(self, name: str) -> dict[str, tuple[records.Result, ...]]:
        """Return a plugin's results by version, newest last."""
        found = (
            read_document(path, "conformance", records.Conformance)
            for path in documents(self.plugin(name) / "conformance")
        )
        return {item.version: item.results for item in found}

    def advisories(self) -> tuple[Advisory, ...]:
        """Return all advisories, sorted by id."""
        return tuple(
            read_document(path, "advisory", Advisory) for path in documents(self.folder / "advisories")
        )

    def revoked(self) -> records.Revoked:
        """Return `policy/revoked.json`; none where there is no such file."""
        path = self.folder / "policy" / "revoked.json"
        if not path.exists():
            return records.Revoked(schema=records.REVOKED, revoked=())
        return read_document(path, "revoked", records.Revoked)

    def name_policy(self) -> records.Names:
        """Return `policy/names.toml`; an empty one where there is no such file."""
        path = self.folder / "policy" / "names.toml"
        if not path.exists():
            return records.Names(schema=records.NAMES)
        return read_document(path, "names", records.Names)


def documents(folder: Path) -> list[Path]:
    """Return the JSON files of a folder, sorted by name; none where there is no folder."""
    return sorted(folder.glob("*.json")) if folder.is_dir() else []


def moment(at: datetime) -> str:
    """Return a time as documents have it: UTC, to the second."""
    return at.astimezone(timezone.utc).strftime(MOMENT)


def now() -> datetime:
    """Return the present time, UTC."""
    return datetime.now(timezone.utc)
