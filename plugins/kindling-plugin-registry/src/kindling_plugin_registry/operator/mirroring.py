"""Copy an index, verified first: for networks without a way out. Signatures stay as they are."""

from __future__ import annotations

import shutil
from typing import TYPE_CHECKING
from urllib.parse import urljoin

import msgspec

from kindling.errors import UsageError
from kindling_plugin_registry.formats import sha256_of, write_file
from kindling_plugin_registry.operator.verification import Place, refused, verify
from kindling_plugin_registry.records import Page
from kindling_plugin_registry.tolerance import read_signed

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from kindling_plugin_registry.operator.verification import Verified
    from kindling_plugin_registry.records import Artifact

STATE = ".mirror"
"""Folder in the mirror with what was verified last: an older index is refused the next time."""
_MOST_BYTES = 4 << 30  # of a wheel


class Mirrored(msgspec.Struct, frozen=True, kw_only=True):
    """What was copied: files, those that were there already, wheels, and until when signatures count."""

    copied: int
    same: int
    wheels: int
    expires: str


def mirror(
    place: Place, root: bytes, folder: Path, *, has_wheels: bool = False, is_dry: bool = False
) -> Mirrored:
    """Copy an index into a folder; only files that are new or changed are read.

    Args:
        place: The index.
        root: The trusted root.
        folder: The mirror; serve it, or name it in `kindling.toml`, as the original.
        has_wheels: Copy wheels that have an address, too, each checked by its hash.
        is_dry: Verify, and count what would be copied.

    Raises:
        PolicyError: KDL-REG-030, the index or a file is not what was signed.
        InfrastructureError: KDL-REG-031, something cannot be read.
        UsageError: KDL-REG-032, the folder holds something else.
    """
    state = folder / STATE
    if folder.exists() and any(folder.iterdir()) and not state.is_dir():
        raise UsageError(
            "KDL-REG-032",
            f"{str(folder)!r} cannot become a mirror",
            why="it holds files that no mirror wrote",
            hint="name an empty folder",
        )
    if is_dry:
        return _dry(place, root, folder)
    verified = verify(place, root, state)
    copy = _Copy(verified, folder)
    for name in sorted(verified.files):
        copy.add(name)
    wheels = sum(copy.add_wheel(artifact) for artifact in copy.artifacts()) if has_wheels else 0
    copy.publish(state)
    return Mirrored(copied=copy.copied, same=copy.same, wheels=wheels, expires=verified.expires)


def _dry(place: Place, root: bytes, folder: Path) -> Mirrored:
    import tempfile

    with tempfile.TemporaryDirectory() as scratch:
        from pathlib import Path as Folder

        state = Folder(scratch) / STATE
        if (folder / STATE).is_dir():
            shutil.copytree(folder / STATE, state)
        verified = verify(place, root, state)
    same = sum(hashed(folder, name, digest).exists() for name, (digest, _) in verified.files.items())
    return Mirrored(copied=len(verified.files) - same, same=same, wheels=0, expires=verified.expires)


def hashed(folder: Path, name: str, digest: str) -> Path:
    """Return where a listed file stands under its hash."""
    path = folder / name
    return path.with_name(f"{digest}.{path.name}")


class _Copy:
    """Writes one verified index into a folder."""

    def __init__(self, verified: Verified, folder: Path) -> None:
        self.verified = verified
        self.folder = folder
        self.copied = 0
        self.same = 0
        self.pages: list[bytes] = []

    def add(self, name: str) -> None:
        """Copy a listed file, under its hash and under its name."""
        digest, _ = self.verified.files[name]
        path = hashed(self.folder, name, digest)
        known = path.read_bytes() if path.exists() else b""
        if known and sha256_of(known) == digest:
            self.same += 1
            content = known
        else:
            content = self.verified.read(name)
            write_file(path, content)
            self.copied += 1
        alias = self.folder / name
        if not alias.exists() or alias.read_bytes() != content:
            write_file(alias, content)
        if name.startswith("plugins/"):
            self.pages.append(content)

    def artifacts(self) -> Iterator[Artifact]:
        """Yield all files of releases that have an address."""
        for content in self.pages:
            for release in read_signed(content, Page, self.verified.place.base).releases:
                yield from (artifact for artifact in release.artifacts if artifact.url)

    def add_wheel(self, artifact: Artifact) -> int:
        """Copy a wheel if it is missing; return 1 if it was copied."""
        path = self.folder / "wheels" / artifact.filename
        if path.exists() and sha256_of(path.read_bytes()) == artifact.sha256:
            return 0
        address = urljoin(f"{self.verified.place.base}plugins/", artifact.url)
        content = Place(address.rpartition("/")[0]).read(address.rpartition("/")[2], artifact.size)
        if sha256_of(content) != artifact.sha256:
            raise refused(f"{artifact.filename!r} has another SHA-256 than its release says", address)
        write_file(path, content)
        return 1

    def publish(self, state: Path) -> None:
        """Write what is signed, `timestamp.json` last: until then readers see the mirror of before."""
        for name, content in self.verified.targets.items():
            write_file(self.folder / "targets" / f"{sha256_of(content)}.{name}", content)
            write_file(self.folder / "targets" / name, content)
        metadata = state / "metadata"
        for path in sorted((metadata / "root_history").glob("*.root.json")):
            write_file(self.folder / "metadata" / path.name, path.read_bytes())
        write_file(self.folder / "metadata" / "root.json", (metadata / "root.json").read_bytes())
        for role in ("targets", "snapshot"):
            content = (metadata / f"{role}.json").read_bytes()
            version = msgspec.json.decode(content)["signed"]["version"]
            write_file(self.folder / "metadata" / f"{version}.{role}.json", content)
        write_file(self.folder / "metadata" / "timestamp.json", (metadata / "timestamp.json").read_bytes())
