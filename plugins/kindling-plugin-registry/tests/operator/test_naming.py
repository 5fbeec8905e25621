from __future__ import annotations

from itertools import permutations

import pytest
from hypothesis import given
from hypothesis import strategies as st
from kindling_plugin_registry.operator.naming import is_one_edit, name_faults
from kindling_plugin_registry.records import NAMES, Names


def found(*names: str, **policy: tuple[object, ...]) -> list[str]:
    made = Names(schema=NAMES, **policy)  # type: ignore[arg-type]  # of the right types
    return [str(fault) for fault in name_faults(names, made, "names.toml")]


def test_a_reserved_name_is_told() -> None:
    assert found("kindling-core", reserved=("kindling-c*",)) == [
        (
            "KDL-REG-020: the name 'kindling-core' is reserved\n  why: 'kindling-c*' is reserved\n"
            "  where: names.toml\n  do: another name; or in policy/names.toml: exceptions += 'kindling-core'"
        )
    ]
    assert found("kindling-core", reserved=("kindling-c*",), exceptions=("kindling-core",)) == []


@pytest.mark.parametrize("other", ["detla", "delt", "deltaa", "delte"])
def test_one_typing_error_is_told(other: str) -> None:
    one, two = sorted(["kindling-plugin-delta", f"kindling-plugin-{other}"])
    assert found("kindling-plugin-delta", f"kindling-plugin-{other}") == [
        (
            f"KDL-REG-020: the names {one!r} and {two!r} are too alike\n"
            "  why: they are one typing error apart\n  where: names.toml\n"
            f"  do: another name; or in policy/names.toml: alike += [{one!r}, {two!r}]"
        )
    ]
    assert found(one, two, alike=((two, one),)) == []


@pytest.mark.parametrize(("one", "other"), [("modern", "modem"), ("sail", "sai1"), ("ice-berg", "iceberg")])
def test_names_that_look_the_same_are_told(one: str, other: str) -> None:
    (text, *_) = found(f"kindling-plugin-{one}", f"kindling-plugin-{other}")
    assert "are too alike" in text


def test_short_and_different_names_are_let_be() -> None:
    assert found("kindling-plugin-s3", "kindling-plugin-s4", "kindling-plugin-delta", "corp-x") == []


@given(st.text("ab", max_size=5), st.text("ab", max_size=5))
def test_one_edit_is_what_its_definition_says(one: str, other: str) -> None:
    def edits(text: str) -> set[str]:
        lost = {text[:i] + text[i + 1 :] for i in range(len(text))}
        grown = {text[:i] + c + text[i:] for i in range(len(text) + 1) for c in "ab"}
        changed = {text[:i] + c + text[i + 1 :] for i in range(len(text)) for c in "ab"}
        swapped = {text[:i] + text[i + 1] + text[i] + text[i + 2 :] for i in range(len(text) - 1)}
        return (lost | grown | changed | swapped) - {text}

    assert is_one_edit(one, other) == (other in edits(one))


def test_many_names_are_compared_quickly() -> None:
    import time

    names = ["".join(word) for word in permutations("abcdefgh", 6)][:10_000]
    names = [f"kindling-plugin-{name}-{number}" for number, name in enumerate(names)]
    start = time.monotonic()
    found(*names)
    assert time.monotonic() - start < 60  # pairwise it would be an hour
