from __future__ import annotations

import json
import tomllib
from typing import Any

import pytest
from kindling_plugin_registry.operator.adding import add_wheels
from kindling_plugin_registry.operator.validation import validate

from kindling.errors import Faults, PolicyError

NAME = "kindling-plugin-sample"
NOW = "2026-11-25T00:00:00Z"
LATER = "2026-12-01T00:00:00Z"


def read(shop: Any, version: str = "1.0.0") -> dict[str, Any]:
    found: dict[str, Any] = json.loads(shop.source.release_path(NAME, version).read_bytes())
    return found


def test_a_wheel_makes_a_record_and_the_first_plugin_toml(shop: Any, make_wheel: Any) -> None:
    (added,) = add_wheels(shop.source, [make_wheel()], NOW)
    assert (added.name, added.version, added.state, added.is_first) == (NAME, "1.0.0", "new", True)
    release = read(shop)
    assert release["provides"] == [
        {
            "capability": "storage:sample",
            "api": "1.0",
            "features": ["reads", "writes"],
            "entry_point": "kindling_plugin_sample.plugin",
            "needs": {},
            "config": {},
            "help": "",
        }
    ]
    assert release["requires_kernel"] == ">=0.1,<0.2"
    assert release["requires_dist"] == ["packaging>=24"]
    assert release["extras"] == {"pretty": ['rich>=13; extra == "pretty"']}
    assert release["permissions"] == ["files", "network"]
    assert release["artifacts"][0]["url"] == "../wheels/kindling_plugin_sample-1.0.0-py3-none-any.whl"
    folder = shop.source.plugin(NAME)
    record = tomllib.loads((folder / "plugin.toml").read_text(encoding="utf-8"))
    assert record["license"] == "MIT"
    assert record["links"]["repository"] == "https://git.example/x"
    assert (folder / "README.md").read_text(encoding="utf-8") == "# Sample\n"
    assert validate(shop.source).faults == ()


def test_the_same_wheel_changes_nothing(shop: Any, make_wheel: Any) -> None:
    add_wheels(shop.source, [make_wheel()], NOW)
    before = shop.source.release_path(NAME, "1.0.0").read_bytes()
    (added,) = add_wheels(shop.source, [make_wheel()], LATER)
    assert (added.state, added.is_first) == ("same", False)
    assert shop.source.release_path(NAME, "1.0.0").read_bytes() == before


def test_another_wheel_of_a_recorded_release_is_refused(shop: Any, make_wheel: Any) -> None:
    add_wheels(shop.source, [make_wheel()], NOW)
    before = shop.source.release_path(NAME, "1.0.0").read_bytes()
    other = make_wheel(metadata="Requires-Dist: rich", folder="other")
    with pytest.raises(PolicyError) as caught:
        add_wheels(shop.source, [other], LATER)
    assert str(caught.value) == (
        f"KDL-REG-012: {NAME!r} 1.0.0 is recorded already\n"
        "  why: the wheels differ from the record in: requires_dist, artifacts\n"
        f"  where: {shop.source.release_path(NAME, '1.0.0')}\n"
        "  do: releases are immutable: raise the version; or --replace, if nobody has installed it yet"
    )
    assert shop.source.release_path(NAME, "1.0.0").read_bytes() == before
    (added,) = add_wheels(shop.source, [other], LATER, is_replacing=True)
    assert added.state == "replaced"
    assert read(shop)["released_at"] == LATER


def test_a_yank_and_verified_publishers_survive_a_second_look(shop: Any, make_wheel: Any) -> None:
    add_wheels(shop.source, [make_wheel()], NOW)
    path = shop.source.release_path(NAME, "1.0.0")
    release = read(shop)
    release["yanked"] = {"reason": "broken", "at": NOW}
    release["artifacts"][0]["publisher"] = {"kind": "github", "repository": "a/b", "workflow": "c"}
    path.write_text(json.dumps(release), encoding="utf-8")
    assert add_wheels(shop.source, [make_wheel()], LATER)[0].state == "same"
    assert read(shop) == release


def test_wheels_of_one_release_make_one_record(shop: Any, make_wheel: Any) -> None:
    wheels = [make_wheel(tag="py3-none-any"), make_wheel(tag="cp311-cp311-linux_x86_64")]
    (added,) = add_wheels(shop.source, wheels, NOW, url="https://files.example/w")
    assert added.version == "1.0.0"
    assert [item["url"] for item in read(shop)["artifacts"]] == [
        "https://files.example/w/kindling_plugin_sample-1.0.0-cp311-cp311-linux_x86_64.whl",
        "https://files.example/w/kindling_plugin_sample-1.0.0-py3-none-any.whl",
    ]
    assert not shop.source.wheels.exists()


def test_wheels_of_one_release_must_agree(shop: Any, make_wheel: Any) -> None:
    other = make_wheel(tag="cp311-cp311-linux_x86_64", manifest={"capabilities": {}})
    with pytest.raises(PolicyError) as caught:
        add_wheels(shop.source, [make_wheel(), other], NOW)
    assert str(caught.value) == (
        f"KDL-REG-012: the wheels of {NAME!r} 1.0.0 disagree\n"
        "  why: the manifests of kindling_plugin_sample-1.0.0-py3-none-any.whl and "
        "kindling_plugin_sample-1.0.0-cp311-cp311-linux_x86_64.whl differ\n"
        "  do: build all wheels of a release from one source"
    )


def test_a_manifest_that_makes_no_record_is_told_whole(shop: Any, make_wheel: Any) -> None:
    manifest = {"capabilities": {"storage:sample": {"api": "one"}}, "permissions": ["sockets"]}
    with pytest.raises(Faults) as caught:
        add_wheels(shop.source, [make_wheel(manifest=manifest)], NOW)
    assert [fault.what for fault in caught.value.faults] == [
        "the document is wrong at '$.permissions[0]'",
        "the document is wrong at '$.provides[0].api'",
    ]


def test_without_a_license_nothing_is_listed(shop: Any, make_wheel: Any, tmp_path: Any) -> None:
    import zipfile

    wheel, bare = make_wheel(), tmp_path / "bare.whl"
    with zipfile.ZipFile(wheel) as old, zipfile.ZipFile(bare, "w") as new:
        for name in old.namelist():
            new.writestr(name, old.read(name).replace(b"License-Expression: MIT\n", b""))
    with pytest.raises(PolicyError) as caught:
        add_wheels(shop.source, [bare], NOW)
    assert str(caught.value) == (
        f"KDL-REG-013: {NAME!r} cannot be listed\n  why: its metadata names no license\n"
        '  do: license = "SPDX expression" in its pyproject.toml'
    )
    assert shop.source.names() == []


def test_the_source_archive_beside_a_wheel_is_kept_with_it_for_its_tests(shop: Any, make_wheel: Any) -> None:
    wheel = make_wheel()
    wheel.with_name("kindling_plugin_sample-1.0.0.tar.gz").write_bytes(b"tests")
    wheel.with_name("kindling_plugin_other-1.0.0.tar.gz").write_bytes(b"of another")
    add_wheels(shop.source, [wheel], NOW)
    kept = sorted(path.name for path in shop.source.wheels.iterdir())
    assert kept == ["kindling_plugin_sample-1.0.0-py3-none-any.whl", "kindling_plugin_sample-1.0.0.tar.gz"]


def test_a_dry_run_writes_nothing(shop: Any, make_wheel: Any) -> None:
    assert add_wheels(shop.source, [make_wheel()], NOW, is_dry=True)[0].state == "new"
    assert shop.source.names() == []


def test_wheels_of_a_package_index_have_no_address(shop: Any, make_wheel: Any) -> None:
    add_wheels(shop.source, [make_wheel()], NOW, is_kept=False)
    assert read(shop)["artifacts"][0]["url"] == ""
    assert not shop.source.wheels.exists()
