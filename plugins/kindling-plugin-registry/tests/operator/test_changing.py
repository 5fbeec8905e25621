from __future__ import annotations

import json
from typing import Any

import pytest
from kindling_plugin_registry.operator.changing import advise, revoke, yank
from kindling_plugin_registry.operator.validation import validate

from kindling.errors import PluginError, UsageError

NAME = "kindling-plugin-sample"
NOW = "2026-11-25T00:00:00Z"


def read(path: Any) -> Any:
    return json.loads(path.read_bytes())


def test_a_release_is_yanked_once(shop: Any) -> None:
    path = shop.add()
    before = read(path)
    assert yank(shop.source, NAME, "1.0.0", "broken", NOW, is_dry=True)
    assert read(path) == before
    assert yank(shop.source, NAME, "1.0.0", "broken", NOW)
    assert read(path) == {**before, "yanked": {"reason": "broken", "at": NOW}}
    assert not yank(shop.source, NAME, "1.0.0", "again", NOW)
    shop.add(version="1.1.0")
    with pytest.raises(PluginError, match="KDL-REG-002"):
        yank(shop.source, NAME, "1.1.0", "", NOW)


def test_what_is_not_there_is_not_yanked(shop: Any) -> None:
    shop.add()
    with pytest.raises(UsageError) as caught:
        yank(shop.source, "kindling-plugin-smple", "1.0.0", "x", NOW)
    assert str(caught.value) == (
        "KDL-REG-027: there is no plugin 'kindling-plugin-smple' in the registry\n"
        f"  why: there is no folder 'kindling-plugin-smple' in {str(shop.source.plugins)!r}\n"
        "  do: did you mean 'kindling-plugin-sample'?"
    )
    with pytest.raises(UsageError) as caught:
        yank(shop.source, NAME, "2.0.0", "x", NOW)
    assert str(caught.value) == (
        f"KDL-REG-027: there is no release '2.0.0' of {NAME!r}\n  why: found 1.0.0\n"
        f"  where: {shop.source.plugin(NAME) / 'releases'}"
    )


def test_an_advisory_gets_the_next_id_and_names_what_is_affected(shop: Any) -> None:
    for version in ("1.0.0", "1.1.0", "1.2.0"):
        shop.add(version=version)
    options = {"summary": "Leaks.", "details": "It leaks.", "now": NOW}
    made, affected = advise(
        shop.source, NAME, introduced="1.0", fixed="1.2", aliases=["CVE-2026-1"], links=[], **options
    )
    assert (made.id, affected) == ("KINDSA-2026-0001", ("1.1.0", "1.0.0"))
    plain = read(shop.source.folder / "advisories/KINDSA-2026-0001.json")
    assert plain["affected"][0]["ranges"][0]["events"] == [{"introduced": "1.0"}, {"fixed": "1.2"}]
    assert plain["aliases"] == ["CVE-2026-1"]
    second, affected = advise(
        shop.source, NAME, introduced="0", fixed="", links=["https://a.example"], **options
    )
    assert (second.id, len(affected)) == ("KINDSA-2026-0002", 3)
    assert validate(shop.source).faults == ()


@pytest.mark.parametrize(
    ("introduced", "fixed", "why"),
    [
        ("1.2", "1.0", "1.0 is not newer than 1.2"),
        ("2", "", "from 2 to the newest; its releases: 1.0.0"),
        ("x", "", "Invalid version: 'x'"),
    ],
)
def test_ranges_that_hold_no_release_are_refused(shop: Any, introduced: str, fixed: str, why: str) -> None:
    shop.add()
    with pytest.raises(UsageError) as caught:
        advise(shop.source, NAME, summary="x", details="", introduced=introduced, fixed=fixed, now=NOW)
    assert str(caught.value) == (
        f"KDL-REG-028: no release of {NAME!r} is affected\n  why: {why}\n  do: --introduced 1.0 --fixed 1.2"
    )
    assert not list((shop.source.folder / "advisories").glob("*.json"))


def test_releases_are_revoked(shop: Any) -> None:
    shop.add()
    shop.add(version="2.0.0")
    options: Any = {"reason": "stolen key", "severity": "critical", "now": NOW}
    assert revoke(shop.source, NAME, "<2", **options) == ("1.0.0",)
    assert revoke(shop.source, NAME, "*", **options) == ("2.0.0", "1.0.0")
    plain = read(shop.source.folder / "policy/revoked.json")
    assert [item["versions"] for item in plain["revoked"]] == ["<2", "*"]
    for versions, why in ((">2", ">2; its releases: 2.0.0, 1.0.0"), ("2", "Invalid specifier: '2'")):
        with pytest.raises(UsageError, match="KDL-REG-028") as caught:
            revoke(shop.source, NAME, versions, **options)
        assert caught.value.why == why
