"""`kindling plugins resolve`, `why` and `why-not`: who is chosen, and why the others are not."""

from __future__ import annotations

from datetime import datetime, timezone
from typing import TYPE_CHECKING

import pytest

if TYPE_CHECKING:
    from conftest import Bench, Shelf

ORE = {"storage:ore": {"features": ["reads", "writes"]}}


def _picks(bench: Bench, *arguments: str) -> dict[str, str]:
    plain = bench.plugins("resolve", *arguments, "--json").plain()
    return {row["name"]: row["version"] for row in plain["plugins"]}  # type: ignore[attr-defined, index]


def test_the_higher_level_wins_and_the_other_is_explained(shelf: Shelf, bench: Bench) -> None:
    shelf.add("kindling-plugin-a", capabilities=ORE, level="loadable")
    shelf.add("kindling-plugin-b", capabilities=ORE, level="conformant")
    shelf.publish()
    bench.configure(shelf.settings())
    assert _picks(bench, "storage:ore") == {"kindling-plugin-b": "1.0.0"}
    why = bench.plugins("why", "storage:ore").out
    assert why == (
        "storage:ore\n  needed by asked for\n  from kindling-plugin-b 1.0.0: it has the highest level\n"
        "  not kindling-plugin-a: kindling-plugin-b has the level conformant, "
        "this one loadable (lower-level)\n"
    )
    not_a = bench.plugins("why-not", "a").out
    assert "kindling-plugin-b has the level conformant, this one loadable (lower-level)" in not_a
    assert 'do: "storage:ore" = "kindling-plugin-a" in [plugins.prefer]' in not_a


def test_an_ambiguity_prints_both_lines_and_a_preference_ends_it(shelf: Shelf, bench: Bench) -> None:
    shelf.add("kindling-plugin-a", capabilities=ORE)
    shelf.add("kindling-plugin-b", capabilities=ORE)
    shelf.publish()
    bench.configure(shelf.settings())
    done = bench.plugins("resolve", "storage:ore")
    assert done.code == 2
    assert done.err == (
        "KDL-REG-120: 'storage:ore' is offered by 'kindling-plugin-a' and 'kindling-plugin-b'\n"
        "  why: they have equal rank, and nothing says which one is meant\n"
        "  do: add one of these lines to [plugins.prefer] in kindling.toml:\n"
        '"storage:ore" = "kindling-plugin-a"\n'
        '"storage:ore" = "kindling-plugin-b"\n'
    )
    bench.configure(shelf.settings(), '[plugins.prefer]\n"storage:ore" = "Kindling_Plugin.B"\n')
    assert _picks(bench, "storage:ore") == {"kindling-plugin-b": "1.0.0"}
    bench.configure('[plugins]\nrequests = ["a"]\n', shelf.settings())
    assert _picks(bench, "storage:ore") == {"kindling-plugin-a": "1.0.0"}


CASES = {
    "yanked": ({"yanked": {"reason": "broken", "at": "2026-01-03T00:00:00Z"}}, "", "broken (yanked)"),
    "python": ({"requires_python": ">=3.99"}, "", "needs Python >=3.99"),
    "kernel": ({"requires_kernel": ">=9"}, "", "needs kindling-core >=9"),
    "api": ({"capabilities": {"storage:ore": {"api": "7.0"}}}, "", "made for the storage API 7.0"),
    "level": ({"level": "listed"}, "", "its level is listed"),
    "license": ({}, '[plugins.policy]\nlicenses = ["MIT"]\n', "its license is Apache-2.0, permitted are MIT"),
    "cooldown": ({"released_at": "now"}, "", "plugins.policy.cooldown_days is 3 (cooldown)"),
    "blocked": (
        {},
        '[plugins]\nblock = ["Kindling_Plugin.ORE"]\n',
        "plugins.block names kindling-plugin-ore",
    ),
    "not-allowed": ({}, '[plugins]\nallow = ["Other"]\n', "plugins.allow names only other"),
}


@pytest.mark.parametrize("rule", CASES)
def test_each_rule_excludes_and_why_not_says_so(rule: str, shelf: Shelf, bench: Bench) -> None:
    changes, settings, text = CASES[rule]
    given = {"capabilities": ORE, **changes}
    if given.get("released_at") == "now":
        given["released_at"] = datetime.now(timezone.utc).strftime("%Y-%m-%dT%H:%M:%SZ")
    shelf.add("kindling-plugin-ore", "1.0.0", **given)  # type: ignore[arg-type]  # a case's own keywords
    shelf.publish()
    # the registry plugin itself is not to be blocked by its own allow list
    allow = settings.replace('["Other"]', '["Other", "kindling-plugin-registry"]')
    text = text.replace("only other", "only kindling-plugin-registry, other")
    bench.configure(allow, shelf.settings())
    done = bench.plugins("resolve", "storage:ore[reads]")
    assert done.code == 5, done
    assert "KDL-REG-122: no plugin may be chosen for 'storage:ore'" in done.err
    found = bench.plugins("why-not", "ore")
    assert text in found.out, found
    assert f"({rule})" in found.out


def test_an_older_release_is_chosen_where_the_newest_may_not(shelf: Shelf, bench: Bench) -> None:
    shelf.add("kindling-plugin-ore", "1.0.0", capabilities=ORE)
    shelf.add("kindling-plugin-ore", "1.1.0", capabilities={"storage:ore": {"features": ["reads"]}})
    shelf.publish()
    bench.configure(shelf.settings())
    assert _picks(bench, "storage:ore[writes]") == {"kindling-plugin-ore": "1.0.0"}
    assert _picks(bench, "storage:ore") == {"kindling-plugin-ore": "1.1.0"}


def test_revoked_is_refused_and_vulnerable_is_warned_about(shelf: Shelf, bench: Bench) -> None:
    shelf.add("kindling-plugin-ore", "1.0.0", capabilities=ORE)
    shelf.advise("kindling-plugin-ore")
    shelf.publish()
    bench.configure(shelf.settings())
    done = bench.plugins("resolve", "storage:ore")
    assert "warning: kindling-plugin-ore 1.0.0 is vulnerable: KINDSA-2026-0001: Reads too much." in done.out
    bench.configure(shelf.settings(), '[plugins.policy]\nvulnerable = "refuse"\n')
    assert bench.plugins("resolve", "storage:ore").code == 5
    shelf.revoke("kindling-plugin-ore", ">=1")
    shelf.publish()
    bench.configure(shelf.settings())
    done = bench.plugins("resolve", "storage:ore", "--refresh")
    assert done.code == 5
    assert "revoked (critical): stolen key" in done.err
    bench.configure(shelf.settings(), '[plugins.policy]\nrevoked = "warn"\n')
    assert "is revoked: (critical): stolen key" in bench.plugins("resolve", "storage:ore").out


def test_what_a_plugin_requires_of_other_plugins_is_chosen_too(shelf: Shelf, bench: Bench) -> None:
    shelf.add("kindling-plugin-ore", capabilities=ORE, requires=["kindling-plugin-base>=1,<2", "click"])
    shelf.add("kindling-plugin-base", "1.5.0", capabilities={"storage:base": {}})
    shelf.add("kindling-plugin-base", "2.0.0", capabilities={"storage:base": {}})
    shelf.publish()
    bench.configure(shelf.settings())
    assert _picks(bench, "storage:ore") == {"kindling-plugin-base": "1.5.0", "kindling-plugin-ore": "1.0.0"}
