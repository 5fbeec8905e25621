from __future__ import annotations

from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from kindling.errors import KindlingError, PolicyError
from kindling.plugins.manifest import Capability
from kindling.plugins.policy import Policy

ORE = Capability("storage", "ore", "kindling-plugin-ore", "1.0", "1.0", "kindling_plugin_ore.plugin")
OWN = Capability("state", "sqlite", "kindling-core", "1.0", "1.0", "kindling.run.sqlite_plugin")
SPELLINGS = (
    "Kindling_Plugin.Ore",
    "kindling-plugin-ore",
    "KINDLING--PLUGIN..ORE",
    "ore",
    " Ore ",
    "storage:ore",
)


def policy(plugins: object = None, **environ: str) -> Policy:
    return Policy.of({"plugins": plugins} if plugins is not None else {}, environ)


def told(rules: Policy, capability: Capability = ORE) -> str:
    with pytest.raises(KindlingError) as caught:
        rules.enforce(capability)
    assert not rules.permits(capability)
    return str(caught.value)


def test_without_rules_everything_may_be_used() -> None:
    assert policy().permits(ORE)
    policy().enforce(ORE)


@pytest.mark.parametrize("spelling", SPELLINGS)
def test_each_spelling_of_a_name_is_the_same_name(spelling: str) -> None:
    assert not policy({"disable": [spelling]}).permits(ORE)
    assert not policy({"block": [spelling]}).permits(ORE)
    assert policy({"allow": [spelling]}).permits(ORE)
    assert not policy(KINDLING_PLUGINS_DISABLE=f"x,{spelling}").permits(ORE)
    assert policy(KINDLING_PLUGINS_ONLY=f"x,{spelling}").permits(ORE)


@given(st.sampled_from(["-", "_", ".", "--", "_.-"]), st.booleans())
def test_no_spelling_goes_round_a_block(separator: str, upper: bool) -> None:  # noqa: FBT001  # hypothesis gives it
    name = separator.join(("kindling", "plugin", "ore"))
    assert not policy({"block": [name.upper() if upper else name]}).permits(ORE)


def test_a_block_is_told_first_and_is_a_policy_error() -> None:
    rules = policy({"block": ["ore"], "allow": ["gem"], "disable": ["ore"]}, KINDLING_PLUGINS_NONE="1")
    assert isinstance(rules.refusal(ORE), PolicyError)
    assert told(rules) == (
        "KDL-POL-020: 'storage:ore' of 'kindling-plugin-ore' is blocked\n"
        "  why: plugins.block names 'ore'\n"
        "  do: take it from [plugins] block in kindling.toml"
    )


def test_what_is_not_in_the_allow_list_is_refused() -> None:
    assert told(policy({"allow": ["gem", "Other.Thing"]})) == (
        "KDL-POL-021: 'storage:ore' of 'kindling-plugin-ore' is not allowed\n"
        "  why: plugins.allow names only 'gem', 'other-thing'\n"
        '  do: add "kindling-plugin-ore" to [plugins] allow in kindling.toml'
    )


def test_each_switch_says_how_to_turn_it_back() -> None:
    what = "KDL-PLUG-005: 'storage:ore' of 'kindling-plugin-ore' is switched off\n"
    assert told(policy({"disable": ["ore"]})) == (
        f"{what}  why: plugins.disable names 'ore'\n  do: kindling plugins enable kindling-plugin-ore"
    )
    assert told(policy(KINDLING_PLUGINS_DISABLE="storage:ore")) == (
        f"{what}  why: KINDLING_PLUGINS_DISABLE names 'storage:ore'\n"
        "  do: take it from KINDLING_PLUGINS_DISABLE"
    )
    assert told(policy(KINDLING_PLUGINS_ONLY="gem")) == (
        f"{what}  why: KINDLING_PLUGINS_ONLY names 'gem'\n"
        "  do: add kindling-plugin-ore to KINDLING_PLUGINS_ONLY"
    )
    assert told(policy(KINDLING_PLUGINS_ONLY="")) == (
        f"{what}  why: KINDLING_PLUGINS_ONLY names nothing\n"
        "  do: add kindling-plugin-ore to KINDLING_PLUGINS_ONLY"
    )
    assert told(policy(KINDLING_PLUGINS_NONE="1")) == (
        f"{what}  why: KINDLING_PLUGINS_NONE is set\n  do: unset KINDLING_PLUGINS_NONE"
    )


@pytest.mark.parametrize("word", ["", "0", "false", "No", "OFF"])
def test_none_can_be_said_to_be_off(word: str) -> None:
    assert policy(KINDLING_PLUGINS_NONE=word).permits(ORE)


def test_what_the_kernel_brings_is_refused_only_by_name() -> None:
    assert policy({"allow": ["gem"]}, KINDLING_PLUGINS_NONE="1", KINDLING_PLUGINS_ONLY="").permits(OWN)
    assert not policy({"disable": ["state:sqlite"]}).permits(OWN)
    assert not policy({"block": ["kindling-core"]}).permits(OWN)


def test_preference_is_by_capability() -> None:
    rules = policy({"prefer": {"storage:ore": "My_Ore"}})
    assert rules.preferred("storage:ore") == "my-ore"
    assert rules.preferred("storage:gem") == ""


def test_settings_of_a_wrong_type_are_told_together() -> None:
    wrong: dict[str, Any] = {"prefer": ["a"], "disable": "ore", "allow": [1]}
    with pytest.raises(KindlingError) as caught:
        policy(wrong)
    assert str(caught.value) == (
        "KDL-PLUG-030: the setting 'plugins.prefer' cannot be used\n"
        '  why: it is [\'a\'], expected a table like {"storage:delta" = "kindling-plugin-delta"}\n'
        "  do: correct plugins.prefer in kindling.toml\n"
        "KDL-PLUG-030: the setting 'plugins.disable' cannot be used\n"
        "  why: it is 'ore', expected a list like [\"kindling-plugin-delta\"]\n"
        "  do: correct plugins.disable in kindling.toml\n"
        "KDL-PLUG-030: the setting 'plugins.allow' cannot be used\n"
        '  why: it is [1], expected a list like ["kindling-plugin-delta"]\n'
        "  do: correct plugins.allow in kindling.toml"
    )


def test_plugins_that_is_no_table_is_refused() -> None:
    with pytest.raises(KindlingError) as caught:
        policy("delta")
    assert str(caught.value) == (
        "KDL-PLUG-030: the setting 'plugins' cannot be used\n"
        "  why: it is 'delta', expected a table\n"
        "  do: correct plugins in kindling.toml"
    )
