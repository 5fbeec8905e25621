from __future__ import annotations

from typing import TYPE_CHECKING, Any

import pytest
from kindling_plugin_registry.operator.adding import add_wheels
from kindling_plugin_registry.operator.mirroring import mirror
from kindling_plugin_registry.operator.verification import Place

from kindling.errors import PolicyError, UsageError

if TYPE_CHECKING:
    from pathlib import Path


def copy(shop: Any, **options: bool) -> Any:
    return mirror(Place(str(shop.source.dist)), shop.root, shop.folder / "mirror", **options)


def test_a_mirror_verifies_as_the_original(shop: Any, samples: Any, make_wheel: Any) -> None:
    add_wheels(shop.source, [make_wheel()], samples.NOW)
    shop.publish()
    done = copy(shop, has_wheels=True)
    assert (done.copied, done.same, done.wheels) == (2, 0, 1)
    found = shop.verify(place=str(shop.folder / "mirror"))
    assert found.targets == shop.verify("other").targets
    assert found.read("plugins/kindling-plugin-sample.json")
    assert (shop.folder / "mirror/wheels/kindling_plugin_sample-1.0.0-py3-none-any.whl").is_file()


def test_only_what_changed_is_copied(shop: Any) -> None:
    shop.add("kindling-plugin-north")
    shop.add("kindling-plugin-south")
    shop.publish()
    copy(shop)
    shop.add("kindling-plugin-south", "1.1.0")
    shop.publish(1)
    dry = copy(shop, is_dry=True)
    assert (dry.copied, dry.same) == (1, 1)
    shop.verify("client", str(shop.folder / "mirror"))
    done = copy(shop)
    assert (done.copied, done.same) == (1, 1)
    assert b"1.1.0" in shop.verify("client", str(shop.folder / "mirror")).targets["index.json"]


def test_a_damaged_mirror_is_mended(shop: Any) -> None:
    shop.add()
    shop.publish()
    copy(shop)
    for path in (shop.folder / "mirror/plugins").iterdir():
        path.write_bytes(b"other")
    assert copy(shop).copied == 1
    assert shop.verify(place=str(shop.folder / "mirror")).read("plugins/kindling-plugin-sample.json")


def test_an_older_index_does_not_replace_a_newer_one(shop: Any) -> None:
    import shutil

    shop.add()
    shop.publish()
    old = shop.copy("old")
    shop.add(version="1.1.0")
    shop.publish(1)
    copy(shop)
    before = {p: p.read_bytes() for p in (shop.folder / "mirror").rglob("*") if p.is_file()}
    shutil.rmtree(shop.source.dist)
    shutil.copytree(old, shop.source.dist)
    with pytest.raises(PolicyError, match="KDL-REG-030"):
        copy(shop)
    assert before == {p: p.read_bytes() for p in (shop.folder / "mirror").rglob("*") if p.is_file()}


def test_a_changed_wheel_is_refused(shop: Any, samples: Any, make_wheel: Any) -> None:
    add_wheels(shop.source, [make_wheel()], samples.NOW)
    shop.publish()
    path = shop.source.dist / "wheels/kindling_plugin_sample-1.0.0-py3-none-any.whl"
    content = path.read_bytes()
    path.write_bytes(content[:-1] + b"x")
    with pytest.raises(PolicyError) as caught:
        copy(shop, has_wheels=True)
    assert caught.value.why == f"{path.name!r} has another SHA-256 than its release says"


def test_a_folder_with_something_else_is_refused(shop: Any) -> None:
    folder: Path = shop.folder / "mirror"
    folder.mkdir()
    (folder / "x").touch()
    with pytest.raises(UsageError) as caught:
        copy(shop)
    assert str(caught.value) == (
        f"KDL-REG-032: {str(folder)!r} cannot become a mirror\n"
        "  why: it holds files that no mirror wrote\n  do: name an empty folder"
    )
