from __future__ import annotations

from typing import Any

import pytest
from kindling_plugin_registry import records
from kindling_plugin_registry.formats import convert
from kindling_plugin_registry.versions import is_within, newest, newest_first, requirement_of

from kindling.errors import PolicyError


def made(samples: Any, *versions: str, yanked: str = "") -> list[records.Release]:
    mark = {"reason": "x", "at": samples.NOW}
    return [
        convert(
            samples.release(version=version, yanked=mark if version == yanked else None),
            "release",
            records.Release,
            "",
        )
        for version in versions
    ]


def test_versions_are_ordered_as_numbers(samples: Any) -> None:
    found = newest_first(made(samples, "1.9", "1.10", "1.10rc1", "1!0.1"))
    assert [release.version for release in found] == ["1!0.1", "1.10", "1.10rc1", "1.9"]


def test_the_newest_is_final_and_not_yanked(samples: Any) -> None:
    assert newest(made(samples, "1.0", "2.0b1", "1.5", yanked="1.5")).version == "1.0"  # type: ignore[union-attr]
    assert newest(made(samples, "1.0b1", "1.0b2")).version == "1.0b2"  # type: ignore[union-attr]
    assert newest(made(samples, "1.0", yanked="1.0")).version == "1.0"  # type: ignore[union-attr]
    assert newest([]) is None


def test_a_star_holds_all_versions() -> None:
    assert is_within("2.0rc1", "*")
    assert is_within("2.0rc1", ">=1")
    assert not is_within("2.0", "<2")


def test_what_is_no_version_specifier_or_requirement_is_told() -> None:
    calls = (
        (lambda: is_within("1.0", ">>1"), "'>>1'", "a version specifier of PEP 440"),
        (lambda: is_within("1_x", ">=1"), "'1_x'", "a version of PEP 440"),
        (lambda: requirement_of("a b"), "'a b'", "a requirement of PEP 508"),
    )
    for call, text, expected in calls:
        with pytest.raises(PolicyError) as caught:
            call()
        assert str(caught.value) == (
            f"KDL-REG-113: {text} in a registry is not understood\n  why: expected {expected}\n"
            "  do: pip install --upgrade kindling-plugin-registry"
        )
