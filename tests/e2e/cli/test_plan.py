from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from terminal import Terminal


def test_a_plan_fits_its_schema(shop: Terminal) -> None:
    document = shop("plan", "--json").json("plan")
    assert document["counts"] == {"run": 3, "skipped": 1}


def test_the_exit_code_tells_pending_changes_where_asked_for(shop: Terminal, made_shop: Terminal) -> None:
    assert shop("plan", "--exit-code").code == 3
    assert shop("plan").code == 0
    assert made_shop("plan", "--exit-code").code == 0


def test_a_plan_writes_no_run_and_makes_no_entity(shop: Terminal) -> None:
    assert shop("plan").code == 0
    assert shop("runs", "list").out == "no runs yet\n"
    assert not (shop.path / "lake").exists()


def test_results_go_to_stdout_alone(shop: Terminal) -> None:
    done = shop("plan", "-v")
    assert done.err == ""
    assert done.out.startswith("plan of shop in dev\n")
    assert "\x1b" not in done.out
