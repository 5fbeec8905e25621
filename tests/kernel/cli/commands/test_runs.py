from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from terminal import Terminal


def test_no_runs_yet(shop: Terminal) -> None:
    assert shop("runs", "list").out == "no runs yet\n"
    assert shop("runs", "list", "--json").json("runs")["runs"] == []
    done = shop("runs", "show", "last")
    assert (done.code, done.err) == (2, "KDL-USE-021: there is no run 'last'\n  do: kindling runs list\n")


def test_runs_are_listed_while_the_app_is_broken(shop: Terminal) -> None:
    shop.write("shop/app.py", "this is no Python\n")
    assert shop("runs", "list").code == 0
