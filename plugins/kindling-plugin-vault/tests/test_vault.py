"""Reads, versions, rotation and the cache, on a server."""

from __future__ import annotations

import threading
import time
from concurrent.futures import ThreadPoolExecutor

import pytest
from openbao import OpenBao
from vault_opening import OpenVault

from kindling.errors import ConfigError

KEY = "0123456789abcdef0123456789abcdef"


def test_a_hundred_threads_make_one_question(bao: OpenBao, mount: str, open_vault: OpenVault) -> None:
    bao.put(mount, "team/db", {"password": "first"})
    vault, gate = open_vault(mount), threading.Barrier(100)

    def read() -> str:
        gate.wait()
        return vault.get("team/db", "password").reveal()

    with ThreadPoolExecutor(100) as pool:
        found = {done.result() for done in [pool.submit(read) for _ in range(100)]}
    assert found == {"first"}
    assert bao.asked(f"{mount}/data/team/db") == 1


def test_a_version_costs_no_secret_read(bao: OpenBao, mount: str, open_vault: OpenVault) -> None:
    bao.put(mount, "team/db", {"password": "first"})
    vault = open_vault(mount)
    versions = {vault.version("team/db", "password") for _ in range(3)}
    assert len(versions) == 1
    assert (bao.asked(f"{mount}/data/team/db"), bao.asked(f"{mount}/metadata/team/db")) == (0, 3)


def test_a_new_version_is_seen_when_the_cache_is_over(
    bao: OpenBao, mount: str, open_vault: OpenVault
) -> None:
    bao.put(mount, "team/db", {"password": "first"})
    long, short = open_vault(mount), open_vault(mount, cache_s=0.2)
    old = {vault.get("team/db", "password").version for vault in (long, short)}
    bao.put(mount, "team/db", {"password": "second"})
    assert long.get("team/db", "password").reveal() == "first"
    end = time.monotonic() + 20
    while short.get("team/db", "password").reveal() != "second":
        assert time.monotonic() < end
        time.sleep(0.05)
    assert old == {long.get("team/db", "password").version}


def test_a_version_that_was_asked_for_ends_an_older_entry(
    bao: OpenBao, mount: str, open_vault: OpenVault
) -> None:
    bao.put(mount, "team/db", {"password": "first"})
    vault = open_vault(mount, cache_s=600)
    vault.get("team/db", "password")
    bao.put(mount, "team/db", {"password": "second"})
    token = vault.version("team/db", "password")
    found = vault.get("team/db", "password")
    assert (found.reveal(), found.version) == ("second", token)


def test_a_cache_of_no_seconds_asks_each_time(bao: OpenBao, mount: str, open_vault: OpenVault) -> None:
    bao.put(mount, "team/db", {"password": "first"})
    vault = open_vault(mount, cache_s=0)
    for _ in range(3):
        vault.get("team/db", "password")
    assert bao.asked(f"{mount}/data/team/db") == 3


def test_a_version_can_be_pinned(bao: OpenBao, mount: str, open_vault: OpenVault) -> None:
    for value in ("first", "second"):
        bao.put(mount, "team/db", {"password": value})
    vault = open_vault(mount)
    old, new = vault.get("team/db?version=1", "password"), vault.get("team/db", "password")
    assert (old.reveal(), new.reveal()) == ("first", "second")
    assert old.version == vault.version("team/db?version=1", "password") != new.version


def test_a_path_written_anew_has_another_version(bao: OpenBao, mount: str, open_vault: OpenVault) -> None:
    bao.put(mount, "team/db", {"password": "first"})
    vault = open_vault(mount)
    old = vault.version("team/db", "password")
    bao.ask("DELETE", f"{mount}/metadata/team/db")
    bao.put(mount, "team/db", {"password": "second"})
    new = vault.version("team/db", "password")
    assert old.split(".")[1] == new.split(".")[1] == "1"
    assert old != new


def test_a_deleted_version_is_no_secret(bao: OpenBao, mount: str, open_vault: OpenVault) -> None:
    bao.put(mount, "team/db", {"password": "first"})
    bao.ask("DELETE", f"{mount}/data/team/db")
    vault = open_vault(mount)
    for ask in (vault.get, vault.version):
        with pytest.raises(ConfigError, match="KDL-CONF-020"):
            ask("team/db", "password")


def test_a_version_that_ends_later_is_there(bao: OpenBao, mount: str, open_vault: OpenVault) -> None:
    bao.ask("POST", f"{mount}/metadata/team/db", {"delete_version_after": "1h"})
    bao.put(mount, "team/db", {"password": "first"})
    vault = open_vault(mount)
    assert vault.version("team/db", "password") == vault.get("team/db", "password").version


def test_the_only_field_needs_no_name_and_other_types_are_json(
    bao: OpenBao, mount: str, open_vault: OpenVault
) -> None:
    bao.put(mount, "one", {"only": "value"})
    bao.put(mount, "odd names/ü %2e", {"port": 5432, "on": True, "tree": {"a": [1, None]}})
    vault = open_vault(mount)
    assert vault.get("one", "").reveal() == "value"
    fields = ("port", "on", "tree")
    found = [vault.get("odd names/ü %2e", field).reveal() for field in fields]
    assert found == ["5432", "true", '{"a":[1,null]}']


def test_paths_are_listed_through_folders(bao: OpenBao, mount: str, open_vault: OpenVault) -> None:
    for path in ("a/b/c", "a/b/d", "a/x", "ab", "b"):
        bao.put(mount, path, {"v": "1"})
    vault = open_vault(mount)
    assert list(vault.paths("")) == ["a/b/c", "a/b/d", "a/x", "ab", "b"]
    assert list(vault.paths("a/b")) == ["a/b/c", "a/b/d"]
    assert list(vault.paths("a")) == ["a/b/c", "a/b/d", "a/x", "ab"]
    assert list(vault.paths("none/")) == []


def test_a_namespace_is_asked(bao: OpenBao, name: str, open_vault: OpenVault) -> None:
    bao.ask("POST", f"sys/namespaces/space-{name}", {})
    bao.ask("POST", f"space-{name}/sys/mounts/kv", {"type": "kv", "options": {"version": "1"}})
    bao.put(f"space-{name}/kv", "team/db", {"password": "inner"}, version=1)
    vault = open_vault("kv", namespace=f"space-{name}")
    assert vault.get("team/db", "password").reveal() == "inner"


def test_kv_1_without_a_version_key_always_looks_changed(
    bao: OpenBao, name: str, open_vault: OpenVault
) -> None:
    mount = bao.mount(f"old-{name}", version=1)
    bao.put(mount, "team/db", {"password": "first"}, version=1)
    vault = open_vault(mount)
    assert vault.get("team/db", "password").reveal() == "first"
    assert len({vault.version("team/db", "password") for _ in range(3)}) == 3


def test_versions_of_kv_1_are_equal_in_every_process_and_change_with_one_field(
    bao: OpenBao, name: str, open_vault: OpenVault
) -> None:
    mount = bao.mount(f"old-{name}", version=1)
    bao.put(mount, "kindling", {"key": KEY}, version=1)
    bao.put(mount, "team/db", {"user": "u", "password": "first"}, version=1)

    def versions() -> tuple[str, str]:
        vault = open_vault(mount, version_key="kindling#key", kv_version="1")  # as another process would
        return vault.version("team/db", "user"), vault.version("team/db", "password")

    old = versions()
    assert versions() == old
    bao.put(mount, "team/db", {"user": "u", "password": "second"}, version=1)
    new = versions()
    assert (new[0] == old[0], new[1] == old[1]) == (True, False)
