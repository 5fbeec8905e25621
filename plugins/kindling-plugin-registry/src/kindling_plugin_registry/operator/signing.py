"""Sign a built index: targets, snapshot and timestamp, with consistent snapshots. Not keys, not roots.

Nothing that a client may be reading is overwritten before `timestamp.json` is, in one rename: a client sees
the old index or the new one, also after a kill.
Source: The Update Framework specification 1.0.31, sections 5 and 6.2, read 2026-11.
"""

from __future__ import annotations

import json
import os
from datetime import datetime, timedelta, timezone
from typing import TYPE_CHECKING, TypeVar

from msgspec import Struct

from kindling.errors import PolicyError
from kindling_plugin_registry.formats import write_file
from kindling_plugin_registry.operator.keys import missing_keys
from kindling_plugin_registry.operator.roots import latest_root, root_paths

if TYPE_CHECKING:
    from collections.abc import Mapping
    from pathlib import Path

    from securesystemslib.signer import CryptoSigner
    from tuf.api.metadata import Root, Snapshot, Targets, Timestamp

    from kindling_plugin_registry.operator.source import Source

Role = TypeVar("Role", "Targets", "Snapshot", "Timestamp")
TARGETS = ("advisories.json", "capabilities.json", "files.json", "index.json", "policy.json")
KEPT = 3
"""Snapshots and targets that are kept for clients that are reading them, the newest ones."""
_DIGITS = 64  # of a SHA-256
_FIRST_DAY = datetime(2026, 1, 1, tzinfo=timezone.utc)


class Signatures(Struct, frozen=True):
    """What was signed: version by role, and when each signature ends."""

    versions: dict[str, int]
    expires: dict[str, str]


def sign(source: Source, signers: Mapping[str, CryptoSigner], at: datetime, role: str = "") -> Signatures:
    """Sign the built index.

    Args:
        source: The registry, built before.
        signers: Keys by id.
        at: The present time; signatures end so many days later as `registry.toml` says for the role.
        role: `timestamp` renews that signature alone, `snapshot` those two; by default all three are made.

    Raises:
        PolicyError: KDL-REG-007, keys are missing; KDL-REG-008, no root or nothing to sign;
            KDL-REG-010, the root has expired.
    """
    root = latest_root(source)
    if root.signed.is_expired(at):
        raise PolicyError(
            "KDL-REG-010",
            f"root {root.signed.version} has expired",
            why=f"its signature ended on {root.signed.expires:%Y-%m-%d}; clients refuse everything below it",
            hint="kindling registry keys renew --keys FOLDER",
        )
    writer = _Writer(source, root.signed, signers, at)
    writer.publish_roots()
    if role in {"", "targets"}:
        writer.write_targets()
    if role in {"", "targets", "snapshot"}:
        writer.write_snapshot()
    writer.write_timestamp()
    writer.sweep()
    return Signatures(writer.versions, writer.expires)


class _Writer:
    """Makes and writes the roles one after the other, each naming the one before."""

    def __init__(self, source: Source, root: Root, signers: Mapping[str, CryptoSigner], at: datetime) -> None:
        self.source = source
        self.metadata = source.dist / "metadata"
        self.root = root
        self.signers = signers
        self.at = at.replace(microsecond=0)
        self.settings = source.settings().roles
        self.versions: dict[str, int] = {"root": root.version}
        self.expires: dict[str, str] = {"root": f"{root.expires:%Y-%m-%dT%H:%M:%SZ}"}
        self.timestamp = self._previous_timestamp()

    def publish_roots(self) -> None:
        paths = root_paths(self.source)
        for path in paths:
            target = self.metadata / path.name
            content = path.read_bytes()
            if not target.exists() or target.read_bytes() != content:
                write_file(target, content)
        write_file(self.metadata / "root.json", paths[-1].read_bytes())

    def write_targets(self) -> None:
        from tuf.api.metadata import TargetFile, Targets

        folder = self.source.dist / "targets"
        missing = [name for name in TARGETS if not (folder / name).is_file()]
        if missing:
            raise PolicyError(
                "KDL-REG-008",
                f"there is nothing to sign in {str(self.source.dist)!r}",
                why=f"missing: {', '.join(missing)}",
                hint="kindling registry build",
            )
        files = {name: TargetFile.from_file(name, str(folder / name), ["sha256"]) for name in TARGETS}
        for name, file in files.items():
            write_file(folder / f"{file.hashes['sha256']}.{name}", (folder / name).read_bytes())
        made = Targets(version=self._next("targets"), expires=self._end("targets"), targets=files)
        self._write("targets", made, f"{made.version}.targets.json")

    def write_snapshot(self) -> None:
        from tuf.api.metadata import MetaFile, Snapshot

        version = self.versions.get("targets") or self._targets_version()
        made = Snapshot(
            version=self._next("snapshot"),
            expires=self._end("snapshot"),
            meta={"targets.json": MetaFile(version=version)},
        )
        self._write("snapshot", made, f"{made.version}.snapshot.json")

    def write_timestamp(self) -> None:
        from tuf.api.metadata import MetaFile, Timestamp

        version = self.versions.get("snapshot") or self._snapshot_version()
        content = (self.metadata / f"{version}.snapshot.json").read_bytes()
        made = Timestamp(
            version=self._next("timestamp"),
            expires=self._end("timestamp"),
            snapshot_meta=MetaFile.from_data(version, content, ["sha256"]),
        )
        self._write("timestamp", made, "timestamp.json")

    def sweep(self) -> None:
        """Delete what only older signatures name: clients that are reading follow one of the newest few."""
        for role in ("snapshot", "targets"):
            for path in sorted(self.metadata.glob(f"*.{role}.json"), key=_version)[:-KEPT]:
                path.unlink()
        sweep_hashed(self.source.dist)

    def _write(self, role: str, made: Role, name: str) -> None:
        from tuf.api.metadata import Metadata

        rule = self.root.roles[role]
        usable = [self.signers[keyid] for keyid in rule.keyids if keyid in self.signers]
        if len(usable) < rule.threshold:
            raise missing_keys(role, rule.keyids, self.signers, rule.threshold)
        signed = Metadata(made)
        for signer in usable:
            signed.sign(signer, append=True)
        write_file(self.metadata / name, signed.to_bytes())
        self.versions[role] = made.version
        self.expires[role] = f"{made.expires:%Y-%m-%dT%H:%M:%SZ}"

    def _end(self, role: str) -> datetime:
        return self.at + timedelta(days=getattr(self.settings, role).expires_days)

    def _next(self, role: str) -> int:
        """Return the next version: minutes since 2026, so that it grows even where `dist/` was lost."""
        minutes = int((self.at - _FIRST_DAY).total_seconds() // 60)
        if role == "timestamp":
            previous = self.timestamp.version if self.timestamp else 0
        else:
            previous = max((_version(path) for path in self.metadata.glob(f"*.{role}.json")), default=0)
        return max(previous + 1, minutes)

    def _previous_timestamp(self) -> Timestamp | None:
        from tuf.api.metadata import Metadata, Timestamp

        path = self.metadata / "timestamp.json"
        return Metadata[Timestamp].from_file(str(path)).signed if path.exists() else None

    def _snapshot_version(self) -> int:
        if self.timestamp is None:
            raise PolicyError(
                "KDL-REG-008",
                f"there is nothing to renew in {str(self.source.dist)!r}",
                why="it was never signed",
                hint="kindling registry sign",
            )
        return self.timestamp.snapshot_meta.version

    def _targets_version(self) -> int:
        from tuf.api.metadata import Metadata, Snapshot

        path = self.metadata / f"{self._snapshot_version()}.snapshot.json"
        return Metadata[Snapshot].from_file(str(path)).signed.meta["targets.json"].version


def sweep_hashed(dist: Path) -> None:
    """Delete files under a hash that no signed `targets` names, by itself or by its `files.json`."""
    wanted: set[str] = set()
    for path in (dist / "metadata").glob("*.targets.json"):
        listed = json.loads(path.read_bytes())["signed"]["targets"]
        digests = {name: str(item["hashes"]["sha256"]) for name, item in listed.items()}
        wanted |= set(digests.values())
        files = (dist / "targets" / f"{digests['files.json']}.files.json").read_bytes()
        wanted |= {digest for digest, _ in json.loads(files)["files"].values()}
    for folder in ("targets", "plugins", "readme"):
        for name in os.listdir(dist / folder) if (dist / folder).is_dir() else ():  # noqa: PTH208  # names only
            digest, _, rest = name.partition(".")
            is_old = rest and len(digest) == _DIGITS and digest not in wanted
            if is_old or (name.startswith(".") and name.endswith(".new")):  # or a killed build left it
                (dist / folder / name).unlink()


def _version(path: Path) -> int:
    return int(path.name.partition(".")[0])
