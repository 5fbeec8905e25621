"""Private keys in a folder of their owner. Never in the registry; not their use (`signing`, `roots`)."""

from __future__ import annotations

import os
from typing import TYPE_CHECKING

from kindling.errors import PolicyError, UsageError

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence
    from pathlib import Path

    from securesystemslib.signer import CryptoSigner

PRIVATE = 0o600
OTHERS = 0o077
_SHORT = 12  # digits of a key's id in its file's name


def make_key(folder: Path, role: str) -> CryptoSigner:
    """Generate an ed25519 key and write it, PKCS 8 in PEM, mode 0600, as `<role>-<id>.pem`.

    Effects: makes the folder, mode 0700, if it is missing.
    """
    from securesystemslib.signer import CryptoSigner

    folder.mkdir(mode=0o700, parents=True, exist_ok=True)
    signer = CryptoSigner.generate_ed25519()
    path = folder / f"{role}-{signer.public_key.keyid[:_SHORT]}.pem"
    handle = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL, PRIVATE)
    with os.fdopen(handle, "wb") as file:
        file.write(signer.private_bytes)
    return signer


def load_keys(folders: Iterable[Path]) -> dict[str, CryptoSigner]:
    """Return signers by key id, of all PEM files in some folders.

    Raises:
        PolicyError: KDL-REG-006, a file may be read by others, or is no private key.
    """
    found: dict[str, CryptoSigner] = {}
    for folder in folders:
        paths = sorted(folder.glob("*.pem"))
        if not paths:
            raise PolicyError(
                "KDL-REG-006",
                f"the folder {str(folder)!r} cannot be used for keys",
                why="there are no *.pem files in it",
                hint="--keys FOLDER that kindling registry init wrote keys to",
            )
        for path in paths:
            signer = _load_key(path)
            found[signer.public_key.keyid] = signer
    return found


def check_outside(keys: Path, registry: Path) -> None:
    """Refuse a folder for private keys inside the registry, which is published.

    Raises:
        UsageError: KDL-REG-005, it is inside.
    """
    if keys.resolve().is_relative_to(registry.resolve()):
        raise UsageError(
            "KDL-REG-005",
            f"private keys cannot be written to {str(keys)!r}",
            why=f"it is inside the registry {str(registry)!r}, which is published",
            hint="--keys FOLDER outside of the registry",
        )


def missing_keys(role: str, wanted: Sequence[str], found: Iterable[str], threshold: int) -> PolicyError:
    """Return the error that says that a role cannot be signed with the keys at hand."""
    present = [key for key in wanted if key in set(found)]
    absent = [key[:_SHORT] for key in wanted if key not in set(found)]
    return PolicyError(
        "KDL-REG-007",
        f"{role!r} cannot be signed",
        why=f"found {len(present)} of the {threshold} keys that must sign; without: {', '.join(absent)}",
        hint="--keys FOLDER, repeated for several folders",
        role=role,
    )


def _load_key(path: Path) -> CryptoSigner:
    from cryptography.exceptions import UnsupportedAlgorithm
    from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
    from cryptography.hazmat.primitives.serialization import load_pem_private_key
    from securesystemslib.signer import CryptoSigner

    if path.stat().st_mode & OTHERS:
        raise _unusable(path, "other users may read it", f"chmod 600 {path}")
    try:
        key = load_pem_private_key(path.read_bytes(), None)
    except (ValueError, TypeError, UnsupportedAlgorithm) as cause:
        raise _unusable(path, "it is not an unencrypted private key in PEM", "") from cause
    if not isinstance(key, Ed25519PrivateKey):
        raise _unusable(path, "it is not an ed25519 key", "")
    return CryptoSigner(key)


def _unusable(path: Path, why: str, hint: str) -> PolicyError:
    return PolicyError(
        "KDL-REG-006", f"the key {path.name!r} cannot be used", why=why, where=str(path), hint=hint
    )
