"""The root role: which keys sign what. Made, rotated and signed by several people; kept in `keys/`.

A new root counts when enough keys of the old root and of itself have signed it. Until then it stands in
`keys/pending.root.json`, and each key holder adds a signature.
Source: The Update Framework specification 1.0.31, section 5.3 and 6.1, read 2026-11.
"""

from __future__ import annotations

from datetime import timedelta
from typing import TYPE_CHECKING

from kindling.errors import PolicyError, UsageError
from kindling_plugin_registry.formats import write_file
from kindling_plugin_registry.operator.keys import check_outside, make_key, missing_keys

if TYPE_CHECKING:
    from collections.abc import Mapping
    from datetime import datetime
    from pathlib import Path

    from securesystemslib.signer import CryptoSigner
    from tuf.api.metadata import Metadata, Root
    from tuf.api.serialization.json import JSONSerializer

    from kindling_plugin_registry.operator.source import Source
    from kindling_plugin_registry.records import RegistrySettings

ROLES = ("root", "targets", "snapshot", "timestamp")
PENDING = "pending.root.json"


def make_root(
    source: Source, keys: Path, settings: RegistrySettings, root_keys: int, at: datetime
) -> Metadata[Root]:
    """Generate all keys and write the first root, signed by all its keys.

    Args:
        source: The registry.
        keys: Folder for the private keys, outside of the registry.
        settings: Thresholds and expiry by role.
        root_keys: How many root keys to make, at least their threshold.
        at: The present time.
    """
    from tuf.api.metadata import Metadata, Root

    check_outside(keys, source.folder)
    counts = {
        role: root_keys if role == "root" else getattr(settings.roles, role).threshold for role in ROLES
    }
    root = Root(expires=_expiry(settings, at), consistent_snapshot=True)
    signers: list[CryptoSigner] = []
    for role in ROLES:
        made = [make_key(keys, role) for _ in range(counts[role])]
        for signer in made:
            root.add_key(signer.public_key, role)
        root.roles[role].threshold = getattr(settings.roles, role).threshold
        signers += made if role == "root" else []
    signed = Metadata(root)
    for signer in signers:
        signed.sign(signer, append=True)
    _keep(source, signed)
    return signed


def check_rootless(source: Source) -> None:
    """Refuse to make a first root where there is one.

    Raises:
        UsageError: KDL-REG-014, there is one.
    """
    paths = root_paths(source)
    if paths:
        raise UsageError(
            "KDL-REG-014",
            "the registry has a root already",
            why="clients trust it; another first root would be refused by all of them",
            where=str(paths[-1]),
            hint="kindling registry keys rotate ROLE",
        )


def root_paths(source: Source) -> list[Path]:
    """Return all signed roots, oldest first."""
    found = [path for path in source.keys.glob("*.root.json") if path.name.split(".")[0].isdecimal()]
    return sorted(found, key=lambda path: int(path.name.split(".")[0]))


def latest_root(source: Source) -> Metadata[Root]:
    """Return the newest signed root.

    Raises:
        PolicyError: KDL-REG-008, there is none.
    """
    from tuf.api.metadata import Metadata

    paths = root_paths(source)
    if not paths:
        raise PolicyError(
            "KDL-REG-008",
            f"the registry {str(source.folder)!r} has no signed root",
            why=f"there is no file N.root.json in {str(source.keys)!r}",
            hint="git checkout keys, or kindling registry init for a new registry",
        )
    found: Metadata[Root] = Metadata.from_file(str(paths[-1]))
    return found


def rotate(
    source: Source, role: str, keys: Path, signers: Mapping[str, CryptoSigner], at: datetime
) -> tuple[bool, list[str]]:
    """Replace all keys of a role by new ones; sign the new root with the keys at hand.

    Args:
        source: The registry.
        role: One of `ROLES`.
        keys: Folder for the new private keys.
        signers: Keys at hand, by id: those that sign the new root.
        at: The present time.

    Returns:
        Whether the new root counts already, and the ids of the new keys.

    Raises:
        UsageError: KDL-REG-009, another new root waits for signatures.
    """
    from tuf.api.metadata import Metadata

    check_outside(keys, source.folder)
    if (source.keys / PENDING).exists():
        raise UsageError(
            "KDL-REG-009",
            f"the keys of {role!r} cannot be rotated now",
            why="another new root waits for signatures",
            where=str(source.keys / PENDING),
            hint="kindling registry keys sign --keys FOLDER, or delete the file",
        )
    root = latest_root(source).signed
    old = list(root.roles[role].keyids)
    made = [make_key(keys, role) for _ in old]
    for signer in made:
        root.add_key(signer.public_key, role)
    for keyid in old:
        root.revoke_key(keyid, role)
    root.version += 1
    root.expires = _expiry(source.settings(), at)
    own = {**signers, **({s.public_key.keyid: s for s in made} if role == "root" else {})}
    return sign_pending(source, Metadata(root), own), [signer.public_key.keyid for signer in made]


def renew(source: Source, signers: Mapping[str, CryptoSigner], at: datetime) -> bool:
    """Write a root with the same keys and a later expiry; return whether it counts already."""
    from tuf.api.metadata import Metadata

    root = latest_root(source).signed
    root.version += 1
    root.expires = _expiry(source.settings(), at)
    return sign_pending(source, Metadata(root), signers)


def pending_root(source: Source) -> Metadata[Root]:
    """Return the root that waits for signatures.

    Raises:
        UsageError: KDL-REG-009, none does.
    """
    from tuf.api.metadata import Metadata

    path = source.keys / PENDING
    if not path.exists():
        raise UsageError(
            "KDL-REG-009",
            "there is no new root to sign",
            why=f"there is no {PENDING}",
            where=str(path),
            hint="kindling registry keys rotate ROLE",
        )
    found: Metadata[Root] = Metadata.from_file(str(path))
    return found


def sign_pending(source: Source, new: Metadata[Root], signers: Mapping[str, CryptoSigner]) -> bool:
    """Add the signatures of the keys at hand to a new root, and keep it: as pending, or for good.

    Returns:
        Whether enough keys of the old and of the new root have signed.

    Raises:
        PolicyError: KDL-REG-007, no key at hand may sign it.
    """
    old = latest_root(source)
    wanted = list(dict.fromkeys([*old.signed.roles["root"].keyids, *new.signed.roles["root"].keyids]))
    usable = [signers[keyid] for keyid in wanted if keyid in signers]
    if not usable:
        raise missing_keys("root", wanted, signers, old.signed.roles["root"].threshold)
    for signer in usable:
        new.sign(signer, append=True)
    found = new.signed.get_root_verification_result(old.signed, new.signed_bytes, new.signatures)
    if found.verified:
        _keep(source, new)
        (source.keys / PENDING).unlink(missing_ok=True)
    else:
        write_file(source.keys / PENDING, new.to_bytes(_pretty()))
    return bool(found.verified)


def _keep(source: Source, root: Metadata[Root]) -> None:
    write_file(source.keys / f"{root.signed.version}.root.json", root.to_bytes(_pretty()))


def _pretty() -> JSONSerializer:
    from tuf.api.serialization.json import JSONSerializer

    return JSONSerializer(compact=False)


def _expiry(settings: RegistrySettings, at: datetime) -> datetime:
    return at.replace(microsecond=0) + timedelta(days=settings.roles.root.expires_days)
