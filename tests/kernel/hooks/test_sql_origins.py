from __future__ import annotations

import pytest

from kindling.hooks.sql_origins import expression_origins, generators
from kindling.hooks.sql_traces import parsed
from kindling.hooks.traces import OpaqueError, Origins, Trace
from kindling.lineage import Origin


def origins(text: str) -> str:
    def resolve(names: list[str]) -> Origins:
        return frozenset((Origin("e", ".".join(names)),))

    def refuse(_tree: object) -> Trace:
        raise OpaqueError

    found, rows = expression_origins(parsed(text), resolve, refuse, None)
    assert not rows
    return " ".join(sorted(f"{one.column}:{one.how[0]}" for one in found))


@pytest.mark.parametrize(
    ("text", "found"),
    [
        ("a", "a:i"),
        ("(a)", "a:i"),
        ("a.b.c", "a.b.c:i"),
        ("CAST(a AS INT)", "a:t"),
        ("a + b * 2", "a:t b:t"),
        ("coalesce(a, b)", "a:t b:t"),
        ("CASE a WHEN 1 THEN b ELSE c END", "a:i b:t c:t"),
        ("count(*)", ""),
        ("count(DISTINCT a)", "a:a"),
        ("any(a)", "a:a"),
        ("collect_list(a)", "a:a"),
        ("max_by(a, b)", "a:a b:a"),
        ("percentile_approx(a, 0.5)", "a:a"),
        ("my_own(a)", "a:t"),
        ("lag(a) OVER (PARTITION BY b ORDER BY c DESC)", "a:a b:i c:i"),
        ("exists(a, x -> x > b)", "a:t b:t"),
        ("rand()", ""),
        ("date_add(a, 1)", "a:t"),
    ],
)
def test_an_expression_comes_from_its_columns(text: str, found: str) -> None:
    assert origins(text) == found


def test_a_named_window_that_nobody_knows_and_queries_are_opaque() -> None:
    for text in ("rank() OVER w", "(SELECT 1)", "a.*"):
        with pytest.raises(OpaqueError):
            origins(text)


def test_calls_that_make_rows_are_found() -> None:
    assert len(list(generators(parsed("inline(a)")))) == 1
    assert len(list(generators(parsed("explode_outer(a) ")))) == 1
    assert list(generators(parsed("size(a)"))) == []
