"""One file from which plugins are installed without a network: wheels, lock, signed slice of the index, SBOM.

The index's signatures in it are verified against the root that this machine trusts already, never against
one from the bundle; wheels of plugins by the signed pages, all other files by the hashes of the lock. Where
the project has a lock of its own, the bundle may hold nothing that is not in it.
"""

from __future__ import annotations

import io
import json
import os
import re
import tarfile
import tempfile
from hashlib import sha256
from pathlib import Path
from typing import TYPE_CHECKING

from kindling.errors import PolicyError
from kindling_plugin_registry.client.asking import say
from kindling_plugin_registry.client.billing import bill_of_lock
from kindling_plugin_registry.client.changes import Change, accept
from kindling_plugin_registry.client.downloads import fetch
from kindling_plugin_registry.client.environment import detect
from kindling_plugin_registry.client.installers import (
    Order,
    call,
    command_text,
    install_command,
)
from kindling_plugin_registry.client.installing import requirements_file
from kindling_plugin_registry.client.kernel import installed_versions, read_catalog
from kindling_plugin_registry.client.lockfile import LOCK, Lock, read_lock
from kindling_plugin_registry.client.market import Market
from kindling_plugin_registry.client.recording import record_requests, with_requests
from kindling_plugin_registry.client.refreshing import refresh
from kindling_plugin_registry.client.registries import open_client
from kindling_plugin_registry.client.syncing import refuse_dangerous

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from kindling_plugin_registry.client.copies import Copy
    from kindling_plugin_registry.client.lockfile import Locked, LockedFile
    from kindling_plugin_registry.client.registries import Client

SCHEMA = "kindling.bundle/1"
_NAME = re.compile(r"[A-Za-z0-9][A-Za-z0-9._+!-]*(/[A-Za-z0-9][A-Za-z0-9._+!-]*)*")
_MOST = 4 << 30
"""Most bytes of a bundle's member."""


def write_bundle(market: Market, lock: Lock, path: str, *, is_whole: bool, is_offline: bool) -> int:
    """Write a bundle; return how many packages it has.

    Effects: fetches and checks all files first; replaces `path` in one step.

    Args:
        market: The registries.
        lock: What to take.
        path: The file to write.
        is_whole: Take the files of all platforms, not only those that fit here.
        is_offline: Touch no network.
    """
    packages = [item for item in lock.packages if is_whole or item.is_needed]
    contents: dict[str, bytes] = {LOCK: Path(lock.path).read_bytes()}
    contents["sbom.cdx.json"] = json.dumps(bill_of_lock(lock), indent=2).encode()
    for item in packages:
        files = item.files if is_whole else tuple(filter(None, (item.fitting(),)))
        for file in files:
            found = fetch(
                market.client, file.url, file.filename, file.digest, file.size, is_offline=is_offline
            )
            contents[f"wheels/{file.filename}"] = Path(found).read_bytes()
    for copy in market.copies:
        if copy.registry.name in lock.table("registries"):
            contents.update(_slice(market, copy, lock))
    listed = {name: sha256(content).hexdigest() for name, content in sorted(contents.items())}
    head = json.dumps({"schema": SCHEMA, "files": listed}, sort_keys=True).encode()
    own = f"{path}.{os.getpid()}.new"
    with tarfile.open(own, "w", format=tarfile.PAX_FORMAT) as archive:
        for name, content in [("bundle.json", head), *sorted(contents.items())]:
            member = tarfile.TarInfo(name)
            member.size, member.mode = len(content), 0o644
            archive.addfile(member, io.BytesIO(content))
    os.replace(own, path)
    return len(packages)


def _slice(market: Market, copy: Copy, lock: Lock) -> Iterator[tuple[str, bytes]]:
    """Yield the signed part of an index in the form in which a registry serves it."""
    registry = copy.registry
    base = f"index/{registry.name}"
    metadata = Path(registry.folder) / "metadata"
    for role in ("timestamp", "snapshot", "targets", "root"):
        content = (metadata / f"{role}.json").read_bytes()
        version = json.loads(content)["signed"]["version"]
        yield f"{base}/metadata/{'' if role == 'timestamp' else f'{version}.'}{role}.json", content
    for path in sorted((metadata / "root_history").glob("*.root.json")):
        yield f"{base}/metadata/{path.name}", path.read_bytes()
    for name in ("index.json", "capabilities.json", "files.json", "advisories.json", "policy.json"):
        yield f"{base}/targets/{copy.digest_of(name)}.{name}", copy.document(name)
    for name, facts in lock.table("plugins").items():
        line = copy.find(name)
        if facts.get("registry") == registry.name and line is not None:
            market.page(copy, line)  # fetches and checks it
            content = (Path(registry.folder) / "pages" / line.page).read_bytes()
            yield f"{base}/plugins/{line.page}.{name}.json", content


def install_bundle(
    path: str, backend: str, *, dry_run: bool, says_yes: bool, accepted: Sequence[str]
) -> None:
    """Verify a bundle and install it. Touches no network.

    Raises:
        PolicyError: KDL-REG-160, it is no bundle; KDL-REG-161, a part of it is refused.
        KindlingError: Signatures are refused; a person or policy says no; the installer failed.
    """
    client = open_client(os.getcwd())
    with tempfile.TemporaryDirectory(prefix="kindling-bundle-") as folder:
        _unpack(path, folder)
        lock = read_lock(folder)
        if lock is None:
            raise _refused(path, f"it has no {LOCK}")
        market = Market(client, tuple(_verified(client, lock, folder)), is_offline=True)
        chosen = _check(client, market, lock, folder)
        for text in refuse_dangerous(market, [item for item, _ in chosen]):
            say(f"warning: {text}")
        changes = _changes(client, lock)
        say("".join(change.text() for change in changes))
        installed = installed_versions()
        lines = [
            f"{item.name} @ {Path(folder, 'wheels', file.filename).as_uri()} --hash=sha256:{file.digest}"
            for item, file in chosen
            if installed.get(item.name) != item.version
        ]
        environment = detect()
        with requirements_file(lines) as file:
            order = Order(file, is_offline=True, is_exact=True)
            command = install_command(environment, environment.backend(backend), order)
            say(command_text(command))
            if dry_run or backend == "print":
                return
            accept(client.rules, changes, says_yes=says_yes, accepted=accepted)
            if lines:
                call(command)
        requests = lock.facts.get("requests")
        asked = [str(item) for item in requests] if isinstance(requests, list) else []
        record_requests(client.settings_file, with_requests(client.requests, asked))
        say(f"installed {len(lines)} packages of the bundle")


def _unpack(path: str, folder: str) -> None:
    """Unpack regular files whose names and hashes the bundle's own list has, and no others."""
    try:
        with tarfile.open(path, "r:") as archive:
            members = {item.name: item for item in archive.getmembers()}
            head = archive.extractfile(members["bundle.json"])
            plain = json.loads(head.read()) if head is not None else {}
            if plain.get("schema") != SCHEMA:
                raise _no_bundle(path, f"its schema is {plain.get('schema')!r}, expected {SCHEMA!r}")
            if set(members) - {"bundle.json"} != set(plain["files"]):
                raise _refused(path, "it holds other files than its list says")
            for name, digest in plain["files"].items():
                member = members[name]
                if not (member.isreg() and _NAME.fullmatch(name) and member.size < _MOST) or ".." in name:
                    raise _refused(path, f"{name!r} is no plain file")
                content = archive.extractfile(member)
                data = content.read() if content is not None else b""
                if sha256(data).hexdigest() != digest:
                    raise _refused(path, f"{name!r} has another SHA-256 than its list says")
                target = Path(folder, name)
                target.parent.mkdir(parents=True, exist_ok=True)
                target.write_bytes(data)
    except (OSError, ValueError, LookupError, TypeError, AttributeError, tarfile.TarError) as cause:
        raise _no_bundle(path, str(cause)) from cause


def _verified(client: Client, lock: Lock, folder: str) -> Iterator[Copy]:
    """Yield the verified copies of the bundle's indexes; then those that this machine has, if any."""
    from kindling_plugin_registry.client.copies import read_copy

    for name in lock.table("registries"):
        registry = client.registry(name)
        place = Path(folder, "index", name)
        own = Path(folder, "verified", name)
        yield refresh(registry, url=f"{place}/", folder=str(own))
        known = read_copy(registry)
        if known is not None:
            yield known  # what it knows to be revoked stays revoked


def _check(client: Client, market: Market, lock: Lock, folder: str) -> list[tuple[Locked, LockedFile]]:
    """Return the files to install, each vouched for."""
    project = read_lock(client.project) if client.project else None
    trusted = {file.digest for item in project.packages for file in item.files} if project else None
    plugins = lock.table("plugins")
    found = []
    for item in lock.packages:
        if not item.is_needed:
            continue
        file = item.fitting()
        if file is None or not Path(folder, "wheels", file.filename).is_file():
            raise _refused(item.name, "the bundle has no file of it for this Python")
        content = Path(folder, "wheels", file.filename).read_bytes()
        if sha256(content).hexdigest() != file.digest:
            raise _refused(file.filename, "it has another SHA-256 than the bundle's lock says")
        if item.name in plugins or market.owner(item.name) is not None:
            _check_plugin(market, item, file)
        if trusted is not None and file.digest not in trusted:
            raise _refused(file.filename, f"the project's own {LOCK} has no such file")
        found.append((item, file))
    return found


def _check_plugin(market: Market, item: Locked, file: LockedFile) -> None:
    """Compare a plugin's wheel with the signed page."""
    listed = market.find(item.name)
    releases = market.page(*listed).releases if listed is not None else ()
    digests = [
        artifact.sha256
        for release in releases
        if release.version == item.version
        for artifact in release.artifacts
    ]
    if file.digest not in digests:
        raise _refused(file.filename, "the signed index does not list this file")


def _changes(client: Client, lock: Lock) -> tuple[Change, ...]:
    catalog = read_catalog(client.cache, client.policy)
    installed = {item.name: item for item in catalog.distributions}
    found = []
    for name, facts in lock.table("plugins").items():
        own = installed.get(name)
        version = str(facts.get("version"))
        if own is not None and own.version == version:
            continue
        listed = facts.get("permissions")
        after = {str(item) for item in listed} if isinstance(listed, list) else set()
        before = set(own.permissions) if own is not None else set()
        publisher = str(facts.get("publisher", ""))
        found.append(
            Change(
                name,
                own.version if own is not None else "",
                version,
                tuple(sorted(after)),
                tuple(sorted(after - before)),
                tuple(sorted(before - after)),
                publisher,
                publisher,
            )
        )
    return tuple(found)


def _no_bundle(path: str, why: str) -> PolicyError:
    return PolicyError(
        "KDL-REG-160",
        f"{path!r} is no bundle",
        why=why,
        hint="kindling plugins bundle, on a machine with a network",
    )


def _refused(what: str, why: str) -> PolicyError:
    return PolicyError(
        "KDL-REG-161",
        f"{os.path.basename(what)!r} is refused",
        why=why,
        hint="nothing was installed; make the bundle again: kindling plugins bundle",
    )
