from __future__ import annotations

from kindling.cli.tables import error_text, short_version, table_text


def test_columns_are_aligned_and_lines_not_padded() -> None:
    assert table_text([("a", "bb"), ("ccc", "")]) == "a    bb\nccc\n"
    assert table_text([]) == ""


def test_versions_are_short_for_people() -> None:
    assert short_version("12-abcdef") == "12"
    assert short_version("f-290d98890000") == "f-290d9889"
    assert short_version("") == ""


def test_an_error_has_up_to_four_parts_and_further_lines_are_indented() -> None:
    error = {"code": "KDL-RUN-002", "what": "'a' failed", "why": "one\ntwo", "where": "", "hint": "mend it"}
    assert error_text(error) == "KDL-RUN-002: 'a' failed\n  why: one\n    two\n  do: mend it\n"
