from __future__ import annotations

import json
import subprocess
import sys
import urllib.request
from pathlib import Path
from typing import Any

import pytest
from click.testing import CliRunner, Result
from kindling_plugin_registry.operator.commands import COMMANDS, PLACES, command
from kindling_plugin_registry.operator.options import source_at

from kindling.errors import KindlingError, UsageError

NAME = "kindling-plugin-sample"


def call(*arguments: object) -> Result:
    return CliRunner().invoke(command, [str(item) for item in arguments])


def ask(*arguments: object) -> Any:
    result = call(*arguments, "--json")
    assert result.exception is None, result.output
    return json.loads(result.output)


def test_each_command_is_listed_and_helps() -> None:
    text = call("--help").output
    for name in set(COMMANDS) - set(PLACES):
        assert f"  {name} " in text
        assert call(name, "--help").exit_code == 0


def test_help_imports_no_command() -> None:
    code = (
        "import sys; from click.testing import CliRunner;"
        "from kindling_plugin_registry.operator.commands import command;"
        "CliRunner().invoke(command, ['--help']);"
        "print([m for m in ('tuf', 'jsonschema', 'msgspec') if m in sys.modules])"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout == "[]\n"


def test_an_unknown_command_is_told() -> None:
    result = call("biuld")
    assert result.exit_code == 2
    assert "there is no command 'registry biuld'; did you mean 'build'?" in result.output


def test_a_registry_from_nothing_to_a_mirror(tmp_path: Path, make_wheel: Any) -> None:
    registry, keys, mirror = tmp_path / "registry", tmp_path / "keys", tmp_path / "mirror"
    dry = ask("init", registry, "--keys", keys, "--dry-run")
    assert dry["dry_run"]
    assert not registry.exists()
    assert not keys.exists()
    made = ask("init", registry, "--keys", keys, "--name", "corp", "--threshold", 1, "--root-keys", 2)
    assert [name.split("-")[0] for name in made["keys"]] == [
        "root",
        "root",
        "snapshot",
        "targets",
        "timestamp",
    ]
    added = ask("add", make_wheel(), "-r", registry)
    assert added["added"][0]["state"] == "new"
    assert ask("validate", "-r", registry)["faults"] == []
    assert ask("build", "-r", registry, "--dry-run")["rebuilt"] == [NAME]
    assert ask("build", "-r", registry)["rebuilt"] == [NAME]
    assert set(ask("sign", "-r", registry, "-k", keys)["versions"]) == {
        "root", "targets", "snapshot", "timestamp",
    }  # fmt: skip
    assert set(ask("sign", "-r", registry, "-k", keys, "--role", "timestamp")["versions"]) == {
        "root", "timestamp",
    }  # fmt: skip
    root = registry / "keys/1.root.json"
    assert ask("mirror", registry / "dist", mirror, "--root", root, "--wheels")["wheels"] == 1
    assert ask("yank", NAME, "1.0.0", "--reason", "x", "-r", registry)["changed"]
    assert ask("advise", "Kindling_Plugin.Sample", "--summary", "x", "-r", registry)["affected"] == ["1.0.0"]
    assert ask("revoke", NAME, "<2", "--reason", "x", "-r", registry)["revoked"] == ["1.0.0"]
    assert (
        call("validate", "-r", registry).output
        == "1 plugin, 1 release (not compared: no git commit here): no faults\n"
    )
    rotated = ask("keys", "rotate", "timestamp", "--new-keys", keys, "-k", keys, "-r", registry)
    assert not rotated["is_pending"]
    assert ask("keys", "list", "-r", registry)["version"] == 2
    assert not ask("keys", "renew", "-k", keys, "-r", registry)["is_pending"]
    ask("build", "-r", registry)
    ask("sign", "-r", registry, "-k", keys)
    assert ask("mirror", registry / "dist", mirror, "--root", root)["copied"] == 1


def test_a_root_waits_for_the_second_signature(shop: Any) -> None:
    apart = shop.folder / "apart"
    apart.mkdir()
    first, *others = sorted(shop.keys.glob("root-*.pem"))
    for path in others:
        path.rename(apart / path.name)
    result = call("keys", "renew", "-k", shop.keys, "-r", shop.source.folder)
    assert result.output == (
        "the new root waits for more signatures: kindling registry keys sign --keys FOLDER\n"
    )
    result = call("keys", "sign", "-k", apart, "-r", shop.source.folder)
    assert result.output == "the new root counts; next: kindling registry sign\n"
    assert first.exists()


def test_a_registry_without_a_root_gets_its_first(shop: Any) -> None:
    (shop.source.keys / "1.root.json").unlink()
    result = call("keys", "init", "--keys", shop.folder / "new", "--root-keys", 1, "-r", shop.source.folder)
    assert "registry.toml wants 2 root keys to sign: --root-keys" in result.output
    made = ask("keys", "init", "--keys", shop.folder / "new", "-r", shop.source.folder)
    assert len(made["new_keys"]) == len(list((shop.folder / "new").glob("*.pem"))) == 6


def test_a_folder_that_is_not_empty_is_refused(tmp_path: Path) -> None:
    (tmp_path / "x").touch()
    for extra in ([], ["--dry-run"]):
        result = call("init", tmp_path, "--keys", tmp_path.parent / "keys", *extra)
        assert str(result.exception) == (
            f"KDL-REG-004: no registry is made in {str(tmp_path)!r}\n  why: it is not an empty folder\n"
            "  do: kindling registry init with the name of a new folder"
        )
    assert [path.name for path in tmp_path.iterdir()] == ["x"]


def test_a_threshold_above_the_keys_is_refused(tmp_path: Path) -> None:
    result = call("init", tmp_path / "r", "--keys", tmp_path / "k", "--threshold", 4)
    assert result.exit_code == 2
    assert "--threshold 4 needs as many root keys: --root-keys 4" in result.output


def test_refusals_have_their_exit_codes(shop: Any) -> None:
    shop.add()
    shop.publish()
    for path in (shop.source.dist / "targets").glob("*index.json"):
        path.write_bytes(b"{}")
    root = shop.source.keys / "1.root.json"
    result = call("mirror", shop.source.dist, shop.folder / "m", "--root", root)
    assert isinstance(result.exception, KindlingError)
    assert result.exception.exit_code == 5
    shop.add(requires_python="x")
    result = call("validate", "-r", shop.source.folder, "--json")
    assert isinstance(result.exception, KindlingError)
    assert result.exception.exit_code == 2
    assert json.loads(result.stdout)["faults"][0]["code"] == "KDL-REG-025"


def test_a_folder_that_is_no_registry_is_told(
    shop: Any, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    with pytest.raises(UsageError) as caught:
        source_at(tmp_path / "keys")
    assert str(caught.value) == (
        f"KDL-REG-003: {str(tmp_path / 'keys')!r} is not a registry\n  why: it has no registry.toml\n"
        "  do: kindling registry init FOLDER, or name the folder with --registry"
    )
    for place in (tmp_path, tmp_path / "registry"):
        monkeypatch.chdir(place)
        assert source_at(None).folder == shop.source.folder


def test_serving_says_where_and_ends_with_its_process(shop: Any) -> None:
    shop.add()
    shop.publish()
    code = "from kindling_plugin_registry.operator.commands import command; command()"
    with subprocess.Popen(
        [sys.executable, "-c", code, "serve", "--port", "0", "--json", str(shop.source.dist)],
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
    ) as process:
        assert process.stdout is not None
        text = "".join(process.stdout.readline() for _ in range(4))
        url = json.loads(text)["url"]
        with urllib.request.urlopen(f"{url}targets/index.json", timeout=30) as answer:  # noqa: S310  # of this test
            assert json.loads(answer.read())["registry"] == "shop"
        process.terminate()
        process.communicate(timeout=30)
