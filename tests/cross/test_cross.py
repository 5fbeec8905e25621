"""Every case gives the answer that is written down: Spark's own, or the verdict on another engine."""

from __future__ import annotations

import json
import re
import warnings
from typing import Any

import pytest
from answers import is_refusal, verdict
from case_list import all_cases, function_names, names_in
from run import REFERENCE, computed, load, reasons, verdict_file, verdicts

from kindling.errors import RunError

CASES = all_cases()
ASKED = {case.name.lower() for case in CASES} | {name for case in CASES for name in names_in(case.text)}


@pytest.fixture(scope="module")
def found(engine: str) -> dict[str, dict[str, Any]]:
    """What the engine answers to each case; its clients warn of windows without partitions."""
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        return computed(engine, CASES)


@pytest.mark.timeout(1500)
def test_each_answer_is_as_it_is_written_down(engine: str, found: dict[str, dict[str, Any]]) -> None:
    reference = load(REFERENCE)
    if engine == "spark":
        moved = [
            case.id
            for case in CASES
            if not _is_as_before(found[case.id], reference[case.id], is_close=case.is_close)
        ]
        assert moved == [], "Spark answers otherwise: python tests/cross/run.py spark --write"
        return
    known = load(verdict_file(engine))
    made = verdicts(engine, CASES, found, reference)
    moved = [
        f"{key}: {_shown(known.get(key))} -> {_shown(made[key])}"
        for key in made
        if _shown(known.get(key)) != _shown(made[key])
    ]
    assert moved == [], f"python tests/cross/run.py {engine} --write, then look at what changed"
    assert sorted(known) == sorted(made)


def test_two_hundred_functions_have_cases() -> None:
    _, listed = function_names()
    assert len(ASKED & set(listed)) >= 200
    assert len({case.id for case in CASES}) == len(CASES)


@pytest.mark.parametrize("engine_name", ["sail", "duckdb"])
def test_a_verdict_is_written_down_for_each_case(engine_name: str) -> None:
    assert sorted(load(verdict_file(engine_name))) == sorted(case.id for case in CASES)


@pytest.mark.parametrize("engine_name", ["sail", "duckdb"])
def test_each_difference_has_one_reason_and_each_reason_a_difference(engine_name: str) -> None:
    known = load(verdict_file(engine_name))
    silent = [key for key, entry in known.items() if entry["verdict"] == "differs"]
    patterns = [
        (reason["what"], part) for reason in reasons().get(engine_name, ()) for part in reason["cases"]
    ]
    told = {key: {what for what, part in patterns if re.search(part, key)} for key in silent}
    assert {key: whats for key, whats in told.items() if len(whats) != 1} == {}
    assert [part for _, part in patterns if not any(re.search(part, key) for key in silent)] == []


def test_functions_without_a_case_are_refused_on_duckdb(engine: str) -> None:
    if engine != "duckdb":
        pytest.skip("the allow-list is DuckDB's")
    from kindling_plugin_duckdb.corrections import duckdb_sql
    from kindling_plugin_duckdb.spark_text import parse_query

    for name in sorted(set(function_names()[1]) - ASKED):
        with pytest.raises(RunError, match="KDL-PORT-02"):
            duckdb_sql(parse_query(f"SELECT {name}(k) AS c FROM one"), {"one": "one"})


def test_nothing_differs_silently_on_duckdb() -> None:
    known = load(verdict_file("duckdb"))
    assert [key for key, entry in known.items() if entry["verdict"] == "differs"] == []


def _is_as_before(answer: dict[str, Any], reference: dict[str, Any], *, is_close: bool) -> bool:
    """Tell whether Spark answers as it did, refusals by their code."""
    refused = is_refusal(answer) and answer["error"] == reference.get("error")
    return refused or verdict(answer, reference, is_close=is_close) == "equal"


def _shown(entry: dict[str, Any] | None) -> str:
    """Return what must not change of a verdict: its word, and Kindling's own code."""
    error = str((entry or {}).get("error", ""))
    return json.dumps([(entry or {}).get("verdict"), error if error.startswith("KDL-") else ""])
