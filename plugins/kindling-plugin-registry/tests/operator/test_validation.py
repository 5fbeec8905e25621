from __future__ import annotations

import json
import subprocess
from typing import Any

from kindling_plugin_registry.formats import source_bytes, write_file
from kindling_plugin_registry.operator.adding import add_wheels
from kindling_plugin_registry.operator.validation import validate

SAMPLE = "kindling-plugin-sample"


def told(shop: Any) -> list[str]:
    return [str(fault) for fault in validate(shop.source).faults]


def git(shop: Any, *arguments: str) -> None:
    who = ["-c", "user.name=a", "-c", "user.email=a@b.example"]
    subprocess.run(["git", *who, *arguments], cwd=shop.source.folder, check=True, capture_output=True)


def test_a_sound_registry_has_no_faults(shop: Any) -> None:
    shop.add()
    found = validate(shop.source)
    assert (found.plugins, found.releases, found.is_compared, found.faults) == (1, 1, False, ())


def test_faults_of_all_documents_are_told_together(shop: Any, samples: Any) -> None:
    shop.add("kindling-plugin-north", summary=3)
    (shop.source.plugin("kindling-plugin-south") / "releases").mkdir(parents=True)
    write_file(shop.source.folder / "advisories/KINDSA-2026-0001.json", b"{}")
    found = validate(shop.source).faults
    assert {fault.code for fault in found} == {"KDL-REG-001", "KDL-REG-002"}
    assert any("plugin.toml" in fault.what for fault in found)
    assert any(fault.what == "the document is wrong at '$.summary'" for fault in found)
    assert any("KINDSA" in fault.where for fault in found)


def test_a_capability_of_two_plugins_must_be_said(shop: Any, samples: Any) -> None:
    import tomli_w

    shop.add("kindling-plugin-north")
    shop.add("kindling-plugin-south")
    path = shop.source.plugin("kindling-plugin-south") / "plugin.toml"
    assert told(shop) == [
        (
            "KDL-REG-022: 'storage:sample' is offered by 'kindling-plugin-north' and "
            "'kindling-plugin-south'\n"
            "  why: only one of them may leave out that it is an alternative\n"
            f'  where: {path}\n  do: alternative_of = ["storage:sample"]'
        )
    ]
    record = samples.record("kindling-plugin-south", alternative_of=["storage:sample"])
    path.write_text(tomli_w.dumps(record), encoding="utf-8")
    assert told(shop) == []


def test_a_committed_release_changes_only_by_a_yank(shop: Any, samples: Any) -> None:
    path = shop.add()
    shop.add(version="1.1.0")
    git(shop, "init", "-q")
    git(shop, "add", ".")
    git(shop, "commit", "-qm", "x")
    shop.add(version="1.2.0")
    shop.add(yanked={"reason": "broken", "at": samples.NOW})
    found = validate(shop.source)
    assert (found.is_compared, found.faults) == (True, ())
    shop.add(requires_dist=["other"], permissions=[])
    shop.source.release_path(SAMPLE, "1.1.0").unlink()
    one, two = told(shop)
    name = f"plugins/{SAMPLE}/releases/1.0.0.json"
    assert one == (
        f"KDL-REG-023: the release {name!r} was changed after it was committed\n"
        f"  why: changed: permissions, requires_dist\n  where: {path}\n"
        f"  do: git checkout HEAD -- {name}, and raise the version; only 'yanked' may change"
    )
    assert "why: it was deleted" in two


def test_values_that_no_tool_understands_are_told(shop: Any) -> None:
    path = shop.add(
        requires_python=">=three", requires_dist=["a b"], requires_kernel="0.1", extras={"x": [",,"]}
    )
    found = validate(shop.source).faults
    assert [fault.what for fault in found] == [
        "'requires_python' cannot be understood",
        "'requires_kernel' cannot be understood",
        "'requires_dist' cannot be understood",
        "'extras' cannot be understood",
    ]
    assert str(found[0]) == (
        f"KDL-REG-025: 'requires_python' cannot be understood\n  why: {found[0].why}\n  where: {path}"
    )


def test_text_that_hides_something_is_told(shop: Any, samples: Any) -> None:
    import tomli_w

    shop.add()
    path = shop.source.plugin(SAMPLE) / "plugin.toml"
    path.write_text(tomli_w.dumps(samples.record(summary="safe\u202eefas")), encoding="utf-8")
    assert told(shop) == [
        (
            "KDL-REG-025: 'summary' cannot be understood\n"
            f"  why: found the invisible character U+202E\n  where: {path}"
        )
    ]


def test_advisories_and_revocations_that_match_nothing_are_told(shop: Any, samples: Any) -> None:
    shop.add(version="2.0.0")
    folder = shop.source.folder
    write_file(folder / "advisories/KINDSA-2026-0001.json", source_bytes(samples.advisory()))
    other = samples.advisory(id="KINDSA-2026-0003")
    other["affected"][0]["package"]["name"] = "kindling-plugin-gone"
    write_file(folder / "advisories/KINDSA-2026-0002.json", source_bytes(other))
    revoked = {"name": SAMPLE, "versions": "all", "reason": "x", "severity": "low", "at": samples.NOW}
    document = {"schema": "kindling.revoked/1", "revoked": [revoked]}
    write_file(folder / "policy/revoked.json", source_bytes(document))
    found = validate(shop.source).faults
    assert [fault.why for fault in found] == [
        f"no release of {SAMPLE!r} is affected",
        "id is 'KINDSA-2026-0003', expected 'KINDSA-2026-0002'",
        "there is no plugin 'kindling-plugin-gone'",
        "Invalid specifier: 'all'",
    ]
    path = folder / "advisories/KINDSA-2026-0001.json"
    assert str(found[0]) == (
        f"KDL-REG-026: 'KINDSA-2026-0001.json' matches nothing\n  why: {found[0].why}\n  where: {path}"
    )


def test_names_are_checked_by_the_policy(shop: Any) -> None:
    shop.add("kindling-core")
    assert validate(shop.source).faults[0].what == "the name 'kindling-core' is reserved"


def test_kept_wheels_are_compared_with_their_releases(shop: Any, samples: Any, make_wheel: Any) -> None:
    add_wheels(shop.source, [make_wheel()], samples.NOW)
    assert told(shop) == []
    path = shop.source.wheels / "kindling_plugin_sample-1.0.0-py3-none-any.whl"
    path.unlink()
    digest = json.loads(shop.source.release_path(SAMPLE, "1.0.0").read_bytes())["artifacts"][0]["sha256"]
    assert told(shop) == [
        (
            f"KDL-REG-024: the wheel {path.name!r} is not the one of its release\n"
            f"  why: found no such file, expected {digest}\n  where: {path}\n"
            "  do: put the released file back, or release a new version"
        )
    ]
