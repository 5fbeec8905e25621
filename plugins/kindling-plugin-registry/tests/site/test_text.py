from __future__ import annotations

import pytest
from kindling_plugin_registry.site.text import MOST, address, shown, slug, visible
from markupsafe import Markup


def test_hidden_characters_are_made_visible() -> None:
    assert visible("a\u202eb\x00\u200b\u2066") == (
        "a\u2308U+202E\u2309b\u2308U+0000\u2309\u2308U+200B\u2309\u2308U+2066\u2309"
    )
    assert visible("ordinary \u00e9 \u4e2d\n\t") == "ordinary \u00e9 \u4e2d\n\t"


def test_long_values_are_cut_and_own_markup_is_not() -> None:
    assert shown("x" * (MOST + 1)) == "x" * MOST + "\u2026"
    assert shown(Markup("x") * (MOST + 1)) == "x" * (MOST + 1)
    assert shown(5) == 5


@pytest.mark.parametrize(
    "text",
    [
        "javascript:x",
        "data:x",
        "//x.example",
        "https://",
        "https://a b",
        'https://x"',
        "https://x\u202e",
        "/x",
    ],
)
def test_other_addresses_are_none(text: str) -> None:
    assert address(text) == ""
    assert address("HTTPS://x.example/?a=1") == "HTTPS://x.example/?a=1"


def test_slugs_are_file_names_and_never_the_same() -> None:
    assert slug("Apache-2.0") == "apache-2-0"
    assert slug("apache 2.0", {"apache-2-0"}).startswith("apache-2-0-")
    assert slug("../../etc") not in {"etc", "../../etc"}
    assert len({slug("<b>"), slug("</b>"), slug("b"), slug("\u202e"), slug("x" * 300)}) == 5
