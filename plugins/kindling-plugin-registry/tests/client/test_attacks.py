"""What an attacker may do to a registry, or between it and a client: each is refused with exit 5."""

from __future__ import annotations

import json
import shutil
from datetime import datetime, timedelta, timezone
from pathlib import Path
from typing import TYPE_CHECKING

import pytest
from kindling_plugin_registry.operator.keys import load_keys
from kindling_plugin_registry.operator.roots import rotate
from tuf.api.metadata import Metadata

if TYPE_CHECKING:
    from conftest import Bench, Scratch, Servers, Shelf, WheelMaker

ORE = {"storage:ore": {"features": ["reads"]}}


def _filled(shelf: Shelf) -> None:
    shelf.add("kindling-plugin-ore", capabilities=ORE)
    shelf.publish()


def test_a_rollback_to_an_older_index_is_refused(shelf: Shelf, bench: Bench, tmp_path: Path) -> None:
    _filled(shelf)
    shutil.copytree(shelf.dist, tmp_path / "old")
    shelf.revoke("kindling-plugin-ore")
    shelf.publish(datetime.now(timezone.utc) + timedelta(minutes=2))
    bench.configure(shelf.settings())
    assert bench.plugins("search", "ore", "--refresh").code == 0
    shutil.rmtree(shelf.dist)
    shutil.copytree(tmp_path / "old", shelf.dist)
    done = bench.plugins("search", "ore", "--refresh")
    assert done.code == 5, done
    assert "KDL-REG-030" in done.err


def test_a_freeze_ends_when_the_signature_does(shelf: Shelf, bench: Bench) -> None:
    shelf.add("kindling-plugin-ore", capabilities=ORE)
    shelf.publish(datetime.now(timezone.utc) - timedelta(days=60))
    bench.configure(shelf.settings())
    done = bench.plugins("search", "ore")
    assert done.code == 5
    assert "expired" in done.err


def test_parts_of_two_indexes_are_not_mixed(shelf: Shelf, bench: Bench, tmp_path: Path) -> None:
    _filled(shelf)
    old = {path.name: path.read_bytes() for path in (shelf.dist / "metadata").glob("*.targets.json")}
    shelf.revoke("kindling-plugin-ore")
    shelf.publish(datetime.now(timezone.utc) + timedelta(minutes=2))
    newest = max(
        (shelf.dist / "metadata").glob("*.targets.json"), key=lambda path: int(path.name.split(".")[0])
    )
    newest.write_bytes(next(iter(old.values())))
    bench.configure(shelf.settings())
    done = bench.plugins("search", "ore")
    assert done.code == 5, done


@pytest.mark.parametrize(
    "part", ["targets/*index.json", "metadata/timestamp.json", "metadata/*.snapshot.json"]
)
@pytest.mark.parametrize("how", ["changed", "truncated"])
def test_a_tampered_or_truncated_index_is_refused(part: str, how: str, shelf: Shelf, bench: Bench) -> None:
    _filled(shelf)
    for path in shelf.dist.glob(part):
        content = path.read_bytes()
        bad = content.replace(b"2", b"3") if how == "changed" else content[: len(content) // 2]
        path.unlink()
        path.write_bytes(bad)
    bench.configure(shelf.settings())
    done = bench.plugins("search", "ore")
    assert done.code == 5, done
    assert not list((bench.home / "cache").rglob("current.json")), "nothing unverified is kept"


def test_a_download_that_ends_too_early_is_refused_and_nothing_of_it_is_kept(
    shelf: Shelf, desk: Bench, scratch: Scratch, servers: Servers
) -> None:
    _filled(shelf)
    cuts = {
        "timestamp.json": "KDL-REG-030",
        "index.json": "KDL-REG-030",
        "/plugins/": "KDL-REG-110",
        "/wheels/": "KDL-REG-142",
    }
    for cut, code in cuts.items():
        desk.configure(shelf.settings(url=servers.serve(shelf.dist, cut=cut).url))
        done = desk.plugins("install", "ore", "--yes")
        assert done.code == 5, done
        assert code in done.err
        assert scratch.plugins() == {}
    desk.configure(shelf.settings(url=servers.serve(shelf.dist).url))
    assert desk.plugins("install", "ore", "--yes").code == 0


def test_more_bytes_than_were_signed_are_refused(shelf: Shelf, bench: Bench, servers: Servers) -> None:
    _filled(shelf)
    for path in shelf.dist.glob("targets/*.index.json"):
        path.write_bytes(path.read_bytes() + b" " * 100)
    bench.configure(shelf.settings(url=servers.serve(shelf.dist).url))
    done = bench.plugins("search", "ore")
    assert done.code == 5, done
    assert "KDL-REG-030: the index is refused" in done.err


def test_clients_follow_replaced_keys_and_refuse_the_stolen_ones(
    shelf: Shelf, bench: Bench, tmp_path: Path
) -> None:
    _filled(shelf)
    bench.configure(shelf.settings())
    assert bench.plugins("search", "ore").code == 0
    stolen = tmp_path / "stolen"
    stolen.mkdir()
    for path in shelf.keys.glob("*.pem"):
        if path.name.startswith("timestamp-"):
            shutil.copy(path, stolen)
        if not path.name.startswith("root-"):
            path.unlink()  # the online keys are lost
    later = datetime.now(timezone.utc) + timedelta(minutes=2)
    for role in ("timestamp", "snapshot", "targets"):
        assert rotate(shelf.source, role, shelf.keys, load_keys([shelf.keys]), later)[0]
    shelf.add("kindling-plugin-gold", capabilities={"storage:gold": {}})
    shelf.publish(later)
    done = bench.plugins("search", "gold", "--refresh")
    assert "kindling-plugin-gold" in done.out, done
    honest = (shelf.dist / "metadata" / "timestamp.json").read_bytes()
    plain = Metadata.from_bytes(honest)
    plain.signed.version += 1
    plain.signatures.clear()
    plain.sign(*load_keys([stolen]).values())
    (shelf.dist / "metadata" / "timestamp.json").write_bytes(plain.to_bytes())
    forged = bench.plugins("search", "gold", "--refresh")
    assert forged.code == 5, forged
    assert "why: timestamp was signed by 0/1 keys" in forged.err


def test_no_spelling_of_a_name_goes_round_a_block_or_meets_another_plugin(
    shelf: Shelf, desk: Bench, scratch: Scratch
) -> None:
    """A known fault of other managers: lists of names were compared as they were written."""
    spelling = "Kindling_Plugin.ORE"
    _filled(shelf)
    desk.configure(f"[plugins]\nblock = [{spelling!r}]\n", shelf.settings())
    done = desk.plugins("install", "ore", "--yes")
    assert done.code == 5, done
    assert "plugins.block" in done.err
    desk.configure('[plugins]\nblock = ["kindling-plugin-ore"]\n', shelf.settings())
    assert desk.plugins("install", spelling, "--yes").code == 5
    assert scratch.plugins() == {}
    desk.configure(shelf.settings())
    assert desk.plugins("install", spelling, "--yes").code == 0
    assert set(scratch.plugins()) == {"kindling-plugin-ore"}


def test_a_changed_page_is_refused(shelf: Shelf, bench: Bench) -> None:
    _filled(shelf)
    for path in (shelf.dist / "plugins").glob("*.json"):
        content = path.read_bytes()
        path.unlink()
        path.write_bytes(content.replace(b"files", b"f1les"))
    bench.configure(shelf.settings())
    done = bench.plugins("resolve", "storage:ore")
    assert done.code == 5
    assert "KDL-REG-110: what the registry 'test' says about 'kindling-plugin-ore' is refused" in done.err


def test_a_copy_that_was_changed_on_this_machine_is_refused(shelf: Shelf, bench: Bench) -> None:
    _filled(shelf)
    bench.configure(shelf.settings())
    assert bench.plugins("search", "ore").code == 0
    folder = next((bench.home / "cache/kindling/registry").glob("test-*"))
    digest = json.loads((folder / "current.json").read_text())["files"]["lines"][0]
    (folder / digest).write_bytes((folder / digest).read_bytes().replace(b"conformant", b"verified  "))
    done = bench.plugins("search", "ore")
    assert done.code == 5
    assert "KDL-REG-105: the copy of the registry 'test' on this machine is refused" in done.err


def test_another_registrys_root_opens_nothing(shelf: Shelf, bench: Bench, tmp_path: Path) -> None:
    _filled(shelf)
    foreign = type(shelf)(tmp_path / "foreign", "foreign")
    bench.configure(shelf.settings(root=str(foreign.root)))
    assert bench.plugins("search", "ore").code == 5
    bench.configure(shelf.settings(root=str(tmp_path / "missing.json")))
    done = bench.plugins("search", "ore")
    assert done.code == 5
    assert "KDL-REG-106: the root of the registry 'test' cannot be read" in done.err


def test_a_bound_name_is_never_taken_from_another_registry(
    shelf: Shelf, bench: Bench, servers: Servers, tmp_path: Path
) -> None:
    """Dependency confusion: the public registry lists a corporate name with a higher version."""
    corp = type(shelf)(tmp_path / "corp", "corp")
    corp.add("kindling-plugin-corp-ore", "1.0.0", capabilities=ORE)
    corp.publish()
    shelf.add("kindling-plugin-corp-ore", "9.0.0", capabilities=ORE)
    shelf.add("kindling-plugin-corp-gold", "9.0.0", capabilities={"storage:gold": {}})
    shelf.publish()
    public = servers.serve(shelf.dist)
    bound = ["Kindling_Plugin.Corp-*"]
    # even where the public registry has the higher priority, a binding decides
    bench.configure(shelf.settings(url=public.url, priority=99), corp.settings(priority=1, names=bound))
    plain = bench.plugins("resolve", "storage:ore", "--json").plain()
    assert [(row["registry"], row["version"]) for row in plain["plugins"]] == [("corp", "1.0.0")]  # type: ignore[attr-defined, index]
    found = bench.plugins("search", "corp", "--json").plain()
    assert [row["registry"] for row in found["plugins"]] == ["corp"]  # type: ignore[attr-defined, index]
    refused = bench.plugins("install", "corp-gold", "--yes")
    assert refused.code == 2
    assert "why: it is bound to the registry 'corp', which does not list it" in refused.err
    assert bench.plugins("resolve", "storage:gold").code == 5
    assert "the name belongs to the registry 'corp'" in bench.plugins("why", "storage:gold").out
    assert not [path for path, _ in public.asked if "corp-ore" in path or path.startswith("/wheels")]


def test_by_priority_the_first_registry_that_lists_a_name_has_it(
    shelf: Shelf, bench: Bench, tmp_path: Path
) -> None:
    corp = type(shelf)(tmp_path / "corp", "corp")
    corp.add("kindling-plugin-ore", "1.0.0", capabilities=ORE)
    corp.publish()
    shelf.add("kindling-plugin-ore", "9.0.0", capabilities=ORE)
    shelf.publish()
    bench.configure(shelf.settings(), corp.settings(priority=10))
    plain = bench.plugins("resolve", "storage:ore", "--json").plain()
    assert [(row["registry"], row["version"]) for row in plain["plugins"]] == [("corp", "1.0.0")]  # type: ignore[attr-defined, index]


@pytest.mark.parametrize("command", ["install", "lock"])
def test_a_bound_name_deep_in_the_dependencies_is_not_taken_from_a_public_index(
    command: str, shelf: Shelf, desk: Bench, scratch: Scratch, wheels: WheelMaker, tmp_path: Path
) -> None:
    index = tmp_path / "public-index"
    wheels(index, "tiny-library", "1.0", capabilities={}, requires=["corp-secret"])
    wheels(index, "corp-secret", "9.0", capabilities={})
    corp = type(shelf)(tmp_path / "corp", "corp")
    corp.publish()
    shelf.add("kindling-plugin-ore", capabilities=ORE, requires=["tiny-library"])
    shelf.add("kindling-plugin-base", capabilities={"platform:mine": {}, "executor:mine": {}})
    shelf.publish()
    desk.configure(
        'platform = "mine"\nexecutor = "mine"\n',
        '[plugins]\nrequests = ["ore"]\n' if command == "lock" else "",
        shelf.settings(package_index=str(index)),
        corp.settings(names=["corp-*"]),
    )
    done = desk.plugins("lock") if command == "lock" else desk.plugins("install", "ore", "--yes")
    assert done.code == 5, done
    assert "KDL-REG-124: 'corp-secret' would be taken from the wrong place\n" in done.err
    assert f"the name belongs to the registry 'corp', and {index} is not its package index" in done.err
    assert scratch.plugins() == {}


def test_a_library_of_a_corporate_plugin_comes_from_the_corporate_index(
    shelf: Shelf, desk: Bench, scratch: Scratch, wheels: WheelMaker, tmp_path: Path
) -> None:
    index = tmp_path / "corp-index"
    wheels(index, "corp-library", "1.0", capabilities={})
    wheels(tmp_path / "public-index", "corp-library", "9.0", capabilities={})
    corp = type(shelf)(tmp_path / "corp", "corp")
    corp.add("kindling-plugin-corp", capabilities=ORE, requires=["corp-library"])
    corp.publish()
    shelf.add("kindling-plugin-gold", capabilities={"storage:gold": {}})
    shelf.publish()
    desk.configure(
        shelf.settings(priority=5, package_index=str(tmp_path / "public-index")),
        corp.settings(package_index=str(index), names=["corp-*"]),
    )
    done = desk.plugins("install", "corp", "gold", "--yes")
    assert done.code == 0, done
    assert scratch.plugins()["corp-library"] == "1.0"
