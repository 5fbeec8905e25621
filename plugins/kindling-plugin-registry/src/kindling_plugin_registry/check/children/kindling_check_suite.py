"""A pytest plugin that tells which tests of the kernel's contracts ran on which capability, and how.

It is loaded by name in a clean environment. Required is what a fresh heir of the contract, as the
installed kernel has it, would collect for the features that `kindling.json` declares: a test that was
hidden, deselected or replaced shows as a difference.
"""

from __future__ import annotations

import importlib
import json
import os
import traceback
from typing import Any

import pytest
from audit import Watch  # type: ignore[import-not-found]  # stands beside this file, where it runs


class Suite:
    """One run."""

    def __init__(self, spec: dict[str, Any]) -> None:
        self.spec = spec
        self.watch = Watch(importlib.util.find_spec(spec["package"]).submodule_search_locations[0])  # type: ignore[union-attr, index]  # it is installed
        self.owners: dict[str, tuple[str, str]] = {}
        self.outcomes: dict[str, tuple[str, str]] = {}
        self.left_out: list[str] = []
        self.broken: list[str] = []
        self.replaced: dict[str, set[str]] = {}
        self.foreign: dict[str, set[str]] = {}
        self.pristine = {item: contract_of(item, spec["package"]) for item in spec["capabilities"]}

    def pytest_collectreport(self, report: pytest.CollectReport) -> None:
        if report.failed:
            self.broken.append(f"{report.nodeid}: {str(report.longrepr).strip().splitlines()[-1]}")

    @pytest.hookimpl(trylast=True)
    def pytest_collection_modifyitems(self, items: list[pytest.Item]) -> None:
        kept = []
        for item in items:
            kind = getattr(item, "cls", None)
            on = getattr(kind, "on", ())
            if on and not importlib.util.find_spec(on[0]):
                self.left_out.append(f"{item.nodeid}: {on[0]} is not installed")
                continue
            kept.append(item)
            self._own(item, kind)
        items[:] = kept

    def _own(self, item: pytest.Item, kind: Any) -> None:
        capability = getattr(kind, "capability", "")
        pristine = self.pristine.get(capability)
        if pristine is None or getattr(kind, "plugin", "") != self.spec["package"]:
            return
        contract = pristine.__mro__[1]
        name = getattr(item, "originalname", item.name)
        if not issubclass(kind, contract):
            self.foreign.setdefault(capability, set()).add(kind.__name__)
        elif getattr(pristine, name, None) is not None:
            if getattr(kind, name) is getattr(pristine, name):
                self.owners[item.nodeid] = (capability, name)
            else:
                self.replaced.setdefault(capability, set()).add(name)

    def pytest_runtest_logreport(self, report: pytest.TestReport) -> None:
        before = self.outcomes.get(report.nodeid, ("passed", ""))
        if report.failed or hasattr(report, "wasxfail"):
            self.outcomes[report.nodeid] = ("failed", lines_of(report))
        elif report.skipped and before[0] != "failed":
            self.outcomes[report.nodeid] = ("skipped", lines_of(report))
        elif report.when == "call":
            self.outcomes.setdefault(report.nodeid, ("passed", ""))

    def pytest_sessionfinish(self) -> None:
        plain = {
            "capabilities": {item: self._told(item) for item, kind in self.pristine.items() if kind},
            "left_out": self.left_out,
            "broken": self.broken,
            "observed": self.watch.result(),
        }
        with open(self.spec["out"], "w", encoding="utf-8") as file:
            json.dump(plain, file)

    def _told(self, capability: str) -> dict[str, object]:
        pristine = self.pristine[capability]
        ran: dict[str, int] = {}
        results = []
        for node, (owner, name) in self.owners.items():
            if owner == capability and node in self.outcomes:
                ran[name] = ran.get(name, 0) + 1
                results.append([node, *self.outcomes[node]])
        wanted = {name: cases_of(getattr(pristine, name)) for name in tests_of(pristine)}
        return {
            "required": wanted,
            "missing": sorted(name for name, cases in wanted.items() if ran.get(name, 0) < cases),
            "replaced": sorted(self.replaced.get(capability, ())),
            "foreign": sorted(self.foreign.get(capability, ())),
            "results": results,
        }


def contract_of(capability: str, package: str) -> Any:
    """Return a fresh heir of the kernel's contract of a capability's kind; None without one."""
    kind = capability.partition(":")[0]
    try:
        module = importlib.import_module(f"kindling.testing.{kind}_contract")
    except ModuleNotFoundError:
        return None
    contract = getattr(module, f"{kind.title()}Contract")
    return type("Pristine", (contract,), {"plugin": package, "capability": capability})


def tests_of(kind: Any) -> list[str]:
    """Return the names of the tests that a class collects."""
    return [name for name in dir(kind) if name.startswith("test_") and getattr(kind, name) is not None]


def cases_of(test: Any) -> int:
    """Return how many cases a test's own parameters make."""
    count = 1
    for mark in getattr(test, "pytestmark", ()):
        if mark.name == "parametrize":
            count *= len(list(mark.args[1]))
    return count


def lines_of(report: pytest.TestReport) -> str:
    """Return the reason of a failure, or why a test was skipped, in one line."""
    if hasattr(report, "wasxfail"):
        return f"xfail: {report.wasxfail}"
    if isinstance(report.longrepr, tuple):
        return str(report.longrepr[2]).removeprefix("Skipped: ")
    crash = getattr(report.longrepr, "reprcrash", None)
    text = crash.message if crash is not None else str(report.longrepr)
    return text.strip().splitlines()[0] if text.strip() else "failed"


def pytest_configure(config: pytest.Config) -> None:
    """Start watching, once everything else of pytest is there."""
    with open(os.environ["KINDLING_REGISTRY_SPEC"], encoding="utf-8") as file:
        spec = json.load(file)
    try:
        suite = Suite(spec)
    except Exception:  # the plugin's manifest or the kernel cannot be read: said instead of no result
        with open(spec["out"], "w", encoding="utf-8") as file:
            json.dump({"broken": [traceback.format_exc().strip().splitlines()[-1]]}, file)
        raise
    config.pluginmanager.register(suite)
    suite.watch.start()
