"""The texts of errors that other tests do not reach: each says what, why, where and what to do."""

from __future__ import annotations

import sys
from pathlib import Path
from types import SimpleNamespace
from typing import TYPE_CHECKING

import pytest
from kindling_plugin_registry.client.downloads import fetch, fetch_release
from kindling_plugin_registry.client.environment import Environment
from kindling_plugin_registry.client.installers import call
from kindling_plugin_registry.client.judging import named_version
from kindling_plugin_registry.client.lockfile import Locked, LockedFile, read_lock
from kindling_plugin_registry.client.recording import record_requests, with_requests, without_requests
from kindling_plugin_registry.client.refreshing import copy_of, refresh
from kindling_plugin_registry.client.registries import Client, Registry, Rules
from kindling_plugin_registry.client.solving import solve
from kindling_plugin_registry.client.syncing import sync

from kindling.errors import ConfigError, InfrastructureError, KindlingError, PolicyError, RunError, UsageError
from kindling.plugins.policy import Policy

if TYPE_CHECKING:
    from conftest import Bench, Shelf


def _client(folder: Path) -> Client:
    registry = Registry("test", f"{folder}/dist/", 0, f"{folder}/root.json", "", (), f"{folder}/copy")
    return Client(str(folder), f"{folder}/kindling.toml", "", str(folder), (registry,), Rules(), Policy(), ())


def _text(caught: pytest.ExceptionInfo[KindlingError]) -> list[str]:
    return str(caught.value).splitlines()


def test_an_unknown_registry_is_named_with_the_known_ones(tmp_path: Path) -> None:
    with pytest.raises(UsageError) as caught:
        _client(tmp_path).registry("corp")
    assert _text(caught) == [
        "KDL-REG-101: there is no registry 'corp'",
        "  why: known: 'test'",
        '  do: add [plugins.registry.corp] with url = "..." and root = "root.json" to kindling.toml',
    ]


def test_offline_without_a_copy_says_how_to_get_one(tmp_path: Path) -> None:
    with pytest.raises(InfrastructureError) as caught:
        copy_of(_client(tmp_path).registries[0], is_offline=True)
    assert _text(caught) == [
        "KDL-REG-108: there is no copy of the registry 'test' on this machine",
        "  why: --offline was said",
        "  do: kindling plugins search --refresh while there is a network",
    ]


def test_a_root_that_cannot_be_read(tmp_path: Path) -> None:
    with pytest.raises(PolicyError) as caught:
        refresh(_client(tmp_path).registries[0])
    assert _text(caught) == [
        "KDL-REG-106: the root of the registry 'test' cannot be read (registry 'test')",
        "  why: No such file or directory",
        f"  where: {tmp_path}/root.json",
        "  do: get root.json by a safe way, and name it in [plugins.registry.test] root",
    ]


def test_a_requirement_that_is_none() -> None:
    with pytest.raises(UsageError) as caught:
        named_version("a b")
    lines = _text(caught)
    assert lines[0] == "KDL-REG-112: 'a b' is no requirement"
    assert lines[-1] == "  do: for example kindling-plugin-delta, or 'kindling-plugin-delta==1.0'"


def test_a_file_that_cannot_be_read_and_one_that_needs_a_network(tmp_path: Path) -> None:
    missing = str(tmp_path / "x.whl")
    with pytest.raises(InfrastructureError) as caught:
        fetch(_client(tmp_path), missing, "x.whl", "0" * 64, 1)
    assert _text(caught) == [
        "KDL-REG-143: the file 'x.whl' cannot be read",
        f"  why: [Errno 2] No such file or directory: '{missing}'",
        f"  where: {missing}",
    ]
    with pytest.raises(InfrastructureError, match="--offline was said") as offline:
        fetch(_client(tmp_path), "https://files.example/x.whl", "x.whl", "0" * 64, 1, is_offline=True)
    assert offline.value.code == "KDL-REG-143"


def test_a_release_without_a_wheel_for_this_python(tmp_path: Path) -> None:
    artifact = SimpleNamespace(filename="kindling_plugin_x-1.0-cp27-none-win32.whl")
    release = SimpleNamespace(name="kindling-plugin-x", version="1.0", artifacts=(artifact,))
    client = _client(tmp_path)
    with pytest.raises(PolicyError) as caught:
        fetch_release(client, client.registries[0], release)  # type: ignore[arg-type]  # only these fields are read
    assert _text(caught) == [
        "KDL-REG-141: 'kindling-plugin-x' 1.0 has no wheel for this Python",
        "  why: it has kindling_plugin_x-1.0-cp27-none-win32.whl",
        "  do: kindling plugins why-not kindling-plugin-x",
    ]


def test_a_failed_installer_says_the_command_and_the_state() -> None:
    command = [sys.executable, "-c", "import sys; sys.exit('no such thing')"]
    with pytest.raises(RunError) as caught:
        call(command)
    lines = _text(caught)
    assert lines[0].endswith(" could not change the environment")
    assert lines[1:3] == ["  why: no such thing", "  where: the environment is as it was"]


def test_requests_are_edited_in_place_or_refused(tmp_path: Path) -> None:
    file = tmp_path / "kindling.toml"
    file.write_text('# head\n[plugins]\nrequests = ["a"] # mine\n[run]\nworkers = 1\n')
    record_requests(str(file), ["a", "b>=1"])
    assert file.read_text() == '# head\n[plugins]\nrequests = ["a", "b>=1"] # mine\n[run]\nworkers = 1\n'
    file.write_text('plugins.requests = ["a"]\n')
    with pytest.raises(ConfigError) as caught:
        record_requests(str(file), ["b"])
    assert _text(caught) == [
        "KDL-REG-146: the requests cannot be recorded",
        "  why: [plugins] is written in a form that this command does not edit",
        f"  where: {file}",
        '  do: write requests = ["b"] under [plugins]',
    ]
    assert file.read_text() == 'plugins.requests = ["a"]\n'


def test_a_request_is_one_for_each_plugin_however_it_is_written() -> None:
    assert with_requests(["delta"], ["Kindling_Plugin.Delta==2"]) == ["Kindling_Plugin.Delta==2"]
    assert without_requests(["delta>=1", "sail"], ["kindling-plugin-delta"]) == ["sail"]


def test_locking_needs_uv(tmp_path: Path) -> None:
    bare = Environment("venv", str(tmp_path), sys.executable, "", "", has_pip=True)
    with pytest.raises(UsageError) as caught:
        solve(bare, [], "", is_offline=True)
    assert _text(caught) == [
        "KDL-REG-152: a lock for all platforms is made by uv, which is not here",
        "  why: pip locks for its own platform only",
        "  do: pip install uv",
    ]


def test_a_lock_that_cannot_be_read_or_has_no_file_for_this_python(tmp_path: Path) -> None:
    (tmp_path / "pylock.kindling.toml").write_text("x =")
    with pytest.raises(PolicyError) as caught:
        read_lock(str(tmp_path))
    lines = _text(caught)
    assert lines[0] == "KDL-REG-151: the lock cannot be read"
    assert lines[-1] == "  do: kindling plugins lock, or git checkout the file"
    for name, digest in (("x-1.0.tar.gz", "../../x"), ("../x-1.0.tar.gz", "0" * 64)):
        (tmp_path / "pylock.kindling.toml").write_text(
            '[[packages]]\nname = "x"\n'
            f'sdist = {{name = "{name}", url = "x", hashes = {{sha256 = "{digest}"}}}}\n'
        )
        with pytest.raises(PolicyError) as outside:
            read_lock(str(tmp_path))
        assert _text(outside)[1] == f"  why: {name!r} is no file's name, or {digest!r} no SHA-256"
    file = LockedFile("x-1.0-cp27-none-win32.whl", "https://files.example/x", "0" * 64, 1)
    with pytest.raises(PolicyError) as fileless:
        sync(_client(tmp_path), [Locked("x", "1.0", "", (file,))], "", is_offline=True)
    assert _text(fileless) == [
        "KDL-REG-155: the lock has no file of 'x' 1.0 for this Python",
        "  why: it has x-1.0-cp27-none-win32.whl",
        "  do: kindling plugins lock --upgrade",
    ]


def test_commands_refuse_what_makes_no_sense(shelf: Shelf, bench: Bench) -> None:
    shelf.add("kindling-plugin-ore", level="listed")
    shelf.publish()
    bench.configure(shelf.settings())
    assert bench.plugins("install").err == (
        "KDL-REG-147: nothing to install is named\n  do: kindling plugins install NAME\n"
    )
    assert bench.plugins("bundle").err == "KDL-REG-157: there is no lock\n  do: kindling plugins lock\n"
    assert bench.plugins("install", "ore", "--yes").err.endswith(
        "KDL-REG-123: no release of 'kindling-plugin-ore' may be chosen\n"
        "  why: 1.0.0: its level is listed, plugins.policy.require_level is loadable\n"
        '  do: [plugins.policy] require_level = "listed"\n'
    )
    assert (
        "KDL-REG-121: no plugin of the registries offers 'storage:gold'\n"
        in bench.plugins("resolve", "storage:gold").err
    )
    bench.configure("[plugins.registry.half]\nurl = 'x'\n")
    assert bench.plugins("search", "x").err == (
        "KDL-REG-102: the registry 'half' has no root\n"
        "  why: an index is read from its url, and trusted because of its root.json\n"
        f"  where: {bench.folder}/kindling.toml\n"
        '  do: add root = "..." to [plugins.registry.half]\n'
    )
    (bench.folder / "kindling.toml").unlink()
    own = bench.home / "config" / "kindling" / "plugins.toml"
    own.parent.mkdir(parents=True)
    own.write_text(shelf.settings())
    assert bench.plugins("lock").err == (
        "KDL-REG-154: there is no project to lock\n  do: kindling init, or cd to it\n"
    )
    own.write_text("x =")
    assert bench.plugins("search", "x").err.startswith(
        "KDL-REG-102: the user's settings of plugins cannot be read\n"
    )
