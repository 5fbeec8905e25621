"""Run a project's contract tests against the installed wheel, and compare them with the kernel's own list."""

from __future__ import annotations

import json
import shutil
from typing import TYPE_CHECKING

import msgspec
from msgspec import Struct

from kindling_plugin_registry.check.findings import Finding
from kindling_plugin_registry.check.opening import SUITE_FILE
from kindling_plugin_registry.check.rooms import CHILDREN
from kindling_plugin_registry.records import Count, Failure

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Mapping

    from kindling_plugin_registry.check.opening import Subject
    from kindling_plugin_registry.check.rooms import Room
    from kindling_plugin_registry.wheels import Wheel

SUITE = "kindling-conformance"
SUITE_VERSION = "1.0"
_RUN_S = 1800
_CODES = (
    ("KDL-REG-231", "did not run", "take out what hides or deselects it"),
    ("KDL-REG-232", "is not the kernel's own", "rename the method that replaces it"),
)


class Told(Struct, frozen=True, kw_only=True):
    """What the pytest plugin tells of one capability.

    Attributes:
        required: Cases by name of the tests that the kernel's contract has for the declared features.
        missing: Those that did not run, or not in all cases.
        replaced: Those whose function is not the kernel's.
        foreign: Classes that name the capability and do not inherit from the contract.
        results: Test, outcome and reason of those that ran.
    """

    required: dict[str, int]
    missing: tuple[str, ...]
    replaced: tuple[str, ...]
    foreign: tuple[str, ...]
    results: tuple[tuple[str, str, str], ...]


class Report(Struct, frozen=True, kw_only=True):
    """What the pytest plugin writes; `broken` says why tests could not be collected."""

    capabilities: dict[str, Told] | None = None
    broken: tuple[str, ...] = ()
    left_out: tuple[str, ...] = ()
    observed: dict[str, list[str]] = {}  # msgspec copies it


class Conformed(Struct, frozen=True, kw_only=True):
    """How the tests went: counts by capability, failures, observations, findings and the log."""

    capabilities: dict[str, Count]
    failures: tuple[Failure, ...]
    observed: dict[str, list[str]]
    findings: tuple[Finding, ...]
    log: str


def run_suite(room: Room, wheel: Wheel, subject: Subject, services: Iterable[str] = ()) -> Conformed:
    """Run `test_conformance.py` in the room.

    Args:
        room: Has the wheel and what its tests need.
        wheel: The wheel.
        subject: The tests.
        services: Services for which tests may be skipped, beside the project's own.
    """
    if subject.tests is None:
        return _nothing(_without_tests(wheel))
    folder = room.home / "suite"
    shutil.copytree(subject.tests, folder, ignore=shutil.ignore_patterns("__pycache__", ".*"))
    (folder / "pytest.ini").write_text("[pytest]\n", encoding="utf-8")  # the author's options are not taken
    spec, out = room.home / "suite.json", room.home / "suite-result.json"
    plain = {"package": _package(wheel), "capabilities": sorted(wheel.modules), "out": str(out)}
    spec.write_text(json.dumps(plain), encoding="utf-8")
    done = room.run(
        "-m", "pytest", "-q", "-p", "kindling_check_suite", "-p", "no:cacheprovider",
        "--import-mode=importlib", "-c", str(folder / "pytest.ini"), str(folder / SUITE_FILE),
        timeout_s=_RUN_S, KINDLING_REGISTRY_SPEC=str(spec), PYTHONPATH=str(CHILDREN),
    )  # fmt: skip
    log = "" if done is None else f"{done.stdout}\n{done.stderr}"
    report = msgspec.json.decode(out.read_bytes(), type=Report) if out.is_file() else Report()
    if report.capabilities is None:
        why = f"not done after {_RUN_S} s" if done is None else _last(report.broken, log)
        return _nothing((_broken(why),), log)
    return _judged(report, report.capabilities, {*services, *subject.services}, log)


def _judged(report: Report, told: Mapping[str, Told], services: set[str], log: str) -> Conformed:
    findings = [_broken(why) for why in report.broken]
    failures: list[Failure] = []
    counts = {}
    for capability, found in sorted(told.items()):
        counts[capability], own = _counted(found, services)
        failures += own
        findings += _differences(capability, found)
        findings += [_failed(capability, item) for item in own]
        if counts[capability].skipped and found.results:
            findings.append(_skipped(capability, counts[capability].skipped, found))
    return Conformed(
        capabilities=counts,
        failures=tuple(failures),
        observed=report.observed,
        findings=tuple(findings),
        log=log,
    )


def _counted(found: Told, services: set[str]) -> tuple[Count, list[Failure]]:
    """Count results; a test that is missing or replaced counts as one that was skipped without reason."""
    results = found.results
    bad = [Failure(test=_short(node), message=text) for node, how, text in results if how == "failed"]
    skipped = [text for _, how, text in results if how == "skipped" and not _is_excused(text, services)]
    passed = sum(how == "passed" for _, how, _ in results)
    lost = len({*found.missing, *found.replaced})
    return Count(passed=passed, failed=len(bad), skipped=len(skipped) + lost), bad


def _is_excused(reason: str, services: set[str]) -> bool:
    """Tell whether a test was skipped for a service that the project names: `needs vault`."""
    return any(reason.startswith(f"needs {service}") for service in services)


def _differences(capability: str, found: Told) -> Iterator[Finding]:
    if not found.results and not found.replaced:
        foreign = f"{', '.join(found.foreign)} is no heir of the kernel's contract" if found.foreign else ""
        yield _untested(capability, foreign)
        return
    missing = [name for name in found.missing if name not in found.replaced]
    for names, (code, verb, hint) in zip((missing, found.replaced), _CODES, strict=True):
        for name in names:
            yield Finding(
                code=code,
                what=f"the test {name!r} of {capability!r} {verb}",
                why="the features that kindling.json declares require it",
                where=SUITE_FILE,
                hint=f"{hint}, or declare the feature no more",
            )


def _untested(capability: str, why: str) -> Finding:
    kind = capability.partition(":")[0]
    contract = f"{kind.title()}Contract"
    return Finding(
        code="KDL-REG-230",
        what=f"{capability!r} has no conformance tests",
        why=why or f"no class in {SUITE_FILE} inherits {contract} with this capability",
        where=SUITE_FILE,
        hint=f"class TestMine({contract}), with plugin and capability, in tests/{SUITE_FILE}",
    )


def _without_tests(wheel: Wheel) -> Iterator[Finding]:
    for capability in sorted(wheel.modules):
        if not capability.startswith("command:"):
            yield Finding(
                code="KDL-REG-230",
                what=f"{capability!r} has no conformance tests",
                why=f"there is no tests/{SUITE_FILE}",
                hint="kindling plugins check WHEEL --tests FOLDER_OR_SDIST",
            )


def _failed(capability: str, failure: Failure) -> Finding:
    return Finding(
        code="KDL-REG-233",
        what=f"{capability!r} fails {failure.test.rpartition('::')[2]!r}",
        why=failure.message[:300],
        where=failure.test,
        hint="pytest tests/test_conformance.py shows it in full",
    )


def _skipped(capability: str, count: int, found: Told) -> Finding:
    reasons = sorted({text for _, how, text in found.results if how == "skipped"})
    lost = not reasons
    return Finding(
        code="KDL-REG-234",
        what=f"{count} tests of {capability!r} were skipped without an accepted reason",
        why="tests are missing or replaced" if lost else f"reasons: {'; '.join(reasons[:3])}",
        hint='pytest.skip("needs vault"), and services = ["vault"] under [tool.kindling.check]',
    )


def _broken(why: str) -> Finding:
    hint = f"pytest tests/{SUITE_FILE}, where nothing but the wheel and the group `test` is installed"
    return Finding(
        code="KDL-REG-235", what="the conformance tests cannot run", why=why, where=SUITE_FILE, hint=hint
    )


def _nothing(findings: Iterable[Finding], log: str = "") -> Conformed:
    empty: dict[str, list[str]] = {"files": [], "network": [], "process": []}
    return Conformed(capabilities={}, failures=(), observed=empty, findings=tuple(findings), log=log)


def _last(broken: Iterable[str], log: str) -> str:
    lines = [*broken] or log.strip().splitlines()
    return lines[-1][:300] if lines else "pytest ended without a result"


def _short(node: str) -> str:
    return node[node.find(SUITE_FILE) :]


def _package(wheel: Wheel) -> str:
    return wheel.name.replace("-", "_")
