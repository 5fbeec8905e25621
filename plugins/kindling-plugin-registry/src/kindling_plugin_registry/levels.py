"""Derive a release's level from its results. Levels are never claimed and never stored in the source.

Only results of the registry's own runs count, and only those of a wheel of this very release (SHA-256).
Of each Python and operating system the newest result speaks.
"""

from __future__ import annotations

from datetime import datetime, timedelta
from typing import TYPE_CHECKING

from kindling_plugin_registry.records import Level
from kindling_plugin_registry.versions import is_within

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

    from kindling_plugin_registry.records import LevelName, PluginRecord, Release, Result

LEVELS: tuple[LevelName, ...] = ("listed", "loadable", "conformant", "verified")
STALE_DAYS = 90
IMPORT_TEST = "import"
"""Name of the failure that says that the plugin could not be imported."""


def level(
    record: PluginRecord,
    release: Release,
    results: Sequence[Result],
    now: str,
    kernel: str,
    pythons: Sequence[str] = (),
) -> Level:
    """Return the level of a release, whether it is stale, and why it is not higher.

    Args:
        record: The plugin's `plugin.toml`; its publisher is what provenance is compared with.
        release: The release.
        results: Its results, newest last, of any wheel and runner.
        now: The moment, `2026-11-25T00:00:00Z`.
        kernel: The kernel's version; results of another minor version count one level less.
        pythons: Python versions of the kernel's range, `3.11`; those that the release supports must
            have results for `verified`. Empty: those that have results.
    """
    wheels = {artifact.sha256 for artifact in release.artifacts}
    own = [result for result in results if result.runner == "registry" and result.sha256 in wheels]
    fresh = [result for result in own if not _is_stale(result, now, kernel)]
    place, why = _place(record, release, _latest(fresh), pythons)
    if len(fresh) < len(own):
        aged, aged_why = _place(record, release, _latest(own), pythons)
        if not fresh or aged - 1 > place:
            text = f"results are older than {STALE_DAYS} days or of another kernel than {_minor(kernel)}"
            return Level(
                level=LEVELS[max(aged - 1, 0)], stale=True, why="; ".join(filter(None, (text, aged_why)))
            )
    return Level(level=LEVELS[place], stale=False, why=why)


def _place(
    record: PluginRecord, release: Release, latest: Sequence[Result], pythons: Sequence[str]
) -> tuple[int, str]:
    """Return the place in `LEVELS`, and what keeps the release from the next one."""
    if not latest:
        return 0, "the registry has not tested this release"
    broken = [result.python for result in latest if any(f.test == IMPORT_TEST for f in result.failures)]
    if broken:
        return 0, f"it cannot be imported on Python {', '.join(broken)}"
    faults = [fault for result in latest for fault in _test_faults(release, result)]
    if faults or not release.provides:
        return 1, "; ".join(faults) or "it offers no capability"
    faults = [*_publisher_faults(record, release), *_reach_faults(release, latest, pythons)]
    return (2, "; ".join(faults)) if faults else (3, "")


def _test_faults(release: Release, result: Result) -> Iterable[str]:
    for provided in release.provides:
        count = result.capabilities.get(provided.capability)
        if count is None or not count.passed + count.failed:
            yield f"no tests of {provided.capability} on Python {result.python}"
        elif count.failed or count.skipped:
            yield (
                f"{provided.capability} on Python {result.python}: "
                f"{count.failed} failed, {count.skipped} skipped without reason"
            )


def _publisher_faults(record: PluginRecord, release: Release) -> Iterable[str]:
    wanted = record.publisher
    for artifact in release.artifacts:
        found = artifact.publisher
        same = (found.kind, found.repository, found.workflow) == (
            wanted.kind,
            wanted.repository,
            wanted.workflow,
        )
        if found.kind == "none" or not same:
            yield f"the publisher of {artifact.filename} is not verified"


def _reach_faults(release: Release, latest: Sequence[Result], pythons: Sequence[str]) -> Iterable[str]:
    tested = {result.python for result in latest}
    for python in pythons:
        if python not in tested and is_within(f"{python}.0", release.requires_python):
            yield f"not tested on Python {python}"
    for result in latest:
        if result.undeclared:
            yield f"undeclared use of {', '.join(result.undeclared)} on Python {result.python}"


def _latest(results: Sequence[Result]) -> list[Result]:
    newest: dict[tuple[str, str], Result] = {}
    for result in sorted(results, key=lambda item: item.at):  # stable: the later in the list wins a tie
        newest[result.python, result.os] = result
    return [newest[key] for key in sorted(newest)]


def _is_stale(result: Result, now: str, kernel: str) -> bool:
    age = datetime.fromisoformat(now) - datetime.fromisoformat(result.at)
    return age > timedelta(days=STALE_DAYS) or _minor(result.kernel) != _minor(kernel)


def _minor(version: str) -> str:
    return ".".join(version.split(".")[:2])
