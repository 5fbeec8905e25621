"""Each contract test fails on at least one deliberately broken fake, and each broken fake is noticed."""

from __future__ import annotations

import json
import os
from collections import defaultdict
from pathlib import Path

import fakes
import full_platform
import pytest

pytestmark = pytest.mark.slow

SUITE = Path(__file__).with_name("mutant_suite.py")
CONTRACTS = (
    full_platform.OfFullPlatform,
    fakes.OfMemoryStorage,
    fakes.OfInlineExecutor,
    fakes.OfMemoryState,
    fakes.OfMemorySecrets,
    fakes.OfMemoryMask,
    fakes.OfListSink,
    fakes.OfListLineage,
)


class Findings:
    """A pytest plugin: runs of each mutant only the tests that must notice it, and keeps who failed."""

    def __init__(self) -> None:
        self.expected: dict[str, set[str]] = {}
        self.failed: dict[str, set[str]] = defaultdict(set)
        self.reasons: dict[str, str] = {}

    @pytest.hookimpl(tryfirst=True)
    def pytest_pycollect_makeitem(self, collector: pytest.Collector, name: str) -> list[pytest.Item] | None:
        cls = getattr(collector, "cls", None)
        if cls is None or not name.startswith("test_"):
            return None
        self.expected.setdefault(cls.__name__, set(cls.kills))
        return None if name in cls.kills else []

    def pytest_runtest_logreport(self, report: pytest.TestReport) -> None:
        if report.when == "call" and report.failed:
            _, cls, name = report.nodeid.split("::")
            self.failed[cls].add(name.partition("[")[0])
            crash = getattr(report.longrepr, "reprcrash", None)
            self.reasons[f"{cls} {name}"] = str(getattr(crash, "message", report.longrepr)).splitlines()[0]

    def survivors(self) -> list[str]:
        return sorted(
            f"{cls} survives {name}"
            for cls, names in self.expected.items()
            for name in names
            if name not in self.failed[cls]
        )

    def killers(self) -> dict[str, list[str]]:
        table: dict[str, list[str]] = defaultdict(list)
        for cls, names in sorted(self.failed.items()):
            for name in sorted(names):
                table[name].append(cls.removeprefix("Test"))
        return dict(sorted(table.items()))


@pytest.fixture(scope="module")
def findings() -> Findings:
    found = Findings()
    options = ["-p", "no:cacheprovider", "-p", "no:kindling", "-o", "addopts=--import-mode=importlib"]
    pytest.main([str(SUITE), *options], plugins=[found])
    if target := os.environ.get("KINDLING_MUTANT_TABLE"):
        table = {"killers": found.killers(), "reasons": found.reasons}
        Path(target).write_text(json.dumps(table, indent=1, ensure_ascii=False), encoding="utf-8")
    return found


def test_each_mutant_is_noticed_by_the_tests_that_it_names(findings: Findings) -> None:
    assert len(findings.expected) > 100
    assert findings.survivors() == []


def test_each_contract_test_is_failed_by_a_mutant(findings: Findings) -> None:
    tests = {
        name
        for contract in CONTRACTS
        for name in dir(contract)
        if name.startswith("test_") and getattr(contract, name) is not None
    }
    assert sorted(tests - set(findings.killers())) == []
