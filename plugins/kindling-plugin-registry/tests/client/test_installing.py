"""`kindling plugins install`, `uninstall`, `update`, `diff`: what is shown, accepted, recorded, changed."""

from __future__ import annotations

import hashlib
import tomllib
from pathlib import Path
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from conftest import Bench, Scratch, Servers, Shelf

ORE = {"storage:ore": {"features": ["reads"]}}


def test_install_shows_runs_and_records_and_uninstall_takes_it_back(
    shelf: Shelf, desk: Bench, scratch: Scratch
) -> None:
    shelf.add("kindling-plugin-ore", capabilities=ORE, permissions=["files", "network"])
    shelf.publish()
    desk.configure("# mine\n[plugins]\nblock = []\n", shelf.settings())
    dry = desk.plugins("install", "ore", "--dry-run")
    assert dry.code == 0, dry
    assert "kindling-plugin-ore 1.0.0\n  may use: files, network\n" in dry.err
    assert "would run: " in dry.out
    assert " pip install --python " in dry.out
    refused = desk.plugins("install", "ore")
    assert refused.code == 2
    assert refused.err.endswith(
        "KDL-REG-145: nobody can be asked whether to go on\n"
        "  why: there is no terminal\n"
        "  do: --yes, or --dry-run to see only what would happen\n"
    )
    assert scratch.plugins() == {}
    done = desk.plugins("install", "ore", "--yes")
    assert done.code == 0, done
    assert done.out == "installed kindling-plugin-ore 1.0.0\n"
    assert " pip install --python " in done.err
    assert scratch.plugins() == {"kindling-plugin-ore": "1.0.0"}
    text = (desk.folder / "kindling.toml").read_text()
    assert tomllib.loads(text)["plugins"]["requests"] == ["ore"]
    assert "# mine\n" in text
    assert "storage:ore" in desk.plugins("list").out
    assert desk.plugins("install", "ore", "--yes").out == "everything is installed already\n"
    gone = desk.plugins("uninstall", "ore", "--yes")
    assert gone.out == "uninstalled kindling-plugin-ore\n", gone
    assert scratch.plugins() == {}
    assert tomllib.loads((desk.folder / "kindling.toml").read_text())["plugins"]["requests"] == []
    unknown = desk.plugins("uninstall", "orr")
    assert unknown.code == 2
    assert unknown.err.startswith("KDL-REG-148: no plugin 'orr' is installed\n")


def test_install_by_capability_and_sync_restores_what_an_upgrade_wiped(
    shelf: Shelf, desk: Bench, scratch: Scratch
) -> None:
    shelf.add("kindling-plugin-ore", capabilities=ORE, requires=["kindling-plugin-base"])
    shelf.add("kindling-plugin-base", capabilities={"storage:base": {}})
    shelf.publish()
    desk.configure(shelf.settings())
    done = desk.plugins("install", "storage:ore", "--yes", "--json")
    assert done.code == 0, done
    assert [row["name"] for row in done.plain()["changes"]] == [  # type: ignore[attr-defined, index]
        "kindling-plugin-base",
        "kindling-plugin-ore",
    ]
    assert set(scratch.plugins()) == {"kindling-plugin-base", "kindling-plugin-ore"}
    desk.plugins("uninstall", "base", "--yes")
    assert desk.plugins("why", "storage:ore").out.count("it is installed") == 1
    restored = desk.plugins("sync")
    assert restored.out == "installed kindling-plugin-base 1.0.0\n", restored


def test_outside_of_a_project_the_users_own_file_is_used(shelf: Shelf, desk: Bench, scratch: Scratch) -> None:
    shelf.add("kindling-plugin-ore", capabilities=ORE)
    shelf.publish()
    (desk.folder / "kindling.toml").unlink()
    own = desk.home / "config" / "kindling" / "plugins.toml"
    own.parent.mkdir(parents=True)
    own.write_text(shelf.settings())
    done = desk.plugins("install", "ore", "--yes")
    assert done.code == 0, done
    assert tomllib.loads(own.read_text())["plugins"]["requests"] == ["ore"]
    desk.plugins("uninstall", "ore", "--yes")
    own.write_text(f'[plugins]\nrequests = ["ore"]\n{shelf.settings()}')
    assert desk.plugins("sync").out == "installed kindling-plugin-ore 1.0.0\n"
    assert scratch.plugins() == {"kindling-plugin-ore": "1.0.0"}


def test_an_update_shows_new_permissions_and_publishers_and_asks_for_them(
    shelf: Shelf, desk: Bench, scratch: Scratch
) -> None:
    shelf.add("kindling-plugin-ore", "1.0.0", capabilities=ORE)
    shelf.publish()
    desk.configure(shelf.settings())
    assert desk.plugins("install", "ore", "--yes").code == 0
    shelf.add(
        "kindling-plugin-ore",
        "1.1.0",
        capabilities=ORE,
        permissions=["files", "network"],
        publisher={"kind": "github", "repository": "other/ore", "workflow": "release.yml"},
    )
    shelf.publish()
    shown = desk.plugins("diff", "--refresh")
    assert shown.out == (
        "kindling-plugin-ore 1.0.0 -> 1.1.0\n"
        "  new permission: network\n"
        "  PUBLISHER CHANGED: unverified -> github:other/ore\n"
    )
    refused = desk.plugins("update", "--yes")
    assert refused.code == 5
    assert refused.err.endswith(
        "KDL-REG-144: network, publisher must be accepted for 'kindling-plugin-ore'\n"
        "  why: it was not granted before, and nobody can be asked\n"
        "  do: --yes --accept network --accept publisher\n"
    )
    assert scratch.plugins() == {"kindling-plugin-ore": "1.0.0"}
    done = desk.plugins("update", "--yes", "--accept", "network", "--accept", "publisher")
    assert done.out == "updated kindling-plugin-ore 1.1.0\n", done
    assert scratch.plugins() == {"kindling-plugin-ore": "1.1.0"}
    assert desk.plugins("update", "--yes").out == "everything is up to date\n"


def test_a_permission_beyond_policy_is_accepted_by_its_name_only(shelf: Shelf, desk: Bench) -> None:
    shelf.add("kindling-plugin-ore", capabilities=ORE, permissions=["process"])
    shelf.publish()
    desk.configure(shelf.settings(), '[plugins.policy]\npermissions = ["files"]\n')
    assert desk.plugins("install", "ore", "--yes").code == 5
    assert desk.plugins("install", "ore", "--yes", "--accept", "process").code == 0


def test_a_tampered_or_truncated_wheel_is_refused_and_nothing_is_half_installed(
    shelf: Shelf, desk: Bench, scratch: Scratch, servers: Servers
) -> None:
    shelf.add("kindling-plugin-a", capabilities={"storage:a": {}})
    wheel = shelf.add("kindling-plugin-ore", capabilities=ORE)
    shelf.publish()
    served = servers.serve(shelf.dist)
    desk.configure(shelf.settings(url=served.url))
    published = shelf.dist / "wheels" / wheel.name
    content = published.read_bytes()
    changed = content.replace(b"offers", b"0ffers")
    for bad in (changed, content[: len(content) // 2], content + b"x"):
        published.write_bytes(bad)
        done = desk.plugins("install", "a", "ore", "--yes")
        assert done.code == 5, done
        assert "KDL-REG-142: the file 'kindling_plugin_ore-1.0.0-py3-none-any.whl' is refused" in done.err
        assert scratch.plugins() == {}
        assert not list((desk.home / "cache").rglob("*.part"))
    assert hashlib.sha256(changed).hexdigest() not in str(list(desk.home.rglob("*")))
    assert "requests" not in (desk.folder / "kindling.toml").read_text()


def test_a_dependency_that_cannot_be_had_leaves_the_environment_as_it_was(
    shelf: Shelf, desk: Bench, scratch: Scratch
) -> None:
    shelf.add("kindling-plugin-ore", capabilities=ORE, requires=["no-such-thing==1"])
    shelf.publish()
    desk.configure(shelf.settings())
    done = desk.plugins("install", "ore", "--yes")
    assert done.code == 1
    assert "KDL-REG-140: uv could not change the environment" in done.err
    assert "where: the environment is as it was" in done.err
    assert scratch.plugins() == {}


def test_pip_installs_as_well(shelf: Shelf, desk: Bench, scratch: Scratch) -> None:
    import subprocess

    shelf.add("kindling-plugin-ore", capabilities=ORE)
    shelf.publish()
    desk.configure(shelf.settings())
    missing = desk.plugins("install", "ore", "--yes", "--backend", "pip")
    if missing.code != 0:  # the environment of the tests has no pip, so the scratch one sees none
        assert "KDL-REG-131: the backend 'pip' cannot be used here" in missing.err
    subprocess.run([scratch.python, "-m", "ensurepip"], check=True, capture_output=True, timeout=200)
    done = desk.plugins("install", "ore", "--yes", "--backend", "pip")
    assert done.code == 0, done
    assert "-m pip install --no-input" in done.err
    assert scratch.plugins()["kindling-plugin-ore"] == "1.0.0"
    gone = desk.plugins("uninstall", "ore", "--yes", "--backend", "pip")
    assert gone.code == 0, gone
    assert "kindling-plugin-ore" not in scratch.plugins()


def test_backend_print_only_prints(shelf: Shelf, desk: Bench, scratch: Scratch, tmp_path: Path) -> None:
    shelf.add("kindling-plugin-ore", capabilities=ORE)
    shelf.publish()
    desk.configure(shelf.settings())
    done = desk.plugins("install", "ore", "--backend", "print")
    assert done.code == 0
    assert "would run: " in done.out
    assert scratch.plugins() == {}
