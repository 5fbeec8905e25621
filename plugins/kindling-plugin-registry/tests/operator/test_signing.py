"""Attacks on a signed index, against the real client of python-tuf."""

from __future__ import annotations

import json
import shutil
from datetime import timedelta
from typing import TYPE_CHECKING, Any

import pytest
from kindling_plugin_registry.operator.keys import load_keys, make_key
from kindling_plugin_registry.operator.roots import renew, rotate, sign_pending
from kindling_plugin_registry.operator.signing import KEPT, sign
from kindling_plugin_registry.operator.source import now

from kindling.errors import InfrastructureError, PolicyError

if TYPE_CHECKING:
    from pathlib import Path


def split_keys(shop: Any) -> tuple[Path, Path, Path]:
    """Move the keys apart: two root keys, one root key, the online keys."""
    places = tuple(shop.folder / name for name in ("two", "one", "online"))
    for place in places:
        place.mkdir()
    roots = sorted(shop.keys.glob("root-*.pem"))
    for path in shop.keys.glob("*.pem"):
        place = places[2] if path not in roots else places[0] if path in roots[:2] else places[1]
        shutil.move(path, place / path.name)
    return places  # type: ignore[return-value]  # three of them


def put_back(shop: Any, old: Path) -> None:
    shutil.rmtree(shop.source.dist)
    shutil.copytree(old, shop.source.dist)


def test_a_signed_index_is_verified_and_its_pages_read(shop: Any) -> None:
    shop.add()
    shop.publish()
    found = shop.verify()
    assert [entry["n"] for entry in json.loads(found.targets["index.json"])["plugins"]] == [
        "kindling-plugin-sample"
    ]
    page = json.loads(found.read("plugins/kindling-plugin-sample.json"))
    assert page["releases"][0]["version"] == "1.0.0"


def test_an_index_that_was_put_back_is_refused(shop: Any) -> None:
    shop.add()
    shop.publish()
    old = shop.copy("old")
    shop.add(version="1.1.0")
    shop.publish(1)
    shop.verify()
    put_back(shop, old)
    with pytest.raises(PolicyError, match="KDL-REG-030") as caught:
        shop.verify()
    assert "timestamp version" in caught.value.why
    shop.verify("another client, which never saw the newer one")


def test_more_than_the_signed_length_is_refused(shop: Any) -> None:
    shop.add()
    shop.publish()
    for path in (shop.source.dist / "targets").glob("*.index.json"):
        path.write_bytes(path.read_bytes() + b" ")
    with pytest.raises(PolicyError, match="KDL-REG-030: the index is refused") as caught:
        shop.verify()
    assert "bytes" in caught.value.why


def test_an_expired_timestamp_is_refused_until_it_is_renewed(shop: Any) -> None:
    shop.add()
    shop.build()
    shop.sign(at=now() - timedelta(days=8))
    with pytest.raises(PolicyError) as caught:
        shop.verify()
    assert str(caught.value) == (
        f"KDL-REG-030: the index is refused\n  why: timestamp.json is expired\n"
        f"  where: {shop.source.dist.as_uri()}/\n  do: tell the registry's operator; do not install from it"
    )
    before = shop.document("targets/index.json")
    made = shop.sign("timestamp")
    assert set(made.versions) == {"root", "timestamp"}
    assert json.loads(shop.verify().targets["index.json"]) == before


def test_parts_of_two_indexes_are_refused(shop: Any) -> None:
    shop.add()
    shop.publish()
    old = max((shop.source.dist / "metadata").glob("*.snapshot.json")).read_bytes()
    shop.add(version="1.1.0")
    shop.publish(1)
    max((shop.source.dist / "metadata").glob("*.snapshot.json")).write_bytes(old)
    with pytest.raises(PolicyError, match="KDL-REG-030"):
        shop.verify()


def test_a_foreign_key_is_refused(shop: Any, tmp_path: Path) -> None:
    shop.add()
    shop.publish()
    path = shop.source.dist / "metadata" / "timestamp.json"
    from tuf.api.metadata import Metadata

    signed: Any = Metadata.from_file(str(path))
    signed.signed.version += 5
    signed.sign(make_key(tmp_path / "foreign", "timestamp"))
    signed.to_file(str(path))
    with pytest.raises(PolicyError) as caught:
        shop.verify()
    assert caught.value.why == "timestamp was signed by 0/1 keys"


@pytest.mark.parametrize("name", ["index.json", "files.json", "policy.json"])
def test_a_changed_document_is_refused(shop: Any, name: str) -> None:
    shop.add()
    shop.publish()
    for path in (shop.source.dist / "targets").glob(f"*{name}"):
        path.write_bytes(path.read_bytes().replace(b"kindling", b"kindlinh", 1))
    with pytest.raises(PolicyError, match="KDL-REG-030"):
        shop.verify()


def test_a_changed_page_is_refused(shop: Any) -> None:
    shop.add()
    shop.publish()
    found = shop.verify()
    for path in (shop.source.dist / "plugins").iterdir():
        path.write_bytes(path.read_bytes().replace(b"Apache-2.0", b"Apache-3.0"))
    with pytest.raises(PolicyError) as caught:
        found.read("plugins/kindling-plugin-sample.json")
    assert caught.value.why == (
        "'plugins/kindling-plugin-sample.json' has another SHA-256 than the signed list says"
    )
    for path in (shop.source.dist / "plugins").iterdir():
        path.write_bytes(path.read_bytes() + b" ")
    with pytest.raises(PolicyError, match="KDL-REG-030") as caught:
        found.read("plugins/kindling-plugin-sample.json")
    assert "is larger than" in caught.value.why


def test_an_index_without_signatures_is_refused(shop: Any) -> None:
    shop.add()
    shop.build()
    with pytest.raises(InfrastructureError, match="KDL-REG-031"):
        shop.verify()


def test_a_new_root_that_one_of_three_signed_does_not_count(shop: Any) -> None:
    shop.add()
    shop.publish()
    shop.verify()
    two, one, online = split_keys(shop)
    is_done, _ = rotate(shop.source, "timestamp", shop.folder / "new", load_keys([one]), now())
    assert not is_done
    pending = shop.source.keys / "pending.root.json"
    forged = shop.source.dist / "metadata" / "2.root.json"
    forged.write_bytes(pending.read_bytes())
    with pytest.raises(PolicyError) as caught:
        shop.verify()
    assert caught.value.why == "root was signed by 1/2 keys"
    forged.unlink()
    from kindling_plugin_registry.operator.roots import pending_root

    assert sign_pending(shop.source, pending_root(shop.source), load_keys([two]))
    assert not pending.exists()
    sign(shop.source, load_keys([online, shop.folder / "new"]), now() + timedelta(minutes=1))
    shop.verify()


def test_lost_online_keys_are_replaced_by_two_of_three_root_keys(shop: Any) -> None:
    shop.add()
    shop.publish()
    shop.verify()
    two, _, online = split_keys(shop)
    shutil.rmtree(online)
    new = shop.folder / "new"
    for role in ("timestamp", "snapshot", "targets"):
        is_done, made = rotate(shop.source, role, new, load_keys([two]), now())
        assert is_done
        assert len(made) == 1
    sign(shop.source, load_keys([new]), now() + timedelta(minutes=1))
    found = shop.verify()
    assert json.loads(found.targets["index.json"])["plugins"]
    assert len(list((shop.source.dist / "metadata").glob("*.root.json"))) == 4


def test_root_keys_themselves_are_rotated_by_old_and_new_ones(shop: Any) -> None:
    shop.add()
    shop.publish()
    shop.verify()
    two, one, online = split_keys(shop)
    new = shop.folder / "new"
    is_done, made = rotate(shop.source, "root", new, load_keys([two]), now())
    assert is_done
    assert len(made) == 3
    sign(shop.source, load_keys([online]), now() + timedelta(minutes=1))
    shop.verify()
    shop.verify("a client that starts with the first root")
    with pytest.raises(PolicyError, match="KDL-REG-007"):  # the old root keys decide nothing any more
        renew(shop.source, load_keys([one, two]), now())
    assert renew(shop.source, load_keys([new]), now())


def test_a_stolen_key_that_ran_ahead_is_recovered_from(shop: Any) -> None:
    shop.add()
    shop.publish()
    honest = shop.copy("honest")
    shop.sign(at=now() + timedelta(days=300))  # the thief signs with versions of the far future
    shop.verify()
    put_back(shop, honest)
    with pytest.raises(PolicyError, match="KDL-REG-030"):
        shop.verify()
    root_keys = load_keys([shop.keys])
    for role in ("timestamp", "snapshot"):
        assert rotate(shop.source, role, shop.folder / "new", root_keys, now())[0]
    sign(shop.source, load_keys([shop.keys, shop.folder / "new"]), now())
    assert shop.verify().files


def test_versions_grow_even_where_dist_was_lost(shop: Any) -> None:
    shop.add()
    shop.publish()
    shop.verify()
    shutil.rmtree(shop.source.dist)
    shop.publish(2)
    shop.verify()


def test_files_of_old_signatures_are_kept_for_readers_and_then_deleted(shop: Any) -> None:
    for number in range(KEPT + 2):
        shop.add(version=f"1.{number}.0")
        shop.publish(number)
        if number == 1:
            reader = shop.verify()
        if number == KEPT:
            assert reader.read("plugins/kindling-plugin-sample.json")
    with pytest.raises(InfrastructureError) as caught:
        reader.read("plugins/kindling-plugin-sample.json")
    assert caught.value.why == "No such file or directory"
    hashed = [path for path in (shop.source.dist / "plugins").iterdir() if path.name.count(".") == 2]
    assert len(hashed) == KEPT


def test_missing_keys_are_told(shop: Any, tmp_path: Path) -> None:
    shop.add()
    shop.build()
    make_key(tmp_path / "foreign", "targets")
    wanted = next(shop.keys.glob("targets-*.pem")).stem.removeprefix("targets-")
    with pytest.raises(PolicyError) as caught:
        sign(shop.source, load_keys([tmp_path / "foreign"]), now())
    assert str(caught.value) == (
        "KDL-REG-007: 'targets' cannot be signed\n"
        f"  why: found 0 of the 1 keys that must sign; without: {wanted}\n"
        "  do: --keys FOLDER, repeated for several folders"
    )
    assert not (shop.source.dist / "metadata" / "timestamp.json").exists()


def test_nothing_to_sign_is_told(shop: Any) -> None:
    with pytest.raises(PolicyError) as caught:
        shop.sign()
    assert str(caught.value) == (
        f"KDL-REG-008: there is nothing to sign in {str(shop.source.dist)!r}\n"
        "  why: missing: advisories.json, capabilities.json, files.json, index.json, policy.json\n"
        "  do: kindling registry build"
    )
    with pytest.raises(PolicyError) as caught:
        shop.sign("timestamp")
    assert str(caught.value) == (
        f"KDL-REG-008: there is nothing to renew in {str(shop.source.dist)!r}\n"
        "  why: it was never signed\n  do: kindling registry sign"
    )


def test_an_expired_root_is_told_and_renewed(shop: Any) -> None:
    shop.add()
    shop.build()
    late = now() + timedelta(days=366)
    with pytest.raises(PolicyError) as caught:
        shop.sign(at=late)
    assert caught.value.code == "KDL-REG-010"
    assert caught.value.what == "root 1 has expired"
    assert caught.value.hint == "kindling registry keys renew --keys FOLDER"
    assert renew(shop.source, load_keys([shop.keys]), late)
    shop.sign(at=late)
