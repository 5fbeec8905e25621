from __future__ import annotations

import pytest

from kindling.errors import KindlingError, PluginError
from kindling.plugins.catalog import Catalog
from kindling.plugins.contracts import api_fault
from kindling.plugins.installed import Installed
from kindling.plugins.manifest import Capability
from kindling.plugins.policy import Policy


def capability(text: str, *, by: str = "", version: str = "1.0", api: str = "1.0") -> Capability:
    kind, _, name = text.partition(":")
    by = by or f"kindling-plugin-{name}"
    return Capability(kind, name, by, version, api, f"{by.replace('-', '_')}.plugin")


def catalog(*capabilities: Capability, policy: Policy | None = None) -> Catalog:
    return Catalog(Installed(capabilities), policy or Policy())


def refusal(of: Catalog, capability_id: str) -> str:
    with pytest.raises(KindlingError) as caught:
        of.find(capability_id)
    return str(caught.value)


def test_the_command_names_the_distribution_where_it_has_another_name() -> None:
    assert refusal(catalog(), "storage:csv").endswith("do: pip install kindling-plugin-files")
    assert refusal(catalog(), "masking:token").endswith("do: pip install kindling-plugin-masking")


TWINS = (capability("storage:delta", by="a-delta"), capability("storage:delta", by="b-delta", version="2.0"))


def test_an_unknown_capability_names_what_looks_like_it_and_the_command() -> None:
    installed = catalog(capability("storage:delta"), capability("platform:dleta"))
    assert refusal(installed, "storage:dleta") == (
        "KDL-PLUG-002: no installed plugin offers 'storage:dleta'\n"
        "  why: did you mean 'storage:delta'?\n"
        "  do: correct the name, or pip install kindling-plugin-dleta"
    )
    assert refusal(catalog(), "storage:delta") == (
        "KDL-PLUG-002: no installed plugin offers 'storage:delta'\n  do: pip install kindling-plugin-delta"
    )


def test_what_is_no_capability_is_refused_as_such() -> None:
    assert refusal(catalog(), "delta").startswith("KDL-PLUG-001: 'delta' is not a capability")


def test_a_capability_of_two_distributions_names_both() -> None:
    both = catalog(*TWINS)
    assert refusal(both, "storage:delta") == (
        "KDL-PLUG-003: 'storage:delta' is offered by 'a-delta' 1.0 and 'b-delta' 2.0\n"
        "  why: only one of them can be used, and nothing says which\n"
        '  do: add "storage:delta" = "a-delta" (or another) to [plugins.prefer] in kindling.toml'
    )
    assert [(item.reason, item.distributions) for item in both.conflicts] == [
        ("capability", ("a-delta", "b-delta"))
    ]
    assert both.has("storage:delta")


def test_preference_decides_and_compares_names_canonically() -> None:
    policy = Policy.of({"plugins": {"prefer": {"storage:delta": "B.Delta"}}}, {})
    chosen = catalog(*TWINS, policy=policy)
    assert chosen.find("storage:delta").distribution == "b-delta"
    assert chosen.conflicts == ()
    assert [item.distribution for item in chosen.capabilities()] == ["b-delta"]
    assert [str(chosen.unusable(item)) for item in chosen.installed()] == [
        (
            "KDL-PLUG-005: 'storage:delta' of 'a-delta' is switched off\n"
            "  why: plugins.prefer names 'b-delta'\n"
            "  do: change [plugins.prefer] in kindling.toml"
        ),
        "None",
    ]


def test_switching_one_of_two_off_leaves_the_other() -> None:
    assert catalog(*TWINS, policy=Policy(disable=("a-delta",))).find("storage:delta").version == "2.0"


def test_a_preferred_distribution_that_is_missing_is_not_replaced() -> None:
    policy = Policy(prefer=(("storage:delta", "c-delta"),))
    assert refusal(catalog(*TWINS, policy=policy), "storage:delta") == (
        "KDL-PLUG-004: 'c-delta' does not offer 'storage:delta'\n"
        "  why: plugins.prefer names it; offered by 'a-delta', 'b-delta'\n"
        "  do: pip install c-delta, or change [plugins.prefer] in kindling.toml"
    )


def test_a_preferred_distribution_that_is_blocked_is_refused_by_its_block() -> None:
    policy = Policy(prefer=(("storage:delta", "a-delta"),), block=("a-delta",))
    assert refusal(catalog(*TWINS, policy=policy), "storage:delta").startswith("KDL-POL-020: 'storage:delta'")


def test_what_is_switched_off_is_not_there_but_says_why() -> None:
    off = catalog(capability("storage:delta"), policy=Policy(disable=("delta",)))
    assert not off.has("storage:delta")
    assert off.capabilities() == ()
    assert [item.id for item in off.installed()] == ["storage:delta"]
    assert refusal(off, "storage:delta") == (
        "KDL-PLUG-005: 'storage:delta' of 'kindling-plugin-delta' is switched off\n"
        "  why: plugins.disable names 'delta'\n"
        "  do: kindling plugins enable kindling-plugin-delta"
    )


@pytest.mark.parametrize("api", ["0.7", "1.0"])
def test_this_and_the_previous_major_of_the_api_are_supported(api: str) -> None:
    assert catalog(capability("storage:delta", api=api)).find("storage:delta").api == api


@pytest.mark.parametrize("api", ["1.1", "2.0"])
def test_a_newer_api_is_refused(api: str) -> None:
    assert refusal(catalog(capability("storage:delta", api=api)), "storage:delta") == (
        "KDL-PLUG-006: 'storage:delta' of 'kindling-plugin-delta' 1.0 does not fit\n"
        f"  why: it is made for the storage API {api}, this kernel supports 1.0 to 1.0\n"
        "  do: pip install --upgrade kindling-core kindling-plugin-delta"
    )


def test_a_kind_without_a_contract_is_refused() -> None:
    assert api_fault("audit", "1.0") == "this kernel has no contract for the kind 'audit' yet"


def test_capabilities_are_listed_by_kind_in_order() -> None:
    several = catalog(capability("platform:sail"), capability("storage:a"), capability("storage:b"))
    assert [item.id for item in several.capabilities("storage")] == ["storage:a", "storage:b"]
    assert [item.id for item in several.capabilities()] == ["platform:sail", "storage:a", "storage:b"]


def test_the_fault_of_a_broken_distribution_answers_for_its_capabilities() -> None:
    fault = PluginError("KDL-PLUG-010", "broken", capabilities=["storage:delta"])
    broken = Catalog(Installed((), (), (fault,)), Policy())
    assert refusal(broken, "storage:delta") == "KDL-PLUG-010: broken"
    assert refusal(broken, "storage:files").startswith("KDL-PLUG-002")


def test_another_policy_judges_the_same_catalog_anew() -> None:
    before = catalog(capability("storage:delta"))
    after = before.under(Policy(disable=("delta",)))
    assert (before.has("storage:delta"), after.has("storage:delta")) == (True, False)
    assert after.under(Policy()).has("storage:delta")
