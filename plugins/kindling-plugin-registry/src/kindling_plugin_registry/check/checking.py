"""A whole check, in order: open, look, install, import, test, judge. The registry runs the same."""

from __future__ import annotations

import platform
import sys
from datetime import datetime, timezone
from importlib.metadata import version
from pathlib import Path
from typing import TYPE_CHECKING

import msgspec
from msgspec import Struct

from kindling.errors import PluginError
from kindling_plugin_registry import records
from kindling_plugin_registry.check.commanding import run_commands
from kindling_plugin_registry.check.conforming import SUITE, SUITE_VERSION, run_suite
from kindling_plugin_registry.check.contents import static_findings
from kindling_plugin_registry.check.findings import Finding, is_failed, of_error
from kindling_plugin_registry.check.importing import watch_import
from kindling_plugin_registry.check.opening import open_subject
from kindling_plugin_registry.check.rooms import Room, Sources
from kindling_plugin_registry.formats import sha256_of
from kindling_plugin_registry.levels import IMPORT_TEST, level
from kindling_plugin_registry.operator.adding import release_of

if TYPE_CHECKING:
    from collections.abc import Iterator

    from kindling_plugin_registry.check.conforming import Conformed
    from kindling_plugin_registry.check.importing import Imported
    from kindling_plugin_registry.check.opening import Subject
    from kindling_plugin_registry.wheels import Wheel

KINDS = ("files", "network", "process")


class Request(Struct, frozen=True, kw_only=True):
    """What is asked for.

    Attributes:
        path: A wheel or a project's folder.
        tests: For a wheel: its project's folder or source archive.
        sources: Where distributions come from.
        names: Other plugins, whose names this one must not look like.
        services: Services for which tests may be skipped.
        runner: Who runs it; results of authors never raise a level.
        is_static: Do nothing but look at the wheel.
        environment: One to use again instead of a clean one, for many checks in a row; or None.
    """

    path: Path
    tests: Path | None = None
    sources: Sources = Sources()
    names: tuple[str, ...] = ()
    services: tuple[str, ...] = ()
    runner: str = "author"
    is_static: bool = False
    environment: Path | None = None


class Checked(Struct, frozen=True, kw_only=True):
    """What a check found: the wheel, all findings, the evidence, and whether the network was cut.

    Attributes:
        wheel: None where it could not be built or read.
        findings: All, in the order of the check.
        result: The evidence; None where the wheel was not imported.
        level: What the evidence would be worth if the registry had made it; "" with failed findings.
        is_cut: Whether the plugin ran in a network namespace of its own.
        log: What pytest printed; its SHA-256 stands in the result.
    """

    wheel: Wheel | None
    findings: tuple[Finding, ...]
    result: records.Result | None = None
    level: str = ""
    is_cut: bool = False
    log: str = ""

    @property
    def exit_code(self) -> int:
        """0, or 1 with a finding that keeps the plugin out."""
        return int(is_failed(self.findings))


def check(request: Request, folder: Path) -> Checked:
    """Check a plugin in an empty folder, which holds everything that is made.

    Raises:
        UsageError: KDL-REG-200, there is nothing to check.
    """
    try:
        subject = open_subject(request.path, request.tests, folder)
    except PluginError as error:
        return Checked(wheel=None, findings=(_same(error),))
    wheel, findings = static_findings(subject.wheel, request.names)
    if wheel is None or request.is_static or any(f.code in _BARS for f in findings):
        return Checked(wheel=wheel, findings=tuple(findings))
    room = Room(folder / "room", request.environment)
    wanted = (f"{wheel.name} @ {subject.wheel.absolute().as_uri()}", *subject.requirements)
    try:
        room.install(request.sources, wanted)
    except PluginError as error:
        return Checked(wheel=wheel, findings=(*findings, _same(error)), is_cut=room.is_cut)
    return _tried(request, room, subject, wheel, findings)


_BARS = ("KDL-REG-203", "KDL-REG-204", "KDL-REG-205", "KDL-REG-208")
"""With these, installing or importing would say nothing more, or would already do harm."""


def _tried(request: Request, room: Room, subject: Subject, wheel: Wheel, findings: list[Finding]) -> Checked:
    imported = watch_import(room, wheel)
    findings += imported.findings
    if not imported.is_loadable:
        result = _result(request, wheel, imported, None)
        return Checked(wheel=wheel, findings=tuple(findings), result=result, is_cut=room.is_cut)
    conformed = run_suite(room, wheel, subject, request.services)
    counts, faults = run_commands(room, wheel)
    conformed = msgspec.structs.replace(conformed, capabilities={**conformed.capabilities, **counts})
    result = _result(request, wheel, imported, conformed)
    findings += [*conformed.findings, *faults, *_undeclared(result)]
    known = {item.what: item for item in findings}  # one engine at module level is found twice
    return Checked(
        wheel=wheel,
        findings=tuple(known.values()),
        result=result,
        level="" if is_failed(findings) else worth(wheel, result),
        is_cut=room.is_cut,
        log=conformed.log,
    )


def _result(
    request: Request, wheel: Wheel, imported: Imported, conformed: Conformed | None
) -> records.Result:
    """Return the evidence, bound to the wheel by its hash."""
    tested = conformed.observed if conformed else {}
    observed = {key: tuple(sorted({*imported.observed[key], *tested.get(key, ())})) for key in KINDS}
    stated = wheel.manifest.get("permissions")
    declared = stated if isinstance(stated, list) else []
    failures = conformed.failures if conformed else ()
    if not imported.is_loadable:
        failures = (records.Failure(test=IMPORT_TEST, message=imported.findings[0].why),)
    return records.Result(
        suite=SUITE,
        suite_version=SUITE_VERSION,
        kernel=version("kindling-core"),
        python=f"{sys.version_info.major}.{sys.version_info.minor}",
        os=platform.system().lower(),
        sha256=wheel.sha256,
        at=datetime.now(timezone.utc).strftime("%Y-%m-%dT%H:%M:%SZ"),
        runner="registry" if request.runner == "registry" else "author",
        log_sha256=sha256_of(conformed.log.encode()) if conformed else "",
        import_ms=imported.import_ms,
        observed=records.Observed(**observed),
        undeclared=tuple(key for key in KINDS if observed[key] and key not in declared),
        capabilities=conformed.capabilities if conformed else {},
        failures=failures,
    )


def _undeclared(result: records.Result) -> Iterator[Finding]:
    for key in result.undeclared:
        seen = getattr(result.observed, key)
        yield Finding(
            code="KDL-REG-227",
            what=f"the plugin used {key!r} and does not declare it",
            why=f"observed: {', '.join(seen[:5])}",
            where="kindling.json",
            hint=f'add "{key}" to "permissions" in kindling.json',
        )


def worth(wheel: Wheel, result: records.Result) -> str:
    """Return the level that the registry would derive from a result of its own, of a verified publisher."""
    release = release_of([wheel], result.at, "")
    record = records.PluginRecord(
        schema="kindling.plugin-record/1",
        name=wheel.name,
        summary=wheel.summary or wheel.name,
        license=wheel.license,
        lifecycle="incubation",
        maintainers=(records.Maintainer(name="unknown"),),
        publisher=records.Publisher(kind="none"),
    )
    own = msgspec.structs.replace(result, runner="registry")
    return level(record, release, [own], result.at, result.kernel).level


def _same(error: PluginError) -> Finding:
    return next(msgspec.structs.replace(finding, why=error.why) for finding in of_error(error, error.code))
