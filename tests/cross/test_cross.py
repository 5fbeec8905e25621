"""Every case gives the answer that is written down: Spark's own, or the verdict on another engine."""

from __future__ import annotations

import json
from typing import Any

import pytest
from answers import verdict
from case_list import all_cases, function_names, names_in
from run import REFERENCE, computed, load, verdict_file, verdicts

CASES = all_cases()


@pytest.fixture(scope="module")
def found(engine: str) -> dict[str, dict[str, Any]]:
    """What the engine answers to each case."""
    return computed(engine, CASES)


@pytest.mark.timeout(1500)
def test_each_answer_is_as_it_is_written_down(engine: str, found: dict[str, dict[str, Any]]) -> None:
    reference = load(REFERENCE)
    if engine == "spark":
        moved = [
            case.id
            for case in CASES
            if verdict(found[case.id], reference[case.id], is_close=case.is_close) != "equal"
        ]
        assert moved == [], "Spark answers otherwise: python tests/cross/run.py spark --write"
        return
    known = load(verdict_file(engine))
    made = verdicts(CASES, found, reference)
    moved = [
        f"{key}: {_shown(known.get(key))} -> {_shown(made[key])}"
        for key in made
        if _shown(known.get(key)) != _shown(made[key])
    ]
    assert moved == [], f"python tests/cross/run.py {engine} --write, then look at what changed"
    assert sorted(known) == sorted(made)


def test_two_hundred_functions_have_cases() -> None:
    _, listed = function_names()
    asked = {case.name.lower() for case in CASES} | {name for case in CASES for name in names_in(case.text)}
    assert len(asked & set(listed)) >= 200
    assert len({case.id for case in CASES}) == len(CASES)


@pytest.mark.parametrize("engine_name", ["sail", "duckdb"])
def test_a_verdict_is_written_down_for_each_case(engine_name: str) -> None:
    assert sorted(load(verdict_file(engine_name))) == sorted(case.id for case in CASES)


def test_nothing_differs_silently_on_duckdb() -> None:
    known = load(verdict_file("duckdb"))
    assert [key for key, entry in known.items() if entry["verdict"] == "differs"] == []


def _shown(entry: dict[str, Any] | None) -> str:
    """Return what must not change of a verdict: its word, and Kindling's own code."""
    error = str((entry or {}).get("error", ""))
    return json.dumps([(entry or {}).get("verdict"), error if error.startswith("KDL-") else ""])
