"""`pylock.kindling.toml` as values: reading, comparing, choosing what fits this Python. Not its making.

Source: PEP 751, "pylock.toml" version 1.0, read 2026-11.
"""

from __future__ import annotations

import json
import os
import re
import tomllib
from hashlib import sha256
from typing import TYPE_CHECKING

from kindling.errors import PolicyError
from kindling.names import canonical
from kindling.values import Value

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

    from kindling_plugin_registry.client.needs import Need

LOCK = "pylock.kindling.toml"
SCHEMA = "kindling.lock/1"
_DIGEST = re.compile(r"[0-9a-f]{64}")


class LockedFile(Value):
    """One file of a locked package: its name, its address or path, its SHA-256, its size or 0."""

    filename: str
    url: str
    digest: str
    size: int

    @property
    def is_wheel(self) -> bool:
        """Whether it is a wheel, and no source."""
        return self.filename.endswith(".whl")


class Locked(Value):
    """One locked package.

    Attributes:
        name: Canonical name.
        version: Exact version.
        marker: When it is needed, "" for always.
        files: Wheels first.
    """

    name: str
    version: str
    marker: str
    files: tuple[LockedFile, ...]

    @property
    def is_needed(self) -> bool:
        """Whether this Python needs it."""
        from packaging.markers import Marker

        return not self.marker or Marker(self.marker).evaluate({"extra": ""})

    def fitting(self) -> LockedFile | None:
        """Return the wheel with the best tag for this Python, else the source, else None."""
        from packaging.tags import sys_tags
        from packaging.utils import parse_wheel_filename

        ranks = {tag: rank for rank, tag in enumerate(sys_tags())}
        best: tuple[int, LockedFile] | None = None
        for file in self.files:
            tags = parse_wheel_filename(file.filename)[3] if file.is_wheel else ()
            rank = min((ranks[tag] for tag in tags if tag in ranks), default=None)
            if rank is not None and (best is None or rank < best[0]):
                best = (rank, file)
        source = next((file for file in self.files if not file.is_wheel), None)
        return best[1] if best else source


class Lock:
    """A lock.

    Attributes:
        path: Where it stands.
        plain: The whole document.
        packages: What is locked, in its order.
    """

    def __init__(self, path: str, plain: Mapping[str, object]) -> None:
        self.path = path
        self.plain = plain
        packages = plain.get("packages")
        rows = packages if isinstance(packages, list) else []
        self.packages = tuple(_package(row, os.path.dirname(path)) for row in rows)

    @property
    def facts(self) -> Mapping[str, object]:
        """The table `[tool.kindling]`."""
        tool = self.plain.get("tool")
        table = tool.get("kindling") if isinstance(tool, dict) else None
        return table if isinstance(table, dict) else {}

    def table(self, name: str) -> Mapping[str, Mapping[str, object]]:
        """Return a table of `[tool.kindling]`, for example `plugins` or `capabilities`."""
        found = self.facts.get(name)
        return found if isinstance(found, dict) else {}

    def drift(self, needs: tuple[Need, ...], requests: tuple[str, ...]) -> list[str]:
        """Return how a project has moved away from its lock: new needs, new requests, edits by hand."""
        from kindling_plugin_registry.client.judging import named_version
        from kindling_plugin_registry.client.kernel import PREFIX
        from kindling_plugin_registry.versions import is_within

        found = [] if self.facts.get("digest") == digest_of(self.plain) else ["the lock was edited by hand"]
        capabilities, plugins = self.table("capabilities"), self.table("plugins")
        for need in needs:
            locked = capabilities.get(need.capability)
            if locked is None:
                found.append(f"{need.capability} is needed and not locked")
                continue
            features = locked.get("features")
            missing = sorted(set(need.features) - set(features if isinstance(features, list) else []))
            if missing and locked.get("plugin") != "kindling-core":
                found.append(f"{need.capability} is locked without {', '.join(missing)}")
        for text in requests:
            name, specifier = named_version(text)
            own = plugins.get(name) or plugins.get(f"{PREFIX}{name}")
            if own is None or not is_within(str(own.get("version")), specifier):
                found.append(f"{text} is asked for and not locked")
        return found

    def differences(self, installed: Mapping[str, str]) -> list[str]:
        """Return how an environment differs from what the lock asks of this Python."""
        return [
            f"{item.name}: locked {item.version}, installed {installed.get(item.name, 'not at all')}"
            for item in self.packages
            if item.is_needed and installed.get(item.name) != item.version
        ]


def read_lock(project: str) -> Lock | None:
    """Return a project's lock, or None.

    Raises:
        PolicyError: KDL-REG-151, it cannot be read.
    """
    path = os.path.join(project, LOCK)
    try:
        with open(path, "rb") as file:
            return Lock(path, tomllib.load(file))
    except FileNotFoundError:
        return None
    except (OSError, ValueError, LookupError, TypeError, AttributeError) as cause:
        raise PolicyError(
            "KDL-REG-151",
            "the lock cannot be read",
            why=str(cause),
            where=path,
            hint="kindling plugins lock, or git checkout the file",
        ) from cause


def digest_of(plain: Mapping[str, object]) -> str:
    """Return the SHA-256 of a lock's content, without the digest itself."""
    tool = plain.get("tool")
    own = dict(tool.get("kindling", {})) if isinstance(tool, dict) else {}
    own.pop("digest", None)
    bare = {**plain, "tool": {"kindling": own}}
    return sha256(json.dumps(bare, sort_keys=True, default=str).encode()).hexdigest()


def _package(row: Mapping[str, object], folder: str) -> Locked:
    """Return a package whose marker and wheels' names are right: later they are only used."""
    from packaging.markers import Marker
    from packaging.utils import parse_wheel_filename

    marker = str(row.get("marker", ""))
    if marker:
        Marker(marker)
    files = tuple(_files(row, folder))
    for file in files:
        if file.is_wheel:
            parse_wheel_filename(file.filename)
    return Locked(canonical(str(row["name"])), str(row.get("version", "")), marker, files)


def _files(row: Mapping[str, object], folder: str) -> Iterator[LockedFile]:
    wheels = row.get("wheels")
    found = list(wheels) if isinstance(wheels, list) else []
    found += [row[key] for key in ("archive", "sdist") if key in row]
    for file in found:
        url = str(file.get("url") or "") or os.path.join(folder, str(file.get("path")))
        name = str(file.get("name") or url.partition("#")[0].rpartition("/")[2])
        digest = str(file["hashes"]["sha256"])
        if not _DIGEST.fullmatch(digest) or "/" in name:  # both become parts of a path
            msg = f"{name!r} is no file's name, or {digest[:80]!r} no SHA-256"
            raise ValueError(msg)
        yield LockedFile(name, url, digest, int(file.get("size") or 0))
