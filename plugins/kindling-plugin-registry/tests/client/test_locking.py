"""`kindling plugins lock` and `sync`, and the kernel's `run --locked` behind them."""

from __future__ import annotations

import os
import subprocess
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from conftest import Mine, Scratch

LOCK = "pylock.kindling.toml"


def test_a_lock_has_hashes_capabilities_permissions_and_evidence(mine: Mine) -> None:
    done = mine.bench.plugins("lock")
    assert done.code == 0, done
    assert done.out == f"2 plugins locked in {mine.bench.folder}/{LOCK}\n"
    lock = mine.lock()
    assert lock["lock-version"] == "1.0"
    packages = {row["name"]: row for row in lock["packages"]}  # type: ignore[attr-defined]
    assert set(packages) == {"kindling-plugin-mine", "kindling-plugin-ore", "tiny-library"}
    for row in packages.values():
        assert all(len(wheel["hashes"]["sha256"]) == 64 for wheel in row["wheels"])
    facts = lock["tool"]["kindling"]  # type: ignore[index]
    assert facts["capabilities"]["storage:ore"] == {
        "api": "1.0",
        "features": ["merges", "reads", "writes"],
        "plugin": "kindling-plugin-ore",
        "version": "1.0.0",
    }
    assert facts["capabilities"]["state:sqlite"]["plugin"] == "kindling-core"
    assert facts["apis"]["storage"] == "1.0"
    assert len(facts["registries"]["test"]["index_sha256"]) == 64
    ore = facts["plugins"]["kindling-plugin-ore"]
    assert (ore["permissions"], ore["publisher"]) == (["files"], "unverified")
    assert ore["evidence"]["level"] == "conformant"
    assert ore["evidence"]["suite"] == "kindling-conformance 1.0"
    before = (mine.bench.folder / LOCK).read_bytes()
    assert mine.bench.plugins("lock").code == 0
    assert (mine.bench.folder / LOCK).read_bytes() == before, "locking again changes nothing"


def test_a_plain_installer_accepts_the_lock(mine: Mine, scratch: Scratch) -> None:
    assert mine.bench.plugins("lock").code == 0
    done = subprocess.run(
        [scratch.uv, "pip", "sync", "--offline", "--no-index", "--python", scratch.python, LOCK],
        cwd=mine.bench.folder,
        # uv takes no constraints beside a lock, and tox sets some.
        env={name: text for name, text in os.environ.items() if name != "UV_CONSTRAINT"},
        capture_output=True,
        text=True,
        timeout=120,
        check=False,
    )
    assert done.returncode == 0, done.stderr
    assert scratch.plugins() == {
        "kindling-plugin-mine": "1.0.0",
        "kindling-plugin-ore": "1.0.0",
        "tiny-library": "2.0.0",
    }


def test_sync_installs_the_lock_and_refuses_drift(mine: Mine, scratch: Scratch) -> None:
    assert mine.bench.plugins("sync", "--locked").code == 5
    assert mine.bench.plugins("lock").code == 0
    check = mine.bench.plugins("sync", "--check")
    assert check.code == 5
    assert "KDL-REG-159" in check.err
    run = mine.bench.run("run", "--locked")
    assert run.code == 5, run
    assert "KDL-POL-031" in run.err
    done = mine.bench.plugins("sync", "--locked")
    assert done.code == 0, done
    assert set(scratch.plugins()) == {"kindling-plugin-mine", "kindling-plugin-ore", "tiny-library"}
    assert mine.bench.plugins("sync", "--locked").out == "everything is installed already\n"
    assert mine.bench.plugins("sync", "--check").code == 0
    mine.configure('[plugins]\nrequests = ["other>=2"]\n')
    drift = mine.bench.plugins("sync", "--locked")
    assert drift.code == 5
    assert drift.err == (
        "KDL-REG-158: the lock no longer fits the project\n"
        "  why: other>=2 is asked for and not locked\n"
        f"  where: {mine.bench.folder}/{LOCK}\n"
        "  do: kindling plugins lock\n"
    )
    mine.configure()
    lock = mine.bench.folder / LOCK
    lock.write_text(lock.read_text().replace("merges", "merges_all"))
    assert "the lock was edited by hand" in mine.bench.plugins("sync", "--locked").err


def test_run_locked_refuses_a_plugin_of_another_version(mine: Mine) -> None:
    assert mine.bench.plugins("lock").code == 0
    assert mine.bench.plugins("sync", "--locked").code == 0
    assert "KDL-POL-031" not in mine.bench.run("run", "--locked").err
    assert mine.bench.plugins("uninstall", "tiny-library", "--yes").code == 0
    done = mine.bench.run("run", "--locked")
    assert done.code == 5
    assert "why: tiny-library: locked 2.0.0, installed not at all" in done.err


def test_a_wrong_hash_in_the_lock_installs_nothing(mine: Mine, scratch: Scratch) -> None:
    assert mine.bench.plugins("lock").code == 0
    lock = mine.bench.folder / LOCK
    wheels = [row["wheels"][0]["hashes"]["sha256"] for row in mine.lock()["packages"]]  # type: ignore[attr-defined]
    lock.write_text(lock.read_text().replace(wheels[-1], "0" * 64))
    done = mine.bench.plugins("sync")
    assert done.code == 5
    assert "KDL-REG-142: the file 'tiny_library-2.0.0-py3-none-any.whl' is refused" in done.err
    assert scratch.plugins() == {}


def test_a_lock_keeps_its_versions_until_an_upgrade_and_asks_for_new_permissions(mine: Mine) -> None:
    assert mine.bench.plugins("lock").code == 0
    mine.shelf.add(
        "kindling-plugin-mine",
        "1.1.0",
        capabilities={"platform:mine": {}, "executor:mine": {}},
        permissions=["files", "process"],
    )
    mine.shelf.publish()
    assert mine.bench.plugins("lock").code == 0
    assert mine.lock()["tool"]["kindling"]["plugins"]["kindling-plugin-mine"]["version"] == "1.0.0"  # type: ignore[index]
    refused = mine.bench.plugins("lock", "--upgrade")
    assert refused.code == 5
    assert "kindling-plugin-mine 1.0.0 -> 1.1.0\n  new permission: process\n" in refused.err
    assert mine.bench.plugins("lock", "--upgrade", "--accept", "process").code == 0
    assert mine.lock()["tool"]["kindling"]["plugins"]["kindling-plugin-mine"]["version"] == "1.1.0"  # type: ignore[index]


def test_a_revoked_plugin_in_the_lock_is_refused_at_sync_and_at_run(mine: Mine) -> None:
    assert mine.bench.plugins("lock").code == 0
    assert mine.bench.plugins("sync", "--locked").code == 0
    mine.shelf.revoke("kindling-plugin-ore")
    mine.shelf.publish()
    done = mine.bench.plugins("sync", "--locked")
    assert done.code == 5
    assert "KDL-REG-156: the locked plugin 'kindling-plugin-ore' 1.0.0 is refused" in done.err
    run = mine.bench.run("run", "--locked")
    assert run.code == 5
    assert "KDL-POL-032: the plugin 'kindling-plugin-ore' 1.0.0 is revoked" in run.err
    mine.configure('[plugins.policy]\nrevoked = "warn"\n')
    assert "warning: kindling-plugin-ore 1.0.0 is revoked: stolen key" in mine.bench.run("run").err


def test_what_cannot_be_solved_is_told(mine: Mine) -> None:
    ore = {"storage:ore": {"features": ["merges", "reads", "writes"]}}
    mine.shelf.add("kindling-plugin-ore", "1.2.0", capabilities=ore, requires=["tiny-library>=9"])
    mine.shelf.publish()
    done = mine.bench.plugins("lock", "--refresh")
    assert done.code == 2
    assert "KDL-REG-153: no versions fit 'kindling-plugin-mine', 'kindling-plugin-ore' together" in done.err
    assert not (mine.bench.folder / LOCK).exists()
