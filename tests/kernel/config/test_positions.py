from __future__ import annotations

import tomllib

import pytest
from hypothesis import given
from hypothesis import strategies as st

from kindling.config.positions import key_lines

DOCUMENT = '''# a comment with [brackets] and "quotes"
app = "a:b"   # [not.a.table]
text = """
[also.not]
fake = 1 \\"""
"""
raw = \'\'\'
x = "\'\'\'
[run]
workers = 4
deep.er."a.b" = { x = 1, y.z = [1, 2] }
list = [
  # a comment
  "]",
  { k = "}" }, [ 3 ],
]
  [ locations . "my lake" ]
uri = "u" # end
[[items]]
n = 1
[[items]]
n = 2
[items.sub]
m = 1979-05-27T07:32:00Z
"quo\\u0074ed" = -1.5e3
empty = {}
none = []
'''


def test_each_key_has_its_line() -> None:
    tomllib.loads(DOCUMENT)
    lines = key_lines(DOCUMENT)
    assert lines["app",] == 2
    assert lines["text",] == 3
    assert lines["raw",] == 7
    assert lines["run",] == 9
    assert lines["run", "workers"] == 10
    assert lines["run", "deep", "er", "a.b", "y", "z", 1] == 11
    assert lines["run", "list", 0] == 14
    assert lines["run", "list", 1, "k"] == 15
    assert lines["run", "list", 2, 0] == 15
    assert lines["locations", "my lake"] == 17
    assert lines["locations", "my lake", "uri"] == 18
    assert lines["items", 0, "n"] == 20
    assert lines["items", 1, "n"] == 22
    assert lines["items", 1, "sub", "m"] == 24
    assert lines["items", 1, "sub", "quoted"] == 25
    assert lines["items", 1, "sub", "none"] == 27


def _paths(value: object, path: tuple[str | int, ...] = ()) -> set[tuple[str | int, ...]]:
    found = {path} if path else set()
    pairs = value.items() if isinstance(value, dict) else enumerate(value) if isinstance(value, list) else ()
    for key, inner in pairs:
        found |= _paths(inner, (*path, key))
    return found


@pytest.mark.parametrize("text", [DOCUMENT, "", "# only a comment", "a = 1", "[a]\n[a.b]\n[a.b.c]\nd=1"])
def test_every_path_that_the_parser_knows_has_a_line(text: str) -> None:
    assert _paths(tomllib.loads(text)) <= set(key_lines(text))


_texts = st.text(st.characters(exclude_categories=["Cs", "Cc"]), max_size=6)
_values = st.recursive(
    st.one_of(
        st.integers(-(2**60), 2**60), st.booleans(), _texts, st.floats(allow_nan=False, allow_infinity=False)
    ),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(_texts, inner, max_size=3),
    max_leaves=6,
)


@given(st.dictionaries(_texts, _values, max_size=4))
def test_the_lines_cover_whatever_can_be_written(tree: dict[str, object]) -> None:
    import tomli_w

    text = tomli_w.dumps(tree)
    assert _paths(tomllib.loads(text)) <= set(key_lines(text))


@given(st.lists(_texts, min_size=1, max_size=8, unique=True))
def test_a_line_is_where_its_key_was_written(names: list[str]) -> None:
    import json

    text = "".join(
        f"{json.dumps(name, ensure_ascii=False)} = {number}\n" for number, name in enumerate(names)
    )
    lines = key_lines(text)
    assert [lines[name,] for name in names] == list(range(1, len(names) + 1))
