from __future__ import annotations

import re

import pytest
from hypothesis import given
from hypothesis import strategies as st
from kindling_plugin_registry.site.readme import MOST, Renderer

HEADING = re.compile(r"<h([1-6])>")


def html(text: str) -> str:
    return str(Renderer().html(text))


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("<script>x()</script>a", "a"),
        ('<b onclick="x()" style="color:red" id="q" class="top">a</b>', "<b>a</b>"),
        ("[a](javascript:x)", "[a](javascript:x)"),
        ('<a href="JaVaScRiPt:x">a</a>', '<a rel="nofollow noopener noreferrer ugc">a</a>'),
        ('<a href="data:text/html,x">a</a>', '<a rel="nofollow noopener noreferrer ugc">a</a>'),
        ("[a](../x)", '<a rel="nofollow noopener noreferrer ugc">a</a>'),
        ("<iframe src=https://x.example>a</iframe>b", "b"),
        ("a\u202eb", "a\u2308U+202E\u2309b"),
    ],
)
def test_only_reading_is_left(text: str, expected: str) -> None:
    assert expected in html(text)
    assert "<script" not in html(text)


def test_images_become_links() -> None:
    made = html("![a <b>](https://x.example/i.png) [![badge](https://x.example/b)](https://x.example/c)")
    assert "<img" not in made
    assert '<a href="https://x.example/i.png" rel="nofollow noopener noreferrer ugc">a &lt;b&gt;</a>' in made
    assert '<a href="https://x.example/c" rel="nofollow noopener noreferrer ugc">badge</a>' in made
    assert html("![alt](data:image/png;base64,AAAA)").count("<a") == 0


def test_headings_stand_below_the_pages_and_skip_none() -> None:
    made = html("# a\n\n##### b\n\n## c\n\n<h1>d</h1>\n")
    assert HEADING.findall(made) == ["3", "4", "4", "3"]
    assert len(re.findall("</h", made)) == 4


def test_a_long_readme_is_cut() -> None:
    made = html("word " * MOST)
    assert len(made) < MOST + 200
    assert "The rest is left out here" in made


@given(st.text(alphabet="<>/abh1\"'=`[]()!&;:#| \n-javscript", max_size=200))
def test_no_text_makes_markup_of_its_own(text: str) -> None:
    made = html(text)
    assert not re.search(
        r"<(?!/?(?:a|abbr|b|blockquote|br|code|dd|del|details|div|dl|dt|em|h[1-6]|hr|i|ins|kbd|li|ol|p|pre|s|samp|strong|sub|summary|sup|table|tbody|td|th|thead|tr|ul|var)\b)",
        made,
    )
    assert not re.search(r'<a [^>]*href="(?!https?:)', made)
