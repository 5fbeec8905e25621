from __future__ import annotations

from importlib import import_module

import pytest

from kindling.names import KINDS
from kindling.plugins.contracts import APIS, USES, api_fault, features, is_feature, version_of


@pytest.mark.parametrize("kind", sorted(APIS))
def test_the_versions_are_those_of_the_contracts(kind: str) -> None:
    assert kind in KINDS
    assert APIS[kind] == import_module(f"kindling.hooks.{kind}").API


def test_each_use_takes_a_feature_that_storages_have() -> None:
    assert set(USES.values()) <= set(features("storage"))


@pytest.mark.parametrize(
    ("kind", "feature", "known"),
    [
        ("storage", "reads", True),
        ("storage", "reades", False),
        ("storage", "x-acme-fast", True),
        ("storage", "x-fast", False),
        ("storage", "x-", False),
        ("platform", "catalog:unity", True),
        ("platform", "catalog:", False),
        ("storage", "catalog:unity", False),
    ],
)
def test_features_come_from_the_closed_list_or_carry_a_vendor(
    kind: str, feature: str, *, known: bool
) -> None:
    assert is_feature(kind, feature) is known


@pytest.mark.parametrize("text", ["1", "1.", ".1", "1.0.0", "a.b", "1.0a", "-1.0", ""])
def test_an_api_version_is_two_numbers(text: str) -> None:
    assert version_of(text) is None
    assert api_fault("storage", text) == f"{text!r} is not a version like '1.0'"
