"""The texts of refusals."""

from __future__ import annotations

import pytest
from kindling_plugin_duckdb import portability as port

TEXTS = [
    (
        port.unknown_function("substrin", ("substring", "sum")),
        [
            "KDL-PORT-020: the function 'substrin' is not portable to duckdb",
            "  why: it is missing there or gives other results than Spark",
            "  do: did you mean 'substring'?",
        ],
    ),
    (
        port.unknown_function("zzz", ("sum",)),
        [
            "KDL-PORT-020: the function 'zzz' is not portable to duckdb",
            "  why: it is missing there or gives other results than Spark",
            "  do: write it with portable functions, or run this pipe on a Spark platform",
        ],
    ),
    (
        port.wrong_arguments("split", "a limit"),
        [
            "KDL-PORT-021: this call of 'split' is not portable to duckdb",
            "  why: a limit",
            "  do: change the call, or run this pipe on a Spark platform",
        ],
    ),
    (
        port.unnamed_column("a + 1"),
        [
            "KDL-PORT-022: the column 'a + 1' has no name",
            "  why: each engine makes up another name for a computed column",
            "  do: name it: .alias('...') in frames, AS ... in SQL",
        ],
    ),
    (
        port.refused_syntax("LATERAL VIEW", "write explode(...)"),
        ["KDL-PORT-024: LATERAL VIEW is not portable to duckdb", "  do: write explode(...)"],
    ),
    (
        port.unknown_table("x", ("a", "b")),
        [
            "KDL-PORT-027: the table 'x' is not an input of this query",
            "  why: inputs: a, b",
            "  do: declare it as an input and write it in braces",
        ],
    ),
    (
        port.unreadable_sql("SELEC", "no"),
        ["KDL-PORT-028: 'SELEC' cannot be parsed as Spark SQL", "  why: no", "  do: correct the text"],
    ),
    (
        port.refused_type("TIME"),
        [
            "KDL-PORT-029: the type TIME has no engine-neutral counterpart",
            "  do: cast the column, for example to string",
        ],
    ),
]


@pytest.mark.parametrize(("error", "lines"), TEXTS, ids=[str(case[0].code) for case in TEXTS])
def test_a_refusal_says_what_why_and_what_to_do(error: Exception, lines: list[str]) -> None:
    assert str(error).splitlines() == lines


def test_a_refusal_survives_the_way_through_the_engine() -> None:
    text = port.marked("division of decimals", "write CAST(... AS DOUBLE)")
    error = port.unmarked(f"Invalid Input Error: {text}\nLINE 1: ...")
    assert str(error).splitlines() == [
        "KDL-PORT-021: division of decimals",
        "  do: write CAST(... AS DOUBLE)",
    ]
    assert port.unmarked("Binder Error: something else") is None
