from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

if TYPE_CHECKING:
    from tests.kernel.cli.conftest import Project


@pytest.mark.parametrize("platform", ["duckdb", "sail"])
def test_a_new_project_tests_runs_and_shows_itself(
    shop: Project, tmp_path_factory: pytest.TempPathFactory, platform: str
) -> None:
    if platform == "sail":
        pytest.importorskip("kindling_plugin_sail")
    place = type(shop)(tmp_path_factory.mktemp("new"))
    done = place("init", "my-shop", "--platform", platform)
    assert done.code == 0
    assert done.out == "next: cd my-shop\nnext: kindling test\nnext: kindling run\n"
    project = type(shop)(place.path / "my-shop")
    assert project("check").out == "3 entities, 2 pipes: no fault\n"
    tested = project("test", "-q")
    assert tested.code == 0, tested.out + tested.err
    assert "2 passed" in tested.out
    ran = project("run")
    assert ran.code == 0, ran.err
    assert project("show", "gold.revenue").out == (
        "day         orders  revenue\n"
        "2026-01-01       2    11.25\n"
        "2026-01-02       1     15.0\n"
        "2026-01-03       1      5.0\n"
    )
    assert project("run").err == "nothing changed: 2 entities of my-shop in dev are up to date\n"


def test_every_file_is_told(folder: Project) -> None:
    done = folder("init", "shop")
    listed = [line.removeprefix("wrote ") for line in done.err.splitlines()]
    found = [str(f.relative_to(folder.path)) for f in (folder.path / "shop").rglob("*") if f.is_file()]
    assert sorted(listed) == sorted(found)
    assert "shop/kindling.toml" in listed
    texts = [(folder.path / name).read_text() for name in listed]
    assert not any("{{" in text for text in texts)


def test_missing_plugins_are_the_first_step(folder: Project) -> None:
    done = folder("init", "shop", KINDLING_PLUGINS_NONE="1")
    assert done.out == "next: cd shop\nnext: pip install -r requirements.txt\nnext: kindling test\n"


def test_the_present_folder_can_become_a_project(folder: Project) -> None:
    inner = folder.path / "store"
    inner.mkdir()
    done = type(folder)(inner)("init", ".")
    assert done.code == 0
    assert not done.out.startswith("next: cd")
    assert (inner / "store/app.py").exists()


def test_nothing_is_overwritten(folder: Project) -> None:
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
def test_names_that_make_no_package_are_refused(folder: Project, name: str, why: str) -> None:
    done = folder("init", name)
    assert (done.code, done.err) == (2, f"KDL-USE-042: {name!r} cannot be a project's name\n  why: {why}\n")
    assert not list(folder.path.iterdir())


def test_a_folder_that_cannot_be_written_is_told(folder: Project) -> None:
    folder.write("file", "")
    done = folder("init", "file/shop")
    assert done.code == 2
    assert done.err.startswith("KDL-USE-044: the project '<project>/file/shop' cannot be written\n  why: ")
