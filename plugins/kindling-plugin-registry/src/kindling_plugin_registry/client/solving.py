"""Solve the dependencies of chosen plugins for all platforms: uv does it, in a child process.

Plugins are handed over as files that were checked, so their names are looked up nowhere; only what is no
plugin comes from the one package index of their registry.
"""

from __future__ import annotations

import os
import subprocess
import tempfile
import tomllib
import zipfile
from typing import TYPE_CHECKING

from kindling import __version__ as kernel_version
from kindling.errors import PluginError, UsageError
from kindling_plugin_registry.client.installers import Order, command_text, index_options, own_variables
from kindling_plugin_registry.client.kernel import KERNEL

if TYPE_CHECKING:
    from collections.abc import Sequence

    from kindling_plugin_registry.client.downloads import Wheel
    from kindling_plugin_registry.client.environment import Environment

OLDEST_PYTHON = "3.11"
_TIMEOUT_S = 900


def solve(
    environment: Environment, wheels: Sequence[Wheel], index: str, *, is_offline: bool
) -> tuple[list[dict[str, object]], bool]:
    """Return the packages of PEP 751 that plugins need, for every platform, and whether the kernel is one.

    Where the index has no `kindling-core` of this version, the kernel is left out: its own bounds still
    hold, as constraints.

    Raises:
        UsageError: KDL-REG-152, there is no uv.
        PluginError: KDL-REG-153, the requirements cannot be met together.
    """
    if not environment.uv:
        raise UsageError(
            "KDL-REG-152",
            "a lock for all platforms is made by uv, which is not here",
            why="pip locks for its own platform only",
            hint="pip install uv",
        )
    with tempfile.TemporaryDirectory(prefix="kindling-lock-") as folder:
        plugins = [wheel.plain_requirement() for wheel in wheels]
        done = _compile(
            environment, folder, [*plugins, f"{KERNEL}=={kernel_version}"], (index, is_offline), []
        )
        if done.returncode and KERNEL in done.stderr:
            stub = _stub(folder)
            done = _compile(environment, folder, [*plugins, stub], (index, is_offline), _bounds())
            has_kernel = False
        else:
            has_kernel = True
        if done.returncode:
            lines = [line.strip() for line in done.stderr.splitlines() if line.strip()]
            raise PluginError(
                "KDL-REG-153",
                f"no versions fit {', '.join(repr(wheel.name) for wheel in wheels)} together",
                why=" ".join(lines[:4]),
                hint=command_text(done.args),
            )
        with open(os.path.join(folder, "pylock.toml"), "rb") as file:
            packages: list[dict[str, object]] = tomllib.load(file).get("packages", [])
    return [item for item in packages if has_kernel or item["name"] != KERNEL], has_kernel


def _compile(
    environment: Environment,
    folder: str,
    requirements: Sequence[str],
    source: tuple[str, bool],
    bounds: Sequence[str],
) -> subprocess.CompletedProcess[str]:
    given, limits = os.path.join(folder, "requirements.in"), os.path.join(folder, "constraints.txt")
    for path, lines in ((given, requirements), (limits, bounds)):
        with open(path, "w", encoding="utf-8") as file:
            file.writelines(f"{line}\n" for line in lines)
    index, is_offline = source
    command = [
        environment.uv, "pip", "compile", "-q", "--universal", "--python-version", OLDEST_PYTHON,
        "--python", environment.python, "--format", "pylock.toml", "--no-header", "-c", limits,
        *index_options(Order(given, index, is_offline), is_uv=True), given,
        "-o", os.path.join(folder, "pylock.toml"),
    ]  # fmt: skip
    return subprocess.run(  # noqa: S603  # made here, of paths of this process
        command,
        capture_output=True,
        text=True,
        check=False,
        timeout=_TIMEOUT_S,
        cwd=folder,
        env=own_variables(),
    )


def _bounds() -> list[str]:
    """Return what the kernel requires, without its extras."""
    from importlib.metadata import requires

    from packaging.requirements import Requirement

    found = [Requirement(text) for text in requires(KERNEL) or ()]
    return [f"{item.name}{item.specifier}" for item in found if "extra" not in str(item.marker or "")]


def _stub(folder: str) -> str:
    """Write a wheel that stands for the installed kernel, without its requirements."""
    info = f"kindling_core-{kernel_version}.dist-info"
    path = os.path.join(folder, f"kindling_core-{kernel_version}-py3-none-any.whl")
    head = "Metadata-Version: 2.1\nName: kindling-core\n"
    with zipfile.ZipFile(path, "w") as archive:
        archive.writestr(f"{info}/METADATA", f"{head}Version: {kernel_version}\n")
        archive.writestr(f"{info}/WHEEL", "Wheel-Version: 1.0\nRoot-Is-Purelib: true\nTag: py3-none-any\n")
        archive.writestr(f"{info}/RECORD", "")
    return f"{KERNEL} @ file://{path}"
