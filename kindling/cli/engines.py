"""Which platforms work on this machine, and what is missing for the others: for `kindling doctor`."""

from __future__ import annotations

import os
import re
import shutil
import subprocess
import tempfile
from typing import TYPE_CHECKING

from kindling.cli.finding import FAIL, OK, WARN, Finding, of_error
from kindling.errors import KindlingError, RunError
from kindling.hooks.platform import PlatformSpec, SessionSpec
from kindling.plugins.loader import Loader

if TYPE_CHECKING:
    from collections.abc import Iterator

    from kindling.plan.project import Project
    from kindling.plugins.catalog import Catalog
    from kindling.values import Plain

UNUSABLE = 4
OLDEST_JAVA = 17
"""Source: Spark 4.2 documentation, "Overview"."""
FALLBACK = "sail"


def engine_findings(catalog: Catalog | None, project: Project | None, *, starts: bool) -> Iterator[Finding]:
    """Yield a finding for the chosen platform, then one for each other one that is installed.

    Args:
        catalog: Installed capabilities.
        project: The project; outside of one the default platform is the chosen one, and only a warning.
        starts: Start the chosen one's engine and compute one row.
    """
    if catalog is None:
        return
    chosen = str(project.settings.get("platform")) if project else FALLBACK
    others = [item.name for item in catalog.capabilities("platform") if item.name != chosen]
    for name in [chosen, *others]:
        is_chosen = name == chosen
        bad = FAIL if is_chosen and project else WARN
        finding = _usable(catalog, project, name, starts=starts and is_chosen, bad=bad)
        yield finding
        if name == "spark":
            yield _java(bad)


def _usable(catalog: Catalog, project: Project | None, name: str, *, starts: bool, bad: str) -> Finding:
    title = f"platform {name}"
    try:
        catalog.find(f"platform:{name}")
        _try(catalog, project, name, starts=starts)
    except KindlingError as error:
        found = of_error(title, bad, error)
        return Finding(title, bad, found.text, found.fix, UNUSABLE if bad == FAIL else 0)
    return Finding(title, OK, "its engine starts and computes" if starts else "it can be loaded")


def _try(catalog: Catalog, project: Project | None, name: str, *, starts: bool) -> None:
    """Open a platform as a run would; raises what is wrong in our own terms.

    Raises:
        KindlingError: It cannot be loaded, or RunError KDL-RUN-031, its engine does not work.
    """
    offer = Loader(catalog, catalog.policy).platform(name)
    with tempfile.TemporaryDirectory(prefix="kindling-doctor-") as work_dir:
        spec = PlatformSpec(
            environment=project.environment if project else "dev",
            settings=project.settings.plugin(f"platform:{name}") if project else _defaults(catalog, name),
            engine_settings=project.settings.spark if project and starts else {},
            work_dir=work_dir,
        )
        try:
            platform = offer.factory(spec)
            try:
                if starts:
                    session = platform.open_session(SessionSpec("doctor"))
                    session.preview(session.sql("SELECT 1 AS one", {}), 1)
                    session.close()
            finally:
                platform.close()
        except KindlingError:
            raise
        except Exception as error:  # the engine's own exceptions, which no kernel knows
            first = str(error).strip().partition("\n")[0]
            distribution = catalog.find(f"platform:{name}").distribution
            raise RunError(
                "KDL-RUN-031",
                f"the platform {name!r} does not work",
                why=f"{type(error).__name__}: {first}",
                hint=f"pip install --upgrade --force-reinstall {distribution}",
            ) from error


def _defaults(catalog: Catalog, name: str) -> dict[str, Plain]:
    config = catalog.find(f"platform:{name}").config
    return {key: facts.get("default") for key, facts in config.items()}  # type: ignore[misc]  # JSON of the manifest


def _java(bad: str) -> Finding:
    """Look for a Java that Spark can use."""
    home = os.environ.get("JAVA_HOME", "")
    java = os.path.join(home, "bin", "java") if home else shutil.which("java") or ""
    fix = f"install a JDK {OLDEST_JAVA} or newer, and set JAVA_HOME to its folder"
    if not java or not os.path.exists(java):
        missing = f"JAVA_HOME is {home!r}, which holds no bin/java" if home else "there is no java"
        return Finding("java", bad, missing, fix, UNUSABLE if bad == FAIL else 0)
    done = subprocess.run([java, "-version"], capture_output=True, text=True, check=False)  # noqa: S603  # a look at Java
    told = (done.stderr or done.stdout).partition("\n")[0]
    match = re.search(r'"(\d+)', told)
    is_good = match is not None and int(match[1]) >= OLDEST_JAVA
    if is_good:
        return Finding("java", OK, f"{told} at {java}")
    return Finding(
        "java", bad, f"{told or 'java says nothing'} at {java}", fix, UNUSABLE if bad == FAIL else 0
    )
