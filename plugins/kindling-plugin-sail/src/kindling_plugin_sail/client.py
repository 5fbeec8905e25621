"""The Connect client: which distributions are there, whether they fit, and their import."""

from __future__ import annotations

import re
from dataclasses import dataclass
from importlib.util import find_spec
from pathlib import Path
from typing import Any

from kindling.errors import PluginError
from kindling.hooks.platform import FrameApi

PYSAIL = "0.7.2"
PYSPARK = "4.2."
_INSTALL = "pip install 'kindling-plugin-sail[client]'"


@dataclass(frozen=True, slots=True)
class Client:
    """The classes and modules of the client that this platform uses.

    Attributes:
        session: `SparkSession` of Spark Connect.
        channel: `DefaultChannelBuilder`.
        frame: `DataFrame` of Spark Connect.
        plan: The module of logical plans.
        frames: The modules of the pipe code.
    """

    session: Any
    channel: Any
    frame: type
    plan: Any
    frames: FrameApi


def versions(folders: tuple[Path, ...]) -> dict[str, str]:
    """Return the versions of pysail, pyspark, pyspark-client and pandas installed in these folders.

    The names of the `.dist-info` folders tell them; importlib.metadata takes 48 ms to import.
    """
    found: dict[str, str] = {}
    for folder in folders:
        for entry in folder.iterdir():
            match = re.fullmatch(r"(pysail|pyspark|pyspark_client|pandas)-([^-]+)\.dist-info", entry.name)
            if match:
                found[match[1].replace("_", "-")] = match[2]
    return found


def installed() -> dict[str, str]:
    """Return what `versions` finds where the four packages are importable from."""
    specs = [spec for package in ("pyspark", "pysail", "pandas") if (spec := find_spec(package))]
    places = [Path(place).parent for spec in specs for place in (spec.submodule_search_locations or ())]
    return versions(tuple(place for place in dict.fromkeys(places) if place.is_dir()))


def check(found: dict[str, str]) -> None:
    """Refuse distributions that do not work together.

    Raises:
        PluginError: KDL-INFRA-110 to KDL-INFRA-113.
    """
    if "pyspark" in found and "pyspark-client" in found:
        raise PluginError(
            "KDL-INFRA-110",
            "pyspark and pyspark-client are both installed",
            why="they own the same files, so one has overwritten parts of the other",
            hint=f"pip uninstall -y pyspark pyspark-client && {_INSTALL}",
        )
    client = found.get("pyspark-client") or found.get("pyspark")
    if client is None:
        raise PluginError("KDL-INFRA-111", "the platform 'sail' needs a Spark Connect client", hint=_INSTALL)
    if not client.startswith(PYSPARK):
        raise PluginError(
            "KDL-INFRA-112",
            f"the platform 'sail' does not work with pyspark {client}",
            why=f"pysail {PYSAIL} speaks to pyspark {PYSPARK}x",
            hint="pip install 'pyspark-client>=4.2,<4.3'",
        )
    if found.get("pysail", PYSAIL) != PYSAIL:
        raise PluginError(
            "KDL-INFRA-113",
            f"the platform 'sail' does not work with pysail {found['pysail']}",
            why=f"it was tested with {PYSAIL}, and its work-arounds are for that version",
            hint=f"pip install pysail=={PYSAIL}",
        )


def load(*, light_pandas: bool) -> Client:
    """Import the client.

    Args:
        light_pandas: Keep pandas out until somebody uses it.

    Raises:
        PluginError: KDL-INFRA-110 to KDL-INFRA-114, distributions do not fit or are missing.
    """
    found = installed()
    check(found)
    if light_pandas and found.get("pandas", "").startswith("2."):
        from kindling_plugin_sail import light

        light.install(found["pandas"])
        try:
            return _import()
        finally:
            light.remove()
    return _import()


def _import() -> Client:
    try:
        from pyspark.errors import utils
        from pyspark.sql import types
        from pyspark.sql.connect import functions, plan
        from pyspark.sql.connect.client import DefaultChannelBuilder
        from pyspark.sql.connect.dataframe import DataFrame
        from pyspark.sql.connect.session import SparkSession
        from pyspark.sql.connect.window import Window
    except ImportError as error:
        raise PluginError(
            "KDL-INFRA-114",
            "the Spark Connect client cannot be imported",
            why=str(error).splitlines()[0],
            hint=_INSTALL,
        ) from error
    # pyspark notes the line of each column expression for error texts of the JVM, which Sail does not make.
    # It looks for IPython in all of sys.path each time, 1 ms a pipe, and asks the engine whether to.
    utils._enable_debugging_cache = False  # type: ignore[assignment]  # noqa: SLF001  # pyspark 4.2
    return Client(SparkSession, DefaultChannelBuilder, DataFrame, plan, FrameApi(functions, Window, types))
