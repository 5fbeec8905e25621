"""Verify a built index as a client does: from a folder or an address, with python-tuf's own client.

Nothing is returned before every signature, version and expiry was checked.
"""

from __future__ import annotations

import json
import urllib.error
import urllib.parse
import urllib.request
from pathlib import Path
from typing import TYPE_CHECKING

from kindling.errors import InfrastructureError, PolicyError
from kindling_plugin_registry.formats import sha256_of
from kindling_plugin_registry.operator.signing import TARGETS
from kindling_plugin_registry.records import Files
from kindling_plugin_registry.tolerance import read_signed

if TYPE_CHECKING:
    from collections.abc import Iterator

    from tuf.ngclient import FetcherInterface, Updater

_CHUNK = 1 << 18
_TIMEOUT_S = 30
_PAGE_BYTES = 64 << 20
"""Most bytes that are read of a file before its size is known."""


class Place:
    """Where an index is: a folder, or an `https://`, `http://` or `file://` address. Reads bytes.

    Attributes:
        base: The address, ending with `/`.
    """

    def __init__(self, place: str) -> None:
        is_address = urllib.parse.urlsplit(place).scheme in {"http", "https", "file"}
        text = place if is_address else Path(place).absolute().as_uri()
        self.base = text if text.endswith("/") else f"{text}/"

    def chunks(self, url: str) -> Iterator[bytes]:
        """Yield a file's bytes.

        Raises:
            OSError: It cannot be read; `urllib.error.HTTPError` has the status.
        """
        parts = urllib.parse.urlsplit(url)
        if parts.scheme == "file":
            opened = Path(urllib.request.url2pathname(parts.path)).open("rb")  # noqa: SIM115  # closed below
        else:
            try:
                opened = urllib.request.urlopen(url, timeout=_TIMEOUT_S)  # noqa: S310  # http, https: see __init__
            except urllib.error.HTTPError as refusal:
                refusal.close()  # it holds the connection
                raise
        with opened as file:
            while chunk := file.read(_CHUNK):
                yield chunk

    def read(self, name: str, most: int = _PAGE_BYTES) -> bytes:
        """Return a file of the index, unverified, given its path below `base`.

        Raises:
            InfrastructureError: KDL-REG-031, it cannot be read.
            PolicyError: KDL-REG-030, it is larger than `most` bytes.
        """
        content = bytearray()
        try:
            for chunk in self.chunks(self.base + urllib.parse.quote(name)):
                content += chunk
                if len(content) > most:
                    raise refused(f"{name!r} is larger than {most} bytes", self.base)
        except OSError as cause:
            raise unreachable(name, self.base, cause) from cause
        return bytes(content)


class Verified:
    """A verified index: its signed documents, and reading of what they list.

    Attributes:
        place: Where it was read.
        targets: Signed documents by name, for example `index.json`.
        files: SHA-256 and size of further files, by path.
        expires: Until when the timestamp counts, `2026-11-25T00:00:00Z`.
    """

    def __init__(self, place: Place, targets: dict[str, bytes], expires: str) -> None:
        self.place = place
        self.targets = targets
        self.files = read_signed(targets["files.json"], Files, place.base).files
        self.expires = expires

    def read(self, name: str) -> bytes:
        """Return a listed file, for example `plugins/kindling-plugin-delta.json`.

        It is read by its hash, `plugins/<sha256>.<name>`, which a build that is under way does not touch.

        Raises:
            PolicyError: KDL-REG-030, its content is not the signed one.
        """
        digest, size = self.files[name]
        folder, _, short = name.rpartition("/")
        content = self.place.read(f"{folder}/{digest}.{short}", size)
        if sha256_of(content) != digest:
            raise refused(f"{name!r} has another SHA-256 than the signed list says", self.place.base)
        return content


def verify(place: Place, root: bytes, folder: Path) -> Verified:
    """Verify an index against a trusted root.

    Args:
        place: Where the index is.
        root: The root that is trusted: the content of a `N.root.json` that came by a safe way.
        folder: Folder that keeps what was verified last, so that an older index is refused.

    Raises:
        PolicyError: KDL-REG-030, a signature, version, hash, length or expiry is wrong; KDL-REG-113, it
            says what this version does not understand.
        InfrastructureError: KDL-REG-031, the index cannot be read.
    """
    from tuf.api.exceptions import DownloadError, DownloadLengthMismatchError, RepositoryError
    from tuf.ngclient import Updater

    (folder / "targets").mkdir(parents=True, exist_ok=True)
    (folder / "metadata").mkdir(exist_ok=True)
    try:
        updater = Updater(
            metadata_dir=str(folder / "metadata"),
            metadata_base_url=f"{place.base}metadata/",
            target_dir=str(folder / "targets"),
            target_base_url=f"{place.base}targets/",
            fetcher=_fetcher(place),
            bootstrap=root,
        )
        updater.refresh()
        targets = {name: _target(updater, name) for name in TARGETS}
    except (RepositoryError, DownloadLengthMismatchError) as cause:  # more than was signed is an attack
        raise refused(str(cause), place.base) from cause
    except DownloadError as cause:
        raise unreachable("metadata", place.base, cause.__cause__ or cause) from cause
    timestamp = json.loads((folder / "metadata" / "timestamp.json").read_bytes())
    return Verified(place, targets, timestamp["signed"]["expires"])


def refused(why: str, where: str) -> PolicyError:
    """Return the error for an index that failed its verification."""
    return PolicyError(
        "KDL-REG-030",
        "the index is refused",
        why=why,
        where=where,
        hint="tell the registry's operator; do not install from it",
    )


def unreachable(name: str, where: str, cause: BaseException) -> InfrastructureError:
    """Return the error for an index, or a part of it, that cannot be read."""
    why = str(getattr(cause, "reason", "") or getattr(cause, "strerror", "") or cause)
    return InfrastructureError("KDL-REG-031", f"{name!r} of the index cannot be read", why=why, where=where)


def _target(updater: Updater, name: str) -> bytes:
    info = updater.get_targetinfo(name)
    if info is None:
        raise refused(f"{name!r} is not among the signed documents", "")
    path = updater.find_cached_target(info) or updater.download_target(info)
    return Path(path).read_bytes()


def _fetcher(place: Place) -> FetcherInterface:
    from tuf.api.exceptions import DownloadError, DownloadHTTPError
    from tuf.ngclient import FetcherInterface

    class Fetcher(FetcherInterface):
        """Reads from the place; a file that is not there is what an HTTP server calls 404."""

        def _fetch(self, url: str) -> Iterator[bytes]:
            chunks = place.chunks(url)
            try:
                first = next(chunks, b"")
            except urllib.error.HTTPError as cause:
                raise DownloadHTTPError(str(cause), cause.code) from cause
            except FileNotFoundError as cause:
                raise DownloadHTTPError(str(cause), 404) from cause
            return self._all(first, chunks)

        def _all(self, first: bytes, chunks: Iterator[bytes]) -> Iterator[bytes]:
            """Yield what was read and what follows; tuf itself only expects errors at the first chunk."""
            yield first
            try:
                yield from chunks
            except OSError as cause:
                raise DownloadError(str(cause)) from cause

    return Fetcher()
