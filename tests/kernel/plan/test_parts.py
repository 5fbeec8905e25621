from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st

from kindling.plan.parts import DIGEST_LENGTH, digest, forced, is_made_from, short_digest

PARTS = st.dictionaries(st.text(max_size=8), st.text(max_size=8), max_size=5)


@given(PARTS)
def test_a_digest_does_not_depend_on_the_order_of_its_parts(parts: dict[str, str]) -> None:
    assert digest(parts) == digest(dict(reversed(list(parts.items()))))
    assert len(digest(parts)) == DIGEST_LENGTH
    assert len(short_digest(repr(parts))) == 16


@given(PARTS, st.text(min_size=1, max_size=4), st.text(max_size=4))
def test_any_change_changes_the_digest(parts: dict[str, str], name: str, text: str) -> None:
    changed = {**parts, name: f"{parts.get(name, '')}{text}."}
    assert digest(changed) != digest(parts)


@given(PARTS, st.text(max_size=8), st.text(max_size=8))
def test_a_forced_fingerprint_is_one_of_its_run_and_still_tells_its_parts(
    parts: dict[str, str], one: str, two: str
) -> None:
    fingerprint = forced(digest(parts), one)
    assert fingerprint != digest(parts)
    assert (fingerprint == forced(digest(parts), two)) == (one == two)
    assert is_made_from(fingerprint, parts)
    assert is_made_from(digest(parts), parts)
    assert not is_made_from(None, parts)
    assert not is_made_from(fingerprint, {**parts, "more": "x"})
