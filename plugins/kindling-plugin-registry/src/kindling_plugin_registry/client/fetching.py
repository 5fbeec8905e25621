"""Read files of registries: from a folder, `file://`, `http://` or `https://`. Callers check the bytes."""

from __future__ import annotations

import os

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Iterator

_CHUNK = 1 << 18
_TIMEOUT_S = 60


def read_url(base: str, name: str, most: int) -> bytes:
    """Return a file below an address; at most one byte more than `most` is read.

    Raises:
        OSError: It cannot be read.
    """
    content = bytearray()
    for chunk in chunks(joined(base, name)):
        content += chunk
        if len(content) > most:
            break
    return bytes(content)


def joined(base: str, name: str) -> str:
    """Return the address of a file: itself if it is one, else relative to `base`, which ends with `/`."""
    if "://" in name or os.path.isabs(name):
        return name
    if "://" not in base:
        return os.path.normpath(os.path.join(base, name))
    from urllib.parse import urljoin

    return urljoin(base, name)


def chunks(url: str) -> Iterator[bytes]:
    """Yield a file's bytes.

    Raises:
        OSError: It cannot be read.
    """
    if url.startswith(("http://", "https://")):
        from urllib.request import urlopen

        opened = urlopen(url, timeout=_TIMEOUT_S)  # noqa: S310  # http and https: see above
    else:
        opened = open(local_path(url), "rb")  # noqa: SIM115  # pathlib is not light; closed below
    with opened as file:
        while chunk := file.read(_CHUNK):
            yield chunk


def local_path(url: str) -> str:
    """Return the path that a `file://` address or a path means."""
    if not url.startswith("file://"):
        return url
    from urllib.parse import urlsplit
    from urllib.request import url2pathname

    return url2pathname(urlsplit(url).path)
