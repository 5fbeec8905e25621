"""What `kindling doctor` looks at: each look returns findings and survives whatever is broken."""

from __future__ import annotations

import os
import shutil
import sys
import tempfile
from dataclasses import dataclass
from importlib.util import cache_from_source
from typing import TYPE_CHECKING

import kindling
from kindling.cli.commands.check import project_faults
from kindling.cli.engines import engine_findings
from kindling.cli.finding import FAIL, OK, WARN, Finding, of_error
from kindling.cli.permitted import permitted
from kindling.cli.places import app_opened, settings_opened
from kindling.errors import KindlingError
from kindling.plugins.catalog import read_catalog
from kindling.plugins.warnings import warned
from kindling.run.states import open_state

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from kindling.plan.project import Project
    from kindling.plugins.catalog import Catalog

OLDEST = (3, 11)
LITTLE_SPACE = 1 << 30
"""Bytes; below, a full disk is near for any but toy data."""


@dataclass(frozen=True, slots=True)
class Situation:
    """What all looks share.

    Attributes:
        catalog: Installed capabilities; None where even they cannot be listed.
        project: The project with an empty app, or None outside of one or with broken settings.
        environment: What `--env` said, or None.
    """

    catalog: Catalog | None
    project: Project | None
    environment: str | None


def findings(environment: str | None, *, starts: bool) -> list[Finding]:
    """Look at everything.

    Effects: with `starts` the chosen platform's engine is started and stopped again.
    """
    catalog, listed = _catalog()
    project, loaded = _settings(environment)
    situation = Situation(catalog, project, environment)
    found = [*_python(), *listed, *loaded]
    looks: list[tuple[str, Callable[[Situation], Iterator[Finding]]]] = [
        ("plugins", _plugins),
        ("platform", lambda seen: engine_findings(seen.catalog, seen.project, starts=starts)),
        ("executor", _executor),
        ("state", _state),
        ("app", _app),
        ("disk", _disk),
    ]
    for name, look in looks:
        try:
            found += look(situation)
        except Exception as error:  # noqa: BLE001  # a doctor's own look must not hide the others
            found.append(Finding(name, FAIL, f"{type(error).__name__}: {error}", "tell the developers"))
    return found


def _python() -> Iterator[Finding]:
    version = ".".join(map(str, sys.version_info[:3]))
    good = sys.version_info[:2] >= OLDEST
    fix = "" if good else "install Python 3.11 or newer"
    yield Finding("python", OK if good else FAIL, f"{version} at {sys.executable}", fix)
    yield Finding("kindling", OK, f"{kindling.__version__} in {os.path.dirname(kindling.__file__)}")
    if sys.prefix == sys.base_prefix:
        yield Finding(
            "environment",
            WARN,
            "this is no virtual environment: plugins of different projects may clash",
            "python -m venv .venv && . .venv/bin/activate",
        )
    else:
        yield Finding("environment", OK, f"virtual environment {sys.prefix}")
    yield _bytecode()


def _bytecode() -> Finding:
    folder = os.path.dirname(kindling.__file__)
    if sys.dont_write_bytecode:
        return Finding(
            "bytecode",
            WARN,
            "PYTHONDONTWRITEBYTECODE is set: each start compiles all code anew, 4 to 5 times slower",
            "unset PYTHONDONTWRITEBYTECODE",
        )
    if not os.path.exists(cache_from_source(os.path.join(folder, "app.py"))):
        return Finding(
            "bytecode",
            WARN,
            "there are no .pyc files: starts are 4 to 5 times slower",
            f"{sys.executable} -m compileall -q {os.path.dirname(folder)}",
        )
    return Finding("bytecode", OK, "compiled")


def _catalog() -> tuple[Catalog | None, list[Finding]]:
    try:
        found = permitted(os.getcwd())
        return read_catalog(found.cache, found.policy), []
    except KindlingError as error:
        return None, [of_error("plugins", FAIL, error)]


def _settings(environment: str | None) -> tuple[Project | None, list[Finding]]:
    """Open the project without its app."""
    try:
        project = settings_opened(environment)
    except KindlingError as error:
        if error.code == "KDL-CONF-001":
            return None, [Finding("project", WARN, "there is no project here", error.hint)]
        return None, [of_error("project", FAIL, error)]
    return project, [Finding("project", OK, f"{project.path}, environment {project.environment}")]


def _plugins(seen: Situation) -> Iterator[Finding]:
    if seen.catalog is None:
        return
    count = len(seen.catalog.distributions) - 1  # the kernel is none
    yield Finding("plugins", OK, f"{count} installed, {len(seen.catalog.capabilities())} capabilities")
    for fault in seen.catalog.faults:
        yield of_error("plugins", WARN, fault)
    for capability in seen.catalog.installed():
        refusal = seen.catalog.unusable(capability)
        if refusal is not None and refusal.code != "KDL-PLUG-005":  # switched off on purpose
            yield of_error("plugins", WARN, refusal)
    yield from _warned(seen)


def _warned(seen: Situation) -> Iterator[Finding]:
    """Tell what registries warn about, as a client of them last wrote it down."""
    if seen.catalog is None or seen.project is None:
        return
    rules = seen.project.settings.table("plugins").get("policy")
    found = warned(
        seen.project.state_dir, seen.catalog.distributions, rules if isinstance(rules, dict) else {}
    )
    for item in found:
        fix = f"kindling plugins update {item.name}"
        refused = item.is_refused
        yield Finding("plugins", FAIL if refused else WARN, str(item), fix, 5 if refused else 0)


def _executor(seen: Situation) -> Iterator[Finding]:
    if seen.catalog is None:
        return
    name = str(seen.project.settings.get("executor")) if seen.project else "threads"
    try:
        found = seen.catalog.find(f"executor:{name}")
        yield Finding("executor", OK, f"{name}, from {found.distribution} {found.version}")
    except KindlingError as error:
        yield of_error("executor", FAIL if seen.project else WARN, error)


def _state(seen: Situation) -> Iterator[Finding]:
    if seen.project is None:
        return
    try:
        state = open_state(seen.project)
        try:
            newest = state.runs("", "", 1)
        finally:
            state.close()
        last = f"newest run {newest[0].run_id}: {newest[0].status}" if newest else "no runs yet"
        yield Finding(
            "state", OK, f"{seen.project.settings.get('state')} in {seen.project.state_dir}, {last}"
        )
    except KindlingError as error:
        yield of_error("state", FAIL, error)


def _app(seen: Situation) -> Iterator[Finding]:
    if seen.project is None:
        return
    try:
        project = app_opened(seen.environment)
    except KindlingError as error:
        yield of_error("app", FAIL, error)
        return
    faults = project_faults(project)
    if faults:
        first = of_error("app", FAIL, faults[0])
        more = f" (and {len(faults) - 1} more: kindling check)" if len(faults) > 1 else ""
        yield Finding("app", FAIL, first.text + more, first.fix, first.exit_code)
        return
    yield Finding("app", OK, f"{project.app.name}: {len(project.app.entities())} entities, no fault")


def _disk(seen: Situation) -> Iterator[Finding]:
    places = dict.fromkeys([seen.project.path if seen.project else os.getcwd(), tempfile.gettempdir()])
    for place in places:
        free = shutil.disk_usage(place).free
        text = f"{free / (1 << 30):.1f} GiB free at {place}"
        is_low = free < LITTLE_SPACE
        yield Finding("disk", WARN if is_low else OK, text, "make room, or work elsewhere" if is_low else "")
