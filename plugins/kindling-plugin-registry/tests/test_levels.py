from __future__ import annotations

from typing import Any

import pytest
from kindling_plugin_registry import records
from kindling_plugin_registry.formats import convert
from kindling_plugin_registry.levels import level

PROOF = {"kind": "github", "repository": "a/b", "workflow": "release.yml"}
NOW = "2026-12-01T00:00:00Z"


def find(samples: Any, *results: dict[str, Any], pythons: tuple[str, ...] = (), **changes: Any) -> Any:
    record = convert(samples.record(publisher=PROOF), "plugin-record", records.PluginRecord, "")
    artifact = samples.artifact(publisher=changes.pop("publisher", PROOF))
    release = convert(samples.release(artifacts=[artifact], **changes), "release", records.Release, "")
    found = convert(samples.conformance(results=list(results)), "conformance", records.Conformance, "")
    made = level(record, release, found.results, NOW, "0.1.3", pythons)
    return made.level, made.stale, made.why


def test_nothing_tested_is_listed(samples: Any) -> None:
    assert find(samples) == ("listed", False, "the registry has not tested this release")


def test_the_authors_own_results_raise_nothing(samples: Any) -> None:
    assert find(samples, samples.result(runner="author"))[0] == "listed"


def test_results_of_another_wheel_raise_nothing(samples: Any) -> None:
    assert find(samples, samples.result(sha256="cd" * 32))[0] == "listed"


def test_what_cannot_be_imported_is_listed(samples: Any) -> None:
    failed = samples.result(failures=[{"test": "import", "message": "no module"}])
    assert find(samples, failed) == ("listed", False, "it cannot be imported on Python 3.11")


@pytest.mark.parametrize(
    ("counts", "why"),
    [
        (
            {"storage:sample": {"passed": 3, "failed": 1, "skipped": 0}},
            "storage:sample on Python 3.11: 1 failed, 0 skipped without reason",
        ),
        (
            {"storage:sample": {"passed": 3, "failed": 0, "skipped": 2}},
            "storage:sample on Python 3.11: 0 failed, 2 skipped without reason",
        ),
        ({}, "no tests of storage:sample on Python 3.11"),
        (
            {"storage:sample": {"passed": 0, "failed": 0, "skipped": 0}},
            "no tests of storage:sample on Python 3.11",
        ),
    ],
)
def test_what_fails_its_tests_is_loadable(samples: Any, counts: dict[str, Any], why: str) -> None:
    assert find(samples, samples.result(capabilities=counts)) == ("loadable", False, why)


def test_what_offers_nothing_is_loadable(samples: Any) -> None:
    assert find(samples, samples.result(), provides=[]) == ("loadable", False, "it offers no capability")


def test_conformant_on_all_pythons_by_a_known_publisher_is_verified(samples: Any) -> None:
    results = [samples.result(python=python) for python in ("3.11", "3.12")]
    assert find(samples, *results, pythons=("3.11", "3.12")) == ("verified", False, "")
    assert find(samples, results[0], pythons=("3.11", "3.12")) == (
        "conformant",
        False,
        "not tested on Python 3.12",
    )
    assert find(samples, results[0], pythons=("3.11", "3.12"), requires_python="<3.12")[0] == "verified"


def test_without_a_verified_publisher_it_is_conformant(samples: Any) -> None:
    nobody = {"kind": "none", "repository": "", "workflow": ""}
    why = "the publisher of kindling_plugin_sample-1.0.0-py3-none-any.whl is not verified"
    assert find(samples, samples.result(), publisher=nobody) == ("conformant", False, why)
    assert find(samples, samples.result(), publisher={**PROOF, "repository": "c/d"})[0] == "conformant"


def test_undeclared_use_keeps_it_conformant(samples: Any) -> None:
    found = find(samples, samples.result(undeclared=["network"]))
    assert found == ("conformant", False, "undeclared use of network on Python 3.11")


def test_the_newest_result_of_a_python_speaks(samples: Any) -> None:
    bad = samples.result(capabilities={}, at="2026-11-26T00:00:00Z")
    assert find(samples, samples.result(), bad)[0] == "loadable"
    assert find(samples, bad, samples.result(at="2026-11-27T00:00:00Z"))[0] == "verified"


@pytest.mark.parametrize("aged", [{"at": "2026-08-01T00:00:00Z"}, {"kernel": "0.2.0"}])
def test_old_results_count_one_level_less(samples: Any, aged: dict[str, str]) -> None:
    why = "results are older than 90 days or of another kernel than 0.1"
    assert find(samples, samples.result(**aged)) == ("conformant", True, why)
    failed = samples.result(**aged, capabilities={})
    assert find(samples, failed)[:2] == ("listed", True)


def test_a_fresh_result_is_not_lowered_by_an_old_one(samples: Any) -> None:
    old = samples.result(at="2026-08-01T00:00:00Z", python="3.12", capabilities={})
    assert find(samples, old, samples.result())[:2] == ("verified", False)
