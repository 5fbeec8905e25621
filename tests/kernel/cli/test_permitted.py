from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

import pytest

from kindling.cli.permitted import user_cache_dir

if TYPE_CHECKING:
    from terminal import Terminal


def test_outside_of_a_project_the_list_is_remembered_in_the_users_cache(
    folder: Terminal, tmp_path: Path
) -> None:
    home = tmp_path / "cache"
    first = folder("plugins", "list", XDG_CACHE_HOME=str(home))
    (kept,) = (home / "kindling").iterdir()
    assert kept.name.startswith("plugins-")
    assert (home / "kindling").stat().st_mode & 0o777 == 0o700
    made = kept.stat().st_mtime_ns
    assert folder("plugins", "list", XDG_CACHE_HOME=str(home)) == first
    assert kept.stat().st_mtime_ns == made, "it was read, and not made again"
    assert [path.name for path in tmp_path.iterdir()] == ["cache"], "nothing is left in the folder itself"


def test_a_cache_that_is_off_is_not_made(folder: Terminal, tmp_path: Path) -> None:
    home = tmp_path / "cache"
    done = folder("plugins", "list", XDG_CACHE_HOME=str(home), KINDLING_CACHE="off")
    assert done.code == 0
    assert not home.exists()


def test_inside_of_a_project_the_project_keeps_the_cache(shop: Terminal, tmp_path: Path) -> None:
    home = tmp_path / "cache"
    assert shop("plugins", "list", XDG_CACHE_HOME=str(home)).code == 0
    assert not home.exists()


def test_without_a_variable_it_is_in_the_home_folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("HOME", str(tmp_path))
    for given in ({}, {"XDG_CACHE_HOME": ""}, {"XDG_CACHE_HOME": "relative"}):
        assert user_cache_dir(given) == str(tmp_path / ".cache" / "kindling")


def test_a_folder_that_others_may_write_or_that_cannot_be_made_is_not_used(tmp_path: Path) -> None:
    given = {"XDG_CACHE_HOME": str(tmp_path)}
    made = Path(user_cache_dir(given))
    made.chmod(0o777)
    assert user_cache_dir(given) == ""
    made.rmdir()
    made.write_text("a file")
    assert user_cache_dir(given) == ""
    assert [path.name for path in tmp_path.iterdir()] == ["kindling"]
