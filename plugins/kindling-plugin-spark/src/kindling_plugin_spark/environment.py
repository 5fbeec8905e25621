"""What must be installed: a full pyspark 4.2 alone, and a Java runtime."""

from __future__ import annotations

import os
import re
import shutil
from collections.abc import Mapping
from importlib.util import find_spec
from pathlib import Path

from kindling.errors import PluginError

PYSPARK = "4.2."


def versions(folder: Path) -> dict[str, str]:
    """Return the versions of pyspark and pyspark-client that are installed in a folder."""
    found: dict[str, str] = {}
    for entry in folder.iterdir():
        match = re.fullmatch(r"(pyspark|pyspark_client)-([^-]+)\.dist-info", entry.name)
        if match:
            found[match[1].replace("_", "-")] = match[2]
    return found


def installed() -> dict[str, str]:
    """Return what `versions` finds beside the pyspark that would be imported."""
    spec = find_spec("pyspark")
    places = list(spec.submodule_search_locations or ()) if spec else []
    return versions(Path(places[0]).parent) if places else {}


def java(environ: Mapping[str, str]) -> str | None:
    """Return the path of the Java runtime that Spark would use, or None."""
    home = environ.get("JAVA_HOME")
    if home:
        return shutil.which("java", path=os.path.join(home, "bin"))  # noqa: PTH118  # a search path, not a file
    return shutil.which("java", path=environ.get("PATH", ""))


def check(found: Mapping[str, str], runtime: str | None) -> None:
    """Refuse an environment in which Spark cannot work.

    Raises:
        PluginError: KDL-INFRA-310 to KDL-INFRA-312.
    """
    if "pyspark-client" in found:
        raise PluginError(
            "KDL-INFRA-310",
            "the platform 'spark' cannot work beside pyspark-client",
            why="it owns the same files as pyspark, without the JVM's jars",
            hint="pip uninstall -y pyspark pyspark-client && pip install 'pyspark>=4.2,<4.3'",
        )
    if not found.get("pyspark", "").startswith(PYSPARK):
        raise PluginError(
            "KDL-INFRA-311",
            f"the platform 'spark' does not work with pyspark {found.get('pyspark', '(none)')}",
            why=f"it was tested with {PYSPARK}x",
            hint="pip install 'pyspark>=4.2,<4.3'",
        )
    if runtime is None:
        raise PluginError(
            "KDL-INFRA-312",
            "the platform 'spark' finds no Java runtime",
            why="there is no `java` in JAVA_HOME or on the PATH",
            hint="install a Java 17 or 21 runtime, or set JAVA_HOME",
        )
