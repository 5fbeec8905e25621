from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

if TYPE_CHECKING:
    from terminal import Terminal


def test_every_file_is_told(folder: Terminal) -> None:
    done = folder("init", "shop")
    listed = [line.removeprefix("wrote ") for line in done.err.splitlines()]
    found = [str(f.relative_to(folder.path)) for f in (folder.path / "shop").rglob("*") if f.is_file()]
    assert sorted(listed) == sorted(found)
    assert "shop/kindling.toml" in listed
    texts = [(folder.path / name).read_text() for name in listed]
    assert not any("{{" in text for text in texts)


def test_missing_plugins_are_the_first_step(folder: Terminal) -> None:
    done = folder("init", "shop", KINDLING_PLUGINS_NONE="1")
    assert done.out == "next: cd shop\nnext: pip install -r requirements.txt\nnext: kindling test\n"


def test_the_present_folder_can_become_a_project(folder: Terminal) -> None:
    inner = folder.path / "store"
    inner.mkdir()
    done = type(folder)(inner)("init", ".")
    assert done.code == 0
    assert not done.out.startswith("next: cd")
    assert (inner / "store/app.py").exists()


def test_nothing_is_overwritten(folder: Terminal) -> None:
    folder.write("shop/README.md", "mine\n")
    done = folder("init", "shop")
    assert (done.code, done.out) == (2, "")
    assert done.err == (
        "KDL-USE-043: nothing was written: '<project>/shop' has files already\n"
        "  why: found README.md\n"
        "  do: choose another name, or move them away\n"
    )
    assert [f.name for f in (folder.path / "shop").iterdir()] == ["README.md"]


@pytest.mark.parametrize(
    ("name", "why"),
    [
        ("json", "a package 'json' would hide another one"),
        ("class", "a package 'class' would hide another one"),
        ("kindling", "a package 'kindling' would hide another one"),
        ("1st", "expected a letter, then letters, digits, '-' and '_'"),
        ("a b", "expected a letter, then letters, digits, '-' and '_'"),
    ],
)
def test_names_that_make_no_package_are_refused(folder: Terminal, name: str, why: str) -> None:
    done = folder("init", name)
    assert (done.code, done.err) == (2, f"KDL-USE-042: {name!r} cannot be a project's name\n  why: {why}\n")
    assert not list(folder.path.iterdir())


def test_a_folder_that_cannot_be_written_is_told(folder: Terminal) -> None:
    folder.write("file", "")
    done = folder("init", "file/shop")
    assert done.code == 2
    assert done.err.startswith("KDL-USE-044: the project '<project>/file/shop' cannot be written\n  why: ")
