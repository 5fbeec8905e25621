"""The child process that verifies an index: order on stdin, answer on stdout, both JSON.

Nothing is kept before every signature was verified by python-tuf. An unchanged `timestamp.json` (ETag)
ends it early, unless its signature has ended meanwhile.
"""

from __future__ import annotations

import json
import os
import sys
import time
import urllib.error
import urllib.request
from datetime import datetime, timezone
from hashlib import sha256
from pathlib import Path
from typing import TYPE_CHECKING

from kindling.errors import Faults, KindlingError, PolicyError

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

    from kindling_plugin_registry.operator.verification import Verified

_TIMEOUT_S = 30


def main() -> int:
    """Do what stdin says; an error is an answer, too."""
    order = json.load(sys.stdin)
    try:
        answer: dict[str, object] = {"status": _refresh(order)}
    except Faults as faults:
        answer = _plain(faults.faults[0])
    except KindlingError as error:
        answer = _plain(error)
    sys.stdout.write(json.dumps(answer))
    return 0


def _plain(error: KindlingError) -> dict[str, object]:
    return {**error.to_plain(), "exit_code": error.exit_code}


def _refresh(order: dict[str, str]) -> str:
    from kindling_plugin_registry.operator.verification import Place, verify

    folder = Path(order["folder"])
    current = _current(folder, order["url"])
    etag = _etag(order["url"], str(current.get("etag", "")))
    if etag is None and _is_whole(folder, current):
        _write(folder, {**current, "fetched_at": _now(), "fetched_s": int(time.time())})
        return "unchanged"
    root = _root(order)
    verified = verify(Place(order["url"]), root, folder)
    timestamp = json.loads((folder / "metadata" / "timestamp.json").read_bytes())
    contents = {**verified.targets, "lines": _lines(verified, order["url"])}
    files = {name: [sha256(content).hexdigest(), len(content)] for name, content in contents.items()}
    for name, content in contents.items():
        path = folder / str(files[name][0])
        if not path.exists() or path.read_bytes() != content:
            _replace(path, content)
    _write(
        folder,
        {
            "schema": "kindling.copy/1",
            "registry": order["name"],
            "url": order["url"],
            "version": timestamp["signed"]["version"],
            "expires": verified.expires,
            "fetched_at": _now(),
            "fetched_s": int(time.time()),
            "etag": etag or "",
            "files": files,
        },
    )
    return "fresh"


def _root(order: dict[str, str]) -> bytes:
    try:
        return Path(order["root"]).read_bytes()
    except OSError as cause:
        raise PolicyError(
            "KDL-REG-106",
            f"the root of the registry {order['name']!r} cannot be read",
            why=str(cause.strerror or cause),
            where=order["root"],
            hint=f"get root.json by a safe way, and name it in [plugins.registry.{order['name']}] root",
        ) from cause


def _current(folder: Path, url: str) -> dict[str, object]:
    try:
        found = json.loads((folder / "current.json").read_text(encoding="utf-8"))
    except (OSError, ValueError):
        return {}
    return found if isinstance(found, dict) and found.get("url") == url else {}


def _etag(url: str, known: str) -> str | None:
    """Return the ETag of `timestamp.json`, "" where there is none, None where it is the known one."""
    if not url.startswith(("http://", "https://")):
        return ""
    request = urllib.request.Request(f"{url}metadata/timestamp.json")  # noqa: S310  # http, https: see above
    if known:
        request.add_header("If-None-Match", known)
    try:
        with urllib.request.urlopen(request, timeout=_TIMEOUT_S) as answer:  # noqa: S310  # the same
            return str(answer.headers.get("ETag") or "")
    except urllib.error.HTTPError as error:
        return None if error.code == 304 and known else ""  # noqa: PLR2004  # not modified
    except OSError:
        return ""  # `verify` reads it again and says what is wrong


def _is_whole(folder: Path, current: dict[str, object]) -> bool:
    """Tell whether the kept copy counts still and all its files are there."""
    files = current.get("files")
    if not isinstance(files, dict) or str(current.get("expires", "")) <= _now():
        return False
    return all((folder / str(digest)).is_file() for digest, _ in files.values())


def _lines(verified: Verified, url: str) -> bytes:
    return ("\n" + "".join(f"{line}\n" for line in _each_line(verified, url))).encode()


def _each_line(verified: Verified, url: str) -> Iterator[str]:
    from kindling_plugin_registry.operator.verification import refused
    from kindling_plugin_registry.records import Index
    from kindling_plugin_registry.tolerance import read_signed

    entries = read_signed(verified.targets["index.json"], Index, url).plugins
    for entry in sorted(entries, key=lambda item: item.n):
        if f"plugins/{entry.n}.json" not in verified.files:
            raise refused(f"{entry.n!r} is listed and has no page", url)
        digest, size = verified.files[f"plugins/{entry.n}.json"]
        fields = (
            entry.n,
            entry.v,
            entry.lv,
            "1" if entry.st else "",
            entry.lf,
            entry.lic,
            _joined(entry.c),
            _joined(entry.p),
            entry.py,
            entry.k,
            _joined(entry.adv),
            entry.upd,
            digest,
            str(size),
            _joined(item.replace(",", " ") for item in entry.kw),
            entry.s,
        )
        yield "\t".join(field.replace("\t", " ").replace("\n", " ").replace("\r", " ") for field in fields)


def _joined(items: Iterable[str]) -> str:
    return f",{','.join(items)},"


def _write(folder: Path, facts: dict[str, object]) -> None:
    _replace(folder / "current.json", json.dumps(facts).encode())


def _replace(path: Path, content: bytes) -> None:
    """Write a file in one rename."""
    path.parent.mkdir(parents=True, exist_ok=True)
    own = path.with_name(f".{path.name}.{os.getpid()}.new")
    own.write_bytes(content)
    own.replace(path)


def _now() -> str:
    return datetime.now(timezone.utc).strftime("%Y-%m-%dT%H:%M:%SZ")


if __name__ == "__main__":
    sys.exit(main())
