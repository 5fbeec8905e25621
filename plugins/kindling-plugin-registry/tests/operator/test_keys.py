from __future__ import annotations

import stat
from datetime import timedelta
from typing import TYPE_CHECKING, Any

import pytest
from kindling_plugin_registry.operator.keys import check_outside, load_keys, make_key
from kindling_plugin_registry.operator.roots import check_rootless, latest_root, pending_root, rotate
from kindling_plugin_registry.operator.source import now

from kindling.errors import PolicyError, UsageError

if TYPE_CHECKING:
    from pathlib import Path


def test_keys_are_private_and_read_back(tmp_path: Path) -> None:
    signer = make_key(tmp_path / "keys", "root")
    (path,) = (tmp_path / "keys").iterdir()
    assert stat.S_IMODE(path.stat().st_mode) == 0o600
    assert stat.S_IMODE(path.parent.stat().st_mode) == 0o700
    assert list(load_keys([tmp_path / "keys"])) == [signer.public_key.keyid]


def test_a_key_that_others_may_read_is_refused(tmp_path: Path) -> None:
    make_key(tmp_path, "root")
    (path,) = tmp_path.iterdir()
    path.chmod(0o644)
    with pytest.raises(PolicyError) as caught:
        load_keys([tmp_path])
    assert str(caught.value) == (
        f"KDL-REG-006: the key {path.name!r} cannot be used\n  why: other users may read it\n"
        f"  where: {path}\n  do: chmod 600 {path}"
    )


def test_files_that_are_no_keys_are_refused(tmp_path: Path) -> None:
    from cryptography.hazmat.primitives.asymmetric.ec import SECP256R1, generate_private_key
    from cryptography.hazmat.primitives.serialization import Encoding, NoEncryption, PrivateFormat

    path = tmp_path / "x.pem"
    path.touch(mode=0o600)
    with pytest.raises(PolicyError, match="KDL-REG-006") as caught:
        load_keys([tmp_path])
    assert caught.value.why == "it is not an unencrypted private key in PEM"
    key = generate_private_key(SECP256R1())
    path.write_bytes(key.private_bytes(Encoding.PEM, PrivateFormat.PKCS8, NoEncryption()))
    with pytest.raises(PolicyError, match="KDL-REG-006") as caught:
        load_keys([tmp_path])
    assert caught.value.why == "it is not an ed25519 key"


def test_a_folder_without_keys_is_told(tmp_path: Path) -> None:
    with pytest.raises(PolicyError) as caught:
        load_keys([tmp_path])
    assert str(caught.value) == (
        f"KDL-REG-006: the folder {str(tmp_path)!r} cannot be used for keys\n"
        "  why: there are no *.pem files in it\n"
        "  do: --keys FOLDER that kindling registry init wrote keys to"
    )


def test_keys_never_stand_in_the_registry(tmp_path: Path) -> None:
    (tmp_path / "link").symlink_to(tmp_path / "registry")
    for place in ("registry", "registry/keys", "link/keys"):
        with pytest.raises(UsageError) as caught:
            check_outside(tmp_path / place, tmp_path / "registry")
        assert str(caught.value) == (
            f"KDL-REG-005: private keys cannot be written to {str(tmp_path / place)!r}\n"
            f"  why: it is inside the registry {str(tmp_path / 'registry')!r}, which is published\n"
            "  do: --keys FOLDER outside of the registry"
        )
    check_outside(tmp_path / "registry-keys", tmp_path / "registry")


def test_one_root_is_changed_at_a_time(shop: Any) -> None:
    with pytest.raises(UsageError) as caught:
        pending_root(shop.source)
    path = shop.source.keys / "pending.root.json"
    assert str(caught.value) == (
        "KDL-REG-009: there is no new root to sign\n  why: there is no pending.root.json\n"
        f"  where: {path}\n  do: kindling registry keys rotate ROLE"
    )
    one = {key: signer for key, signer in load_keys([shop.keys]).items() if key in _root_keys(shop)[:1]}
    rotate(shop.source, "timestamp", shop.folder / "new", one, now())
    with pytest.raises(UsageError) as caught:
        rotate(shop.source, "snapshot", shop.folder / "new", one, now() + timedelta(days=1))
    assert str(caught.value) == (
        "KDL-REG-009: the keys of 'snapshot' cannot be rotated now\n"
        f"  why: another new root waits for signatures\n  where: {path}\n"
        "  do: kindling registry keys sign --keys FOLDER, or delete the file"
    )


def test_a_lost_root_is_told(shop: Any) -> None:
    (shop.source.keys / "1.root.json").unlink()
    with pytest.raises(PolicyError) as caught:
        latest_root(shop.source)
    assert str(caught.value) == (
        f"KDL-REG-008: the registry {str(shop.source.folder)!r} has no signed root\n"
        f"  why: there is no file N.root.json in {str(shop.source.keys)!r}\n"
        "  do: git checkout keys, or kindling registry init for a new registry"
    )


def test_there_is_one_first_root(shop: Any) -> None:
    with pytest.raises(UsageError) as caught:
        check_rootless(shop.source)
    path = shop.source.keys / "1.root.json"
    assert str(caught.value) == (
        "KDL-REG-014: the registry has a root already\n"
        "  why: clients trust it; another first root would be refused by all of them\n"
        f"  where: {path}\n  do: kindling registry keys rotate ROLE"
    )
    path.unlink()
    check_rootless(shop.source)


def _root_keys(shop: Any) -> list[str]:
    return list(latest_root(shop.source).signed.roles["root"].keyids)
