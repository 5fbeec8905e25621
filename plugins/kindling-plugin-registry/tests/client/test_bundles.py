"""`kindling plugins bundle` and `install --from-bundle`: no network, and nothing that nobody vouched for."""

from __future__ import annotations

import io
import json
import shutil
import subprocess
import tarfile
from hashlib import sha256
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

if TYPE_CHECKING:
    from conftest import Mine, Scratch, Servers

LOCK = "pylock.kindling.toml"


def _bundled(mine: Mine) -> Path:
    locked = mine.bench.plugins("lock")
    assert locked.code == 0, locked
    done = mine.bench.plugins("bundle", "-o", "all.tar")
    assert done.code == 0, done
    assert done.out.startswith("3 packages in all.tar; its index counts until ")
    return mine.bench.folder / "all.tar"


def _changed(bundle: Path, name: str, content: bytes, *, relists: bool = True) -> None:
    """Replace, or add, one file of a bundle."""
    with tarfile.open(bundle) as archive:
        files = {item.name: archive.extractfile(item).read() for item in archive.getmembers()}  # type: ignore[union-attr]
    files[name] = content
    if relists:
        head = json.loads(files["bundle.json"])
        head["files"][name] = sha256(content).hexdigest()
        files["bundle.json"] = json.dumps(head).encode()
    with tarfile.open(bundle, "w") as archive:
        for path, data in files.items():
            member = tarfile.TarInfo(path)
            member.size = len(data)
            archive.addfile(member, io.BytesIO(data))


def test_a_bundle_installs_where_there_is_no_network_at_all(
    mine: Mine, scratch: Scratch, servers: Servers, tmp_path: Path
) -> None:
    served = servers.serve(mine.shelf.dist)
    mine.bench.configure(
        mine.CHOSEN,
        mine.shelf.settings(url=served.url, package_index=str(mine.index)),
        app=(mine.bench.folder / "shop.py").read_text(),
    )
    bundle = _bundled(mine)
    with tarfile.open(bundle) as archive:
        names = set(archive.getnames())
        bill = json.load(archive.extractfile("sbom.cdx.json"))  # type: ignore[arg-type]
    assert {"bundle.json", LOCK, "sbom.cdx.json", "wheels/tiny_library-2.0.0-py3-none-any.whl"} <= names
    assert bill["bomFormat"] == "CycloneDX"
    assert {item["purl"] for item in bill["components"]} == {
        "pkg:pypi/kindling-plugin-mine@1.0.0",
        "pkg:pypi/kindling-plugin-ore@1.0.0",
        "pkg:pypi/tiny-library@2.0.0",
    }
    shutil.rmtree(mine.bench.home)
    asked = len(served.asked)
    if shutil.which("unshare") and subprocess.run(["unshare", "-n", "true"], check=False).returncode == 0:
        mine.bench.wrap = ("unshare", "-n")
    done = mine.bench.plugins("install", "--from-bundle", "all.tar", "--offline", "--yes")
    assert done.code == 0, done
    assert scratch.plugins() == {
        "kindling-plugin-mine": "1.0.0",
        "kindling-plugin-ore": "1.0.0",
        "tiny-library": "2.0.0",
    }
    assert len(served.asked) == asked


ATTACKS = ("wheel", "unlisted", "lock", "index", "path", "truncated")


@pytest.mark.parametrize("attack", ATTACKS)
def test_a_changed_bundle_is_refused_and_nothing_is_installed(
    attack: str, mine: Mine, scratch: Scratch
) -> None:
    bundle = _bundled(mine)
    (mine.bench.folder / LOCK).unlink()
    ore = "wheels/kindling_plugin_ore-1.0.0-py3-none-any.whl"
    with tarfile.open(bundle) as archive:
        wheel = archive.extractfile(ore).read()  # type: ignore[union-attr]
        lock = archive.extractfile(LOCK).read()  # type: ignore[union-attr]
        target = next(name for name in archive.getnames() if name.endswith(".policy.json"))
    evil = wheel.replace(b"offers", b"0ffers")
    if attack == "wheel":
        _changed(bundle, ore, evil)
    elif attack == "unlisted":
        _changed(bundle, "wheels/evil.whl", b"x", relists=False)
    elif attack == "lock":  # wheel, list and lock agree; the signed index does not
        _changed(bundle, ore, evil)
        text = lock.replace(sha256(wheel).hexdigest().encode(), sha256(evil).hexdigest().encode())
        _changed(bundle, LOCK, text)
    elif attack == "index":
        _changed(bundle, target, b'{"schema": "kindling.policy/1", "revoked": []}\n\n')
    elif attack == "path":
        _changed(bundle, "../outside", b"x")
    else:
        bundle.write_bytes(bundle.read_bytes()[:-20_000])
    done = mine.bench.plugins("install", "--from-bundle", "all.tar", "--offline", "--yes")
    assert done.code == 5, done
    assert scratch.plugins() == {}
    assert not (mine.bench.folder.parent / "outside").exists()


def test_the_projects_own_lock_decides_what_a_bundle_may_hold(mine: Mine, scratch: Scratch) -> None:
    _bundled(mine)
    lock = mine.bench.folder / LOCK
    digest = mine.lock()["packages"][-1]["wheels"][0]["hashes"]["sha256"]  # type: ignore[index]
    lock.write_text(lock.read_text().replace(digest, "0" * 64))
    done = mine.bench.plugins("install", "--from-bundle", "all.tar", "--offline", "--yes")
    assert done.code == 5
    assert done.err.endswith(
        "KDL-REG-161: 'tiny_library-2.0.0-py3-none-any.whl' is refused\n"
        "  why: the project's own pylock.kindling.toml has no such file\n"
        "  do: nothing was installed; make the bundle again: kindling plugins bundle\n"
    )
    assert scratch.plugins() == {}
