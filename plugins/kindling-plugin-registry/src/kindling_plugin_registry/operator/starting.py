"""Make a new registry: settings, schemas, keys and the first root."""

from __future__ import annotations

from pathlib import Path

import tomli_w
from msgspec import Struct

from kindling.errors import UsageError
from kindling_plugin_registry import records
from kindling_plugin_registry.formats import (
    SCHEMA_NAMES,
    SUFFIX,
    convert,
    schema_text,
    source_bytes,
    write_file,
)
from kindling_plugin_registry.operator.keys import check_outside
from kindling_plugin_registry.operator.roots import make_root
from kindling_plugin_registry.operator.source import SETTINGS, Source, now

EXPIRES_DAYS = {"root": 365, "targets": 90, "snapshot": 30, "timestamp": 7}
IGNORED = "# made by `kindling registry build`; wheels are kept where they are published\ndist/\n.build/\n"
NAMES = """schema = "kindling.names/1"
reserved = ["kindling", "kindling-core", "kindling-plugin-core", "kindling-plugin-kindling*"]
exceptions = []
alike = []
"""


class Start(Struct, frozen=True, kw_only=True):
    """What a new registry is made of: folders, texts, and how many root keys of how many must sign."""

    folder: Path
    keys: Path
    name: str
    title: str
    url: str
    package_index: str
    threshold: int
    root_keys: int

    def settings(self) -> dict[str, object]:
        """Return `registry.toml`."""
        thresholds = {"root": self.threshold}
        return {
            "schema": records.REGISTRY,
            "name": self.name,
            "title": self.title,
            "url": self.url,
            "package_index": self.package_index,
            "kernel": "0.1.0",
            "pythons": ["3.11"],
            "roles": {
                role: {"threshold": thresholds.get(role, 1), "expires_days": days}
                for role, days in EXPIRES_DAYS.items()
            },
        }


def check_start(start: Start) -> None:
    """Refuse a start that would fail or overwrite something.

    Raises:
        UsageError: KDL-REG-004, the folder is not empty; KDL-REG-005, keys would stand in it.
        PluginError: KDL-REG-002, a setting is wrong.
    """
    if start.folder.exists() and (not start.folder.is_dir() or any(start.folder.iterdir())):
        raise UsageError(
            "KDL-REG-004",
            f"no registry is made in {str(start.folder)!r}",
            why="it is not an empty folder",
            hint="kindling registry init with the name of a new folder",
        )
    check_outside(start.keys, start.folder)
    convert(start.settings(), "registry", records.RegistrySettings, "the options")


def make_registry(start: Start) -> list[str]:
    """Write a new registry; return the private keys' file names. `check_start` comes before."""
    folder = start.folder
    folder.mkdir(parents=True, exist_ok=True)
    write_file(folder / SETTINGS, tomli_w.dumps(start.settings()).encode())
    write_schemas(folder)
    write_file(folder / ".gitignore", IGNORED.encode())
    write_file(folder / "policy" / "names.toml", NAMES.encode())
    write_file(
        folder / "policy" / "revoked.json", source_bytes(records.Revoked(schema=records.REVOKED, revoked=()))
    )
    for name in ("plugins", "advisories"):
        write_file(folder / name / ".gitkeep", b"")
    source = Source(folder)
    make_root(source, start.keys, source.settings(), start.root_keys, now())
    return sorted(path.name for path in start.keys.glob("*.pem"))


def write_schemas(folder: Path) -> None:
    """Copy the schemas to `schema/`, for editors and for people."""
    for name in SCHEMA_NAMES:
        write_file(folder / "schema" / f"{name}{SUFFIX}", schema_text(name).encode())
