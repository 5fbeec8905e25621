"""Date patterns and replacement texts."""

from __future__ import annotations

import pytest
from kindling_plugin_duckdb.patterns import replacement, strftime_pattern, truncation_unit

from kindling.errors import RunError


@pytest.mark.parametrize(
    ("spark", "duckdb"),
    [
        ("yyyy-MM-dd HH:mm:ss", "%Y-%m-%d %H:%M:%S"),
        ("d.M.yy", "%-d.%-m.%y"),
        ("yyyy-MM-dd'T'HH:mm:ss.SSS", "%Y-%m-%dT%H:%M:%S.%g"),
        ("EEEE, d MMMM", "%A, %-d %B"),
        ("hh 'o''clock' a", "%I o'clock %p"),
        ("yyyy''MM", "%Y'%m"),
        ("yyyy '100%' D%", "%Y 100%% %-j%%"),
        ("", ""),
    ],
)
def test_a_pattern_is_translated(spark: str, duckdb: str) -> None:
    assert strftime_pattern("date_format", spark) == duckdb


@pytest.mark.parametrize(
    ("pattern", "part"), [("QQ", "QQ"), ("yyyy-mmm", "mmm"), ("YYYY", "YYYY"), ("yyyy'x", "'x")]
)
def test_an_unknown_letter_is_refused(pattern: str, part: str) -> None:
    with pytest.raises(RunError) as caught:
        strftime_pattern("to_date", pattern)
    assert str(caught.value).splitlines() == [
        f"KDL-PORT-026: the pattern {pattern!r} of 'to_date' is not portable to duckdb",
        f"  why: {part!r} cannot be translated",
        "  do: portable: yyyy yy MMMM MMM MM M dd d EEEE E HH H hh h mm m ss s SSS SSSSSS a D, 'text'",
    ]


@pytest.mark.parametrize(
    ("java", "re2"),
    [("<$1>", "<\\1>"), ("\\$5", "$5"), ("a\\\\b", "a\\\\b"), ("$0$2", "\\0\\2"), ("plain", "plain")],
)
def test_a_replacement_is_translated(java: str, re2: str) -> None:
    assert replacement(java) == re2


@pytest.mark.parametrize("text", ["${name}", "$10", "$"])
def test_a_group_that_re2_has_not_is_refused(text: str) -> None:
    with pytest.raises(RunError, match="KDL-PORT-026"):
        replacement(text)


def test_units_have_several_names() -> None:
    assert [truncation_unit("trunc", unit) for unit in ("YY", "mon", "MM", "dd", "Week")] == [
        "year", "month", "month", "day", "week",
    ]  # fmt: skip
