from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from kindling.errors import DeclarationError, PluginError
from kindling.names import canonical, close_names, did_you_mean, entity_parts, parse_capability

part = st.from_regex(r"[^\W\d][\w-]{0,5}", fullmatch=True)
distribution = st.text("aB0-_.", min_size=1, max_size=8)


@given(st.lists(part, min_size=1, max_size=3))
def test_an_entity_name_is_split_at_its_dots(parts: list[str]) -> None:
    assert entity_parts(".".join(parts)) == tuple(parts)


@pytest.mark.parametrize("name", ["", "a.b.c.d", "1a", "a b", "a..b", ".a", "a.", "a/b", "a.2", "<lambda>"])
def test_other_entity_names_are_refused(name: str) -> None:
    with pytest.raises(DeclarationError) as error:
        entity_parts(name, where="shop.py:3")
    assert str(error.value) == (
        f"KDL-DECL-001: {name!r} is not an entity name\n"
        "  why: a name has 1 to 3 parts, joined by dots, of letters, digits, '_' and '-'\n"
        "  where: shop.py:3\n"
        "  do: for example 'silver.flights'"
    )


def test_names_of_every_script_are_names() -> None:
    assert entity_parts("čtvrtletí.平均-値") == ("čtvrtletí", "平均-値")


def test_a_capability_is_kind_and_name() -> None:
    assert parse_capability("storage:delta-2") == ("storage", "delta-2")


@pytest.mark.parametrize("text", ["delta", "stores:delta", "storage:", "storage:Delta", "storage:a:b", ""])
def test_other_capabilities_are_refused(text: str) -> None:
    with pytest.raises(PluginError) as error:
        parse_capability(text)
    assert str(error.value) == (
        f"KDL-PLUG-001: {text!r} is not a capability\n"
        "  why: expected kind:name, kind one of platform, storage, secrets, masking, lineage, executor, "
        "state, command, sink\n"
        "  do: for example 'storage:delta'"
    )


@given(distribution)
def test_canonical_names_stay_as_they_are(name: str) -> None:
    once = canonical(name)
    assert canonical(once) == once
    assert canonical(name.upper()) == once


@given(distribution)
def test_separators_do_not_tell_distributions_apart(name: str) -> None:
    assert canonical(name.replace("-", "_").replace(".", "--")) == canonical(name)


words = st.text("abcde_", min_size=1, max_size=6)


@given(words, st.lists(words, max_size=4))
def test_suggestions_are_known_names_and_an_exact_one_is_first(name: str, known: list[str]) -> None:
    close = close_names(name, known)
    assert set(close) <= set(known)
    if name in known:
        assert close[0] == name
    told = did_you_mean(name, known)
    assert all((repr(item) if close else item) in told for item in close or known)


def test_a_suggestion_names_what_is_close_else_all_that_is_known() -> None:
    assert did_you_mean("flihgts", ["orders", "flights"]) == "did you mean 'flights'?"
    assert did_you_mean("FLIGHTS", ["flights"]) == "did you mean 'flights'?"
    assert did_you_mean("tags", ["flags", "tabs"]) == "did you mean 'tabs' or 'flags'?"
    assert did_you_mean("xyz", ["orders", "flights"]) == "known: flights, orders"
    assert did_you_mean("xyz", []) == ""
