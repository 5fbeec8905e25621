"""Numbers beside numbers in a text: what Sail computes otherwise is refused, and nothing else."""

from __future__ import annotations

import pytest
from kindling_plugin_sail.arithmetic import check, is_suspect

from kindling.errors import RunError


@pytest.mark.parametrize(
    "text",
    [
        "2147483647 + 1",
        "SELECT -2147483648 - 1",
        "f(127Y + 1Y)",
        "a = 1000000 * 1000000",
        "9223372036854775807L + 1",
        "SELECT 1.0 / 3",
        "1 + 1.5",
        "WHEN 10 / 4.0 THEN",
        "32767S- -1S",
        "CASE WHEN NULL THEN 1 END",
        "CAST(1e10D AS STRING)",
        "CAST( -12345678.9D AS string)",
        "CAST(1e-7 AS STRING)",
        "round(1.005D, 2)",
    ],
)
def test_what_differs_is_refused(text: str) -> None:
    assert is_suspect(text.encode())
    with pytest.raises(RunError, match="KDL-PORT-035"):
        check(text)


@pytest.mark.parametrize(
    "text",
    [
        "1 + 1",
        "24 * 60 * 60",
        "1.5 + 1.5",
        "1e3 * 1000000000",
        "2147483647L + 1",
        "x / 1.0 * 3",
        "x - 1 + 2147483647",
        "2147483647 + 1 * 0",
        "1.0D / 3",
        "7 % 3",
        "CAST(100.0D AS STRING)",
        "CAST(0.0D AS STRING)",
        "CAST(12345678.9 AS STRING)",
        "round(2.5D)",
        "round(1.005, 2)",
        "t1.c2 * 2.5",
        "CASE x WHEN NULL THEN 1 END",
        "3000000000 + 1",
    ],
)
def test_what_is_the_same_or_unknown_passes(text: str) -> None:
    check(text)


def test_the_refusal_tells_what_to_write() -> None:
    with pytest.raises(RunError) as caught:
        check("SELECT 2147483647 + 1")
    assert str(caught.value) == (
        "KDL-PORT-035: 2147483647 + 1 is not portable to sail\n  do: write the result, or cast both numbers"
    )


def test_dates_are_not_suspect() -> None:
    assert not is_suspect(b"d > DATE '2020-01-31'")
