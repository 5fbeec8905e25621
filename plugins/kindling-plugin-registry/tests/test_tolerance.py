"""Signed documents are read with keys that nobody knows yet; anything else that is strange is refused."""

from __future__ import annotations

import json
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from kindling_plugin_registry.advisories import Advisories
from kindling_plugin_registry.records import Files, Page, Policy
from kindling_plugin_registry.tolerance import read_signed

from kindling.errors import PolicyError

ITEM = {"name": "a", "versions": "*", "reason": "bad", "severity": "high", "at": "2026-11-25T00:00:00Z"}
POLICY: dict[str, Any] = {"schema": "kindling.policy/1", "revoked": [ITEM]}
PLAIN = st.recursive(
    st.none() | st.booleans() | st.integers() | st.text(max_size=5),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=5), inner, max_size=3),
    max_leaves=8,
)


def test_unknown_keys_are_left_out_at_any_depth() -> None:
    more = {**POLICY, "new": 1, "revoked": [{**ITEM, "newer": {"deep": []}}]}
    expected = read_signed(json.dumps(POLICY).encode(), Policy, "")
    assert read_signed(json.dumps(more).encode(), Policy, "") == expected
    event = {"introduced": "0", "new": 1}
    affected = {
        "package": {"ecosystem": "PyPI", "name": "a"},
        "ranges": [{"type": "ECOSYSTEM", "events": [event]}],
    }
    advisory = {
        "schema_version": "1.9.0",
        "id": "KINDSA-2026-0001",
        "modified": ITEM["at"],
        "published": ITEM["at"],
        "summary": "s",
        "details": "d",
        "affected": [affected],
    }
    text = json.dumps({"schema": "kindling.advisories/1", "advisories": [advisory], "new": 1}).encode()
    (found,) = read_signed(text, Advisories, "").advisories
    assert found.is_affected("a", "1.0")


def test_what_is_not_understood_says_where_and_what_to_do() -> None:
    for text, why in (
        (
            b'{"schema": "kindling.policy/2", "revoked": []}',
            "Invalid enum value 'kindling.policy/2' - at `$.schema`",
        ),
        (b"[]", "Expected `object`, got `array`"),
        (b"{", "Input data was truncated"),
    ):
        with pytest.raises(PolicyError) as caught:
            read_signed(text, Policy, "https://shop.example/ policy.json")
        assert str(caught.value) == (
            f"KDL-REG-113: the registry's 'policy' is not understood\n  why: {why}\n"
            "  where: https://shop.example/ policy.json\n  do: pip install --upgrade kindling-plugin-registry"
        )


@given(plain=PLAIN, made=st.sampled_from([Policy, Page, Files, Advisories]))
def test_any_json_is_read_or_refused(plain: object, made: type[object]) -> None:
    try:
        read_signed(json.dumps(plain).encode(), made, "")
    except PolicyError as error:
        assert error.code == "KDL-REG-113"  # noqa: PT017  # both ends are right


@given(st.binary(max_size=40))
def test_any_bytes_are_read_or_refused(content: bytes) -> None:
    with pytest.raises(PolicyError, match="KDL-REG-113"):
        read_signed(content, Page, "")
