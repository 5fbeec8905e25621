from __future__ import annotations

import json

import pytest
from golden import FILE, golden
from masked import masked

from kindling.hooks import Plain
from kindling.hooks.platform import Session

Both = tuple[Session, Session]


def test_masks_of_fixed_values_have_not_moved(sessions: Both) -> None:
    expected = json.loads(FILE.read_text(encoding="utf-8"))
    assert [golden(session) for session in sessions] == [expected, expected]


TEXTS = ["", "abc", "abcdefg", "abcdefgh", "Zoë 漢字 😀!", None]
PARTS: list[tuple[str, dict[str, Plain], list[str | None]]] = [
    ("partial", {}, ["***", "***", "***", "***efgh", "***字 😀!", None]),
    ("partial", {"first": 1}, ["***", "***", "a***", "a***", "Z***", None]),
    ("partial", {"first": 1, "last": 3, "with": "…"}, ["…", "…", "…", "a…fgh", "Z… 😀!", None]),
    ("generalize", {"keep": 3}, ["", "", "abc", "abc", "Zoë", None]),
    ("redact", {"with": ""}, ["", "", "", "", "", None]),
]


@pytest.mark.parametrize(("name", "options", "expected"), PARTS)
def test_parts_of_texts(
    sessions: Both, name: str, options: dict[str, Plain], expected: list[str | None]
) -> None:
    for session in sessions:
        assert masked(session, name, "string", TEXTS, options) == expected
