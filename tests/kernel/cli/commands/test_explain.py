from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from terminal import Terminal


def test_a_code_is_explained(folder: Terminal) -> None:
    done = folder("explain", "KDL-PLAN-020")
    assert (done.code, done.err) == (0, "")
    assert done.out.startswith("# KDL-PLAN-020: a source does not exist\n\n")
    assert "\n## What to do\n" in done.out


def test_letter_case_and_the_first_part_do_not_matter(folder: Terminal) -> None:
    assert folder("explain", "plan-020").out == folder("explain", "KDL-PLAN-020").out


def test_all_codes_are_listed_with_titles(folder: Terminal) -> None:
    done = folder("explain", "--list")
    assert "KDL-PLAN-020   a source does not exist\n" in done.out
    assert done.out.splitlines() == sorted(done.out.splitlines())


def test_an_unknown_code_is_refused_with_suggestions(folder: Terminal) -> None:
    done = folder("explain", "KDL-PLAN-029")
    assert done.code == 2
    assert done.err.startswith(
        "KDL-USE-039: there is no error code 'KDL-PLAN-029'\n  why: did you mean 'KDL-PLAN-0"
    )
    assert done.err.endswith("  do: kindling explain --list\n")


def test_no_code_is_a_misuse(folder: Terminal) -> None:
    done = folder("explain")
    assert done.code == 2
    assert "say which code, or --list" in done.err


def test_json_holds_the_page(folder: Terminal) -> None:
    (page,) = folder("explain", "KDL-PLAN-020", "--json").json("explain")["pages"]
    assert (page["code"], page["title"]) == ("KDL-PLAN-020", "a source does not exist")
    folder("explain", "--list", "--json").json("explain")
