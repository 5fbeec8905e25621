"""Calls are found in SQL text, whatever stands around them, and replaced or refused."""

from __future__ import annotations

import pytest
from kindling_plugin_sail.sql_text import corrected, is_suspect

from kindling.errors import RunError


@pytest.mark.parametrize(
    ("text", "made"),
    [
        ("SELECT a FROM t", "SELECT a FROM t"),
        ("isnan(a)", "coalesce(isnan(a), FALSE)"),
        ("IsNaN (a)", "coalesce(isnan(a), FALSE)"),
        ("isnan(abs(datediff(a, b)))", "coalesce(isnan(abs(CAST(date_diff(a, b) AS int))), FALSE)"),
        ("weekday(d) + 1", "pmod(((dayofweek(d)) + (5)), 7) + 1"),
        ("'isnan(a)' || `isnan(b)` -- isnan(c)", "'isnan(a)' || `isnan(b)` -- isnan(c)"),
        ("x.isnan(a), isnan, /* isnan( */ 1", "x.isnan(a), isnan, /* isnan( */ 1"),
        ("'it''s'", "'it\\'s'"),
        ("'a' 'b', '', \"it''s\"", "'a' 'b', '', \"it''s\""),
        ("ifnull(')', a[f(1, 2)])", "coalesce(')', a[f(1, 2)])"),
        ("substring(s, 1, 2), substring(s FROM 2 FOR 3)", "substring(s, 1, 2), substring(s FROM 2 FOR 3)"),
        ("left(s, 3)", "left(s, 3)"),
        ("left(s, n)", "CASE WHEN ((n) < (0)) THEN substring(s, 1, 0) ELSE left(s, n) END"),
        (
            "array_contains(a, 'x,)')",
            (
                "CASE WHEN array_contains(a, 'x,)') THEN TRUE WHEN ((size(array_compact(a))) < (size(a))) "
                "THEN NULL ELSE array_contains(a, 'x,)') END"
            ),
        ),
        ("split(s, ','), trunc(d, 'MONTH')", "split(s, ','), trunc(d, 'MONTH')"),
        ("UNPIVOT INCLUDE NULLS (v FOR c IN (a))", "UNPIVOT INCLUDE NULLS (v FOR c IN (a))"),
        ("extract(YEAR FROM d)", "extract(YEAR FROM d)"),
        (
            "size(collect_set(s) over (PARTITION BY left(g, n)))",
            (
                "size(coalesce(collect_set(s) OVER (PARTITION BY CASE WHEN ((n) < (0))"
                " THEN substring(g, 1, 0) ELSE left(g, n) END), array()))"
            ),
        ),
        ("collect_set(s)", "collect_set(s)"),
        ("isnan(a", "coalesce(isnan(a), FALSE)"),
    ],
)
def test_a_text_is_corrected(text: str, made: str) -> None:
    assert corrected(text) == made


@pytest.mark.parametrize(
    ("text", "told"),
    [
        (
            "sum(initcap(s))",
            (
                "KDL-PORT-034: this call of 'initcap' is not portable to sail\n"
                "  why: it starts a word after each sign, Spark after spaces only\n"
                "  do: use upper and lower"
            ),
        ),
        (
            "split(s, '')",
            (
                "KDL-PORT-034: this call of 'split' is not portable to sail\n"
                "  why: an empty pattern splits letters differently\n"
                "  do: use another pattern"
            ),
        ),
        (
            "extract( dow FROM d)",
            "KDL-PORT-035: extract(DOW FROM ...) is not portable to sail\n  do: use dayofweek(x)",
        ),
        (
            "SELECT * FROM t UNPIVOT (v FOR c IN (a))",
            (
                "KDL-PORT-035: UNPIVOT without INCLUDE NULLS is not portable to sail\n"
                "  do: write INCLUDE NULLS and filter"
            ),
        ),
    ],
)
def test_what_cannot_be_corrected_is_refused(text: str, told: str) -> None:
    with pytest.raises(RunError) as caught:
        corrected(text)
    assert str(caught.value) == told


@pytest.mark.parametrize(
    ("request_", "suspect"),
    [
        (b"\n\x05isnan\x12", True),
        (b"SELECT ISNAN(a)", True),
        (b"'it''s'", True),
        (b"\n\x03sum\x12\x01a", False),
    ],
)
def test_a_request_without_any_sign_is_not_walked(request_: bytes, suspect: bool) -> None:  # noqa: FBT001  # of the test
    assert is_suspect(request_) is suspect
