from __future__ import annotations

import tomllib
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from kindling.errors import PluginError
from kindling.plugins.switches import disable, enable


@pytest.fixture
def toml(tmp_path: Path) -> Path:
    return tmp_path / "kindling.toml"


def disabled(toml: Path, text: str, name: str = "kindling-plugin-ore") -> str:
    toml.write_bytes(text.encode())
    disable(str(toml), name)
    return toml.read_bytes().decode()


def enabled(toml: Path, text: str, name: str = "kindling-plugin-ore") -> str:
    toml.write_bytes(text.encode())
    enable(str(toml), name)
    return toml.read_bytes().decode()


ORE = '"kindling-plugin-ore"'
ADDED = [
    ("", f"[plugins]\ndisable = [{ORE}]\n"),
    ('app = "a:b"\n', f'app = "a:b"\n\n[plugins]\ndisable = [{ORE}]\n'),
    ('app = "a:b"', f'app = "a:b"\n\n[plugins]\ndisable = [{ORE}]\n'),
    ("[plugins]\n", f"[plugins]\ndisable = [{ORE}]\n"),
    ("[plugins]", f"[plugins]\ndisable = [{ORE}]"),
    ("[plugins] # why\nallow = []\n", f"[plugins] # why\ndisable = [{ORE}]\nallow = []\n"),
    ("[plugins]\ndisable = []\n[run]\n", f"[plugins]\ndisable = [{ORE}]\n[run]\n"),
    ("[plugins]\ndisable = ['a'] # b\n", f"[plugins]\ndisable = ['a', {ORE}] # b\n"),
    ('[plugins]\ndisable = ["a", ]\n', f'[plugins]\ndisable = ["a", {ORE}, ]\n'),
    (
        '[plugins]\ndisable = [\n  "a", # first ]\n  "b", # second\n]\n',
        f'[plugins]\ndisable = [\n  "a", # first ]\n  "b",\n  {ORE}, # second\n]\n',
    ),
    (
        '[plugins.prefer]\n"storage:a" = "b"\n',
        f'[plugins.prefer]\n"storage:a" = "b"\n\n[plugins]\ndisable = [{ORE}]\n',
    ),
    ("[spark]\ndisable = ['x']\n", f"[spark]\ndisable = ['x']\n\n[plugins]\ndisable = [{ORE}]\n"),
    ("[plugins]\r\nallow = []\r\n", f"[plugins]\r\ndisable = [{ORE}]\r\nallow = []\r\n"),
]


@pytest.mark.parametrize(("before", "after"), ADDED)
def test_disabling_adds_one_name_and_keeps_the_rest(toml: Path, before: str, after: str) -> None:
    assert disabled(toml, before) == after
    assert tomllib.loads(after)["plugins"]["disable"][-1] == "kindling-plugin-ore"


REMOVED = [
    (f"[plugins]\ndisable = [{ORE}]\n", "[plugins]\ndisable = []\n"),
    (f"[plugins]\ndisable = [{ORE}, 'a'] # b\n", "[plugins]\ndisable = ['a'] # b\n"),
    (f"[plugins]\ndisable = ['a', {ORE}]\n", "[plugins]\ndisable = ['a']\n"),
    (f"[plugins]\ndisable = ['a', 'Ore', 'b', {ORE}]\n", "[plugins]\ndisable = ['a', 'b']\n"),
    (
        f"[plugins]\ndisable = [\n  'a', # one\n  {ORE}, # two\n  'b',\n]\n",
        "[plugins]\ndisable = [\n  'a', # one\n  # two\n  'b',\n]\n",
    ),
    (f"[plugins]\ndisable = [\n  {ORE},\n  'b',\n]\n", "[plugins]\ndisable = [\n  'b',\n]\n"),
]


@pytest.mark.parametrize(("before", "after"), REMOVED)
def test_enabling_takes_the_name_out_and_keeps_the_rest(toml: Path, before: str, after: str) -> None:
    assert enabled(toml, before) == after


@pytest.mark.parametrize("spelling", ["Kindling_Plugin.Ore", "ore", "kindling-plugin-ore"])
def test_names_are_compared_in_all_their_spellings(toml: Path, spelling: str) -> None:
    text = f"[plugins]\ndisable = [{ORE}]\n"
    assert disabled(toml, text, spelling) == text
    assert enabled(toml, text, spelling) == "[plugins]\ndisable = []\n"


def test_a_capability_is_a_name_of_its_own(toml: Path) -> None:
    assert disabled(toml, f"[plugins]\ndisable = [{ORE}]\n", "storage:ore") == (
        f'[plugins]\ndisable = [{ORE}, "storage:ore"]\n'
    )


def test_both_tell_whether_something_changed(toml: Path) -> None:
    toml.write_text("")
    assert enable(str(toml), "ore") is False
    assert disable(str(toml), "ore") is True
    assert disable(str(toml), "ore") is False
    assert enable(str(toml), "ore") is True


def test_the_files_mode_and_a_link_to_it_stay(toml: Path, tmp_path: Path) -> None:
    toml.write_text("")
    toml.chmod(0o640)
    link = tmp_path / "link.toml"
    link.symlink_to(toml)
    disable(str(link), "ore")
    assert link.is_symlink()
    assert toml.read_text() == '[plugins]\ndisable = ["ore"]\n'
    assert toml.stat().st_mode & 0o777 == 0o640
    assert sorted(path.name for path in tmp_path.iterdir()) == ["kindling.toml", "link.toml"]


@pytest.mark.parametrize(
    "text", ['plugins.disable = ["a"]\n', 'plugins = {disable = ["a"]}\n', '[plugins]\n"disable" = ["a"]\n']
)
def test_other_forms_are_left_alone_and_told(toml: Path, text: str) -> None:
    for change, name in ((disable, "ore"), (enable, "a")):
        toml.write_text(text)
        with pytest.raises(PluginError) as caught:
            change(str(toml), name)
        assert str(caught.value) == (
            f"KDL-PLUG-031: {str(toml)!r} cannot be edited\n"
            "  why: [plugins] is written in a form that this command does not edit\n"
            f"  where: {toml}\n"
            '  do: write disable = ["kindling-plugin-x"] under [plugins] by hand'
        )
        assert toml.read_text() == text


@pytest.mark.parametrize(
    ("text", "why"),
    [
        ("[plugins]\ndisable = 'a'\n", "plugins.disable is 'a', expected a list of names"),
        ("[plugins\n", "Expected ']' at the end of a table declaration (at line 1, column 9)"),
        ("plugins = 1\n", "'int' object has no attribute 'get'"),
    ],
)
def test_a_file_that_is_wrong_is_told(toml: Path, text: str, why: str) -> None:
    toml.write_text(text)
    with pytest.raises(PluginError) as caught:
        disable(str(toml), "ore")
    assert caught.value.why == why


def test_a_missing_file_is_told(toml: Path) -> None:
    with pytest.raises(PluginError) as caught:
        disable(str(toml), "ore")
    assert caught.value.code == "KDL-PLUG-031"
    assert "No such file" in caught.value.why


names = st.from_regex(r"[a-z][a-z0-9]{0,5}", fullmatch=True)


@given(st.lists(names, max_size=4, unique=True), names, st.sampled_from([", ", ",", ",\n  ", " , # c\n "]))
def test_disabling_and_enabling_again_keeps_the_others(
    tmp_path_factory: pytest.TempPathFactory, others: list[str], name: str, separator: str
) -> None:
    toml = tmp_path_factory.mktemp("switch") / "kindling.toml"
    others = [other for other in others if other != name]
    listed = separator.join(f'"{other}"' for other in others)
    toml.write_text(f"x = 1\n[plugins]\ndisable = [{listed}]\n[run]\nworkers = 2\n")
    assert disable(str(toml), name)
    assert tomllib.loads(toml.read_text())["plugins"]["disable"] == [*others, name]
    assert enable(str(toml), name)
    assert tomllib.loads(toml.read_text()) == {"x": 1, "plugins": {"disable": others}, "run": {"workers": 2}}
