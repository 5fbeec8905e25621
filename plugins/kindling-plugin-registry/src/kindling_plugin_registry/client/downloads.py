"""Fetch wheels into a folder of their own, each checked by size and SHA-256 before anything is installed."""

from __future__ import annotations

import os
from hashlib import sha256
from typing import TYPE_CHECKING

from kindling.errors import InfrastructureError, PolicyError
from kindling.values import Value
from kindling_plugin_registry.client.fetching import chunks, joined, local_path

if TYPE_CHECKING:
    from kindling_plugin_registry.client.registries import Client, Registry
    from kindling_plugin_registry.records import Artifact, Release


class Wheel(Value):
    """A wheel on this machine, checked.

    Attributes:
        name: Canonical name of its distribution.
        version: Its version.
        path: Where it is.
        digest: Its SHA-256.
    """

    name: str
    version: str
    path: str
    digest: str

    def requirement(self) -> str:
        """Return it as a line of a requirements file."""
        from pathlib import Path

        return f"{self.name} @ {Path(self.path).as_uri()} --hash=sha256:{self.digest}"

    def plain_requirement(self) -> str:
        """Return it without its hash, for files whose other lines have none."""
        return self.requirement().partition(" --hash")[0]


def fetch_release(client: Client, registry: Registry, release: Release, *, is_offline: bool = False) -> Wheel:
    """Fetch the wheel of a release that fits this Python.

    Raises:
        PolicyError: KDL-REG-141, no wheel fits; KDL-REG-142, it is not what the signed record says.
        InfrastructureError: KDL-REG-143, it cannot be read.
    """
    artifact = fitting(release)
    if artifact is None:
        raise PolicyError(
            "KDL-REG-141",
            f"{release.name!r} {release.version} has no wheel for this Python",
            why=f"it has {', '.join(item.filename for item in release.artifacts)}",
            hint=f"kindling plugins why-not {release.name}",
        )
    url = artifact_url(registry, artifact)
    path = fetch(client, url, artifact.filename, artifact.sha256, artifact.size, is_offline=is_offline)
    return Wheel(release.name, release.version, path, artifact.sha256)


def artifact_url(registry: Registry, artifact: Artifact) -> str:
    """Return the address of a release's file; relative ones start at the pages of the index."""
    return joined(f"{registry.url}plugins/", artifact.url)


def fitting(release: Release) -> Artifact | None:
    """Return the wheel with the best tag for this Python, or None."""
    from packaging.tags import sys_tags
    from packaging.utils import InvalidWheelFilename, parse_wheel_filename

    ranks = {tag: rank for rank, tag in enumerate(sys_tags())}
    best: tuple[int, Artifact] | None = None
    for artifact in release.artifacts:
        try:
            tags = parse_wheel_filename(artifact.filename)[3]
        except InvalidWheelFilename:
            continue
        rank = min((ranks[tag] for tag in tags if tag in ranks), default=None)
        if rank is not None and (best is None or rank < best[0]):
            best = (rank, artifact)
    return best[1] if best else None


def fetch(
    client: Client, url: str, filename: str, digest: str, size: int, *, is_offline: bool = False
) -> str:
    """Return the path of a file with that name and SHA-256; what is there already is checked again.

    Args:
        client: Its state folder keeps the files.
        url: Address or path.
        filename: Its name, without folders.
        digest: SHA-256 that it must have.
        size: Bytes that it must have; 0 where nobody said.
        is_offline: Refuse addresses of a network.
    """
    path = os.path.join(client.state, "wheels", digest, os.path.basename(filename))
    if os.path.isfile(path) and _digest(path) == digest:
        return path
    if is_offline and url.startswith(("http://", "https://")):
        raise _unreadable(filename, url, "--offline was said")
    os.makedirs(os.path.dirname(path), exist_ok=True)
    own = f"{path}.{os.getpid()}.part"
    try:
        _write(own, url, filename, size)
        found, length = _digest(own), os.path.getsize(own)
        if found != digest or (size and length != size):
            why = f"found SHA-256 {found} and {length} bytes, expected {digest}"
            raise refused(filename, f"{why} and {size} bytes" if size else why, url)
        os.replace(own, path)
    except OSError as cause:
        raise _unreadable(filename, url, str(getattr(cause, "reason", "") or cause)) from cause
    finally:
        if os.path.exists(own):
            os.unlink(own)
    return path


def refused(filename: str, why: str, where: str) -> PolicyError:
    """Return the error for a file that is not what it should be."""
    return PolicyError(
        "KDL-REG-142",
        f"the file {filename!r} is refused",
        why=why,
        where=where,
        hint="nothing was installed; tell the registry's operator if it happens again",
    )


def _write(path: str, url: str, filename: str, size: int) -> None:
    from http.client import IncompleteRead

    written = 0
    with open(path, "wb") as file:
        try:
            for chunk in chunks(url if "://" in url else local_path(url)):
                written += len(chunk)
                if size and written > size:
                    raise refused(filename, f"it is longer than the {size} bytes of its record", url)
                file.write(chunk)
        except IncompleteRead as cause:
            raise refused(filename, f"it ended after {written} bytes", url) from cause


def _unreadable(filename: str, url: str, why: str) -> InfrastructureError:
    return InfrastructureError("KDL-REG-143", f"the file {filename!r} cannot be read", why=why, where=url)


def _digest(path: str) -> str:
    made = sha256()
    with open(path, "rb") as file:
        while chunk := file.read(1 << 20):
            made.update(chunk)
    return made.hexdigest()
