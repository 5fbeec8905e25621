"""Is installed what the lock says? Folder names are compared, nothing is imported. Not how a lock is made.

The lock is `pylock.kindling.toml` (PEP 751), written by `kindling plugins lock`. What it asks of this
Python is remembered as JSON, because reading TOML and markers takes longer than a whole unchanged run.
"""

from __future__ import annotations

import json
import os
import re
import sys

from kindling.errors import PolicyError
from kindling.names import canonical

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Iterator

LOCK = "pylock.kindling.toml"
_INFO = re.compile(r"(.+?)-([^-]+)\.(?:dist|egg)-info")
_SCHEMA = "kindling.lock-cache/1"


def enforce_lock(project: str, cache_dir: str) -> None:
    """Refuse an environment that is not as the project's lock says; further packages are no drift.

    Effects: reads the names in the folders of `sys.path`; writes `cache_dir` when the lock has changed.

    Raises:
        PolicyError: KDL-POL-030, there is no lock, or it cannot be read; KDL-POL-031, drift.
    """
    wanted = _wanted(project, cache_dir)
    found = installed_versions()
    drift = [
        f"{name}: locked {version}, installed {found.get(name, 'not at all')}"
        for name, version in wanted.items()
        if found.get(name) != version
    ]
    if drift:
        more = f"; and {len(drift) - _SHOWN} more" if len(drift) > _SHOWN else ""
        raise PolicyError(
            "KDL-POL-031",
            "what is installed is not what the lock says",
            why="; ".join(drift[:_SHOWN]) + more,
            where=f"{project}/{LOCK}",
            hint="kindling plugins sync --locked",
            drift=drift,
        )


_SHOWN = 5


def installed_versions() -> dict[str, str]:
    """Return version by canonical name of all distributions on `sys.path`; the first one counts."""
    found: dict[str, str] = {}
    for entry in sys.path:
        try:
            names = os.listdir(entry or ".")
        except OSError:
            continue
        for name in names:
            match = _INFO.fullmatch(name) if name.endswith("-info") else None
            if match is not None:
                found.setdefault(canonical(match[1]), match[2])
    return found


def _wanted(project: str, cache_dir: str) -> dict[str, str]:
    """Return version by name of what the lock asks of this Python."""
    path = f"{project}/{LOCK}"
    try:
        stat = os.stat(path)
    except OSError as cause:
        raise _unreadable(path, "there is no such file") from cause
    key = [stat.st_mtime_ns, stat.st_size, sys.version, sys.platform]
    cache = f"{cache_dir}/lock.json"
    try:
        with open(cache, encoding="utf-8") as file:
            plain = json.load(file)
        if plain["schema"] == _SCHEMA and plain["key"] == key:
            known: dict[str, str] = plain["packages"]
            return known
    except (OSError, ValueError, LookupError, TypeError):
        pass  # it is made again
    packages = dict(_read(path))
    if cache_dir:
        _write(cache, {"schema": _SCHEMA, "key": key, "packages": packages})
    return packages


def _read(path: str) -> Iterator[tuple[str, str]]:
    """Yield name and version of each package whose marker fits."""
    import tomllib

    from packaging.markers import Marker

    try:
        with open(path, "rb") as file:
            plain = tomllib.load(file)
    except (OSError, ValueError) as cause:
        raise _unreadable(path, str(cause)) from cause
    for package in plain.get("packages", []):
        marker = package.get("marker")
        if marker is None or Marker(marker).evaluate({"extra": ""}):
            yield canonical(package["name"]), str(package.get("version", ""))


def _write(path: str, plain: object) -> None:
    own = f"{path}.{os.getpid()}.tmp"
    try:
        os.makedirs(os.path.dirname(path), exist_ok=True)
        with open(own, "w", encoding="utf-8") as file:
            json.dump(plain, file)
        os.replace(own, path)
    except OSError:
        return  # a read-only project: the next check is as slow as this one


def _unreadable(path: str, why: str) -> PolicyError:
    return PolicyError(
        "KDL-POL-030",
        "the lock of the plugins cannot be read",
        why=why,
        where=path,
        hint="kindling plugins lock, and commit the file",
    )
