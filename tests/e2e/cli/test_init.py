from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

if TYPE_CHECKING:
    from terminal import Terminal


@pytest.mark.parametrize("platform", ["duckdb", "sail"])
def test_a_new_project_tests_runs_and_shows_itself(
    shop: Terminal, tmp_path_factory: pytest.TempPathFactory, platform: str
) -> None:
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
