"""A clean environment: made once with a network, then used without one. Not a sandbox."""

from __future__ import annotations

import json
import os
import shutil
import subprocess
import sys
from importlib.metadata import distribution
from pathlib import Path

from msgspec import Struct

from kindling.errors import PluginError
from kindling_plugin_registry.client.environment import uv_path

CHILDREN = Path(__file__).parent / "children"
KEPT = ("LANG", "LD_LIBRARY_PATH", "SYSTEMROOT")
DRAWN = " \u2502\u2570\u2500\u25b6\u00d7"
"""What uv draws before the lines of an error."""
_INSTALL_S = 900


class Sources(Struct, frozen=True, kw_only=True):
    """Where distributions come from.

    Attributes:
        kernel: Requirement of the kernel, a wheel or a folder; "" for the one that runs.
        find_links: Folders with wheels.
        is_offline: Use nothing but `find_links` and what is cached.
    """

    kernel: str = ""
    find_links: tuple[str, ...] = ()
    is_offline: bool = False

    def kernel_requirement(self) -> str:
        """Return the requirement that installs the kernel with what tests need."""
        name = "kindling-core[testing]"
        if self.kernel:
            path = Path(self.kernel)
            return f"{name} @ {path.absolute().as_uri()}" if path.exists() else self.kernel
        found = distribution("kindling-core")
        url = json.loads(found.read_text("direct_url.json") or "{}").get("url", "")
        return f"{name} @ {url}" if url.startswith("file:") else f"{name}=={found.version}"

    def options(self) -> list[str]:
        """Return options for uv or pip."""
        links = [f"--find-links={folder}" for folder in self.find_links]
        return [*(["--no-index"] if self.is_offline else []), *links]


class Room:
    """One environment in a folder; `home` is its home and working folder.

    Args:
        folder: An empty folder.
        environment: One that an earlier check has made, which saves time and is no longer clean; or None.
    """

    def __init__(self, folder: Path, environment: Path | None = None) -> None:
        self.folder = environment or folder / "environment"
        self.home = folder / "home"
        self.home.mkdir(parents=True)
        self.python = self.folder / ("Scripts" if os.name == "nt" else "bin") / "python"
        self.is_cut = is_cuttable()

    def install(self, sources: Sources, requirements: tuple[str, ...]) -> None:
        """Make the environment and install requirements with their dependencies.

        Raises:
            PluginError: KDL-REG-220, they cannot be installed together.
        """
        uv = uv_path()
        wanted = [*sources.options(), sources.kernel_requirement(), *requirements]
        if uv:
            if not self.python.exists():
                self._done([uv, "venv", "--quiet", "--python", sys.executable, str(self.folder)])
            refresh = ["--refresh-package", "kindling-core"]
            install = [uv, "pip", "install", "--quiet", "--python", str(self.python), *refresh]
        else:
            self._done([sys.executable, "-m", "venv", str(self.folder)])
            install = [str(self.python), "-m", "pip", "install", "--quiet"]
        self._done([*install, *wanted])

    def _done(self, command: list[str]) -> None:
        ended = subprocess.run(command, capture_output=True, text=True, timeout=_INSTALL_S, check=False)  # noqa: S603  # uv or pip
        if ended.returncode:
            lines = [line.strip(DRAWN) for line in ended.stderr.strip().splitlines()]
            raise PluginError(
                "KDL-REG-220",
                "the plugin cannot be installed in a clean environment",
                why=" ".join(line for line in lines if line)[-600:],
                hint="correct its dependencies; --find-links FOLDER names wheels that no index has",
            )

    def run(
        self, *arguments: str, timeout_s: float, **variables: str
    ) -> subprocess.CompletedProcess[str] | None:
        """Run the environment's Python without a network; None if it took too long.

        It gets no variable of this process but language and library paths, so no secrets.
        """
        command = [str(self.python), *arguments]
        if self.is_cut:
            command = [
                str(shutil.which("unshare")),
                "-rn",
                str(self.python),
                str(CHILDREN / "cut.py"),
                *command,
            ]
        temporary = self.home / "tmp"
        temporary.mkdir(exist_ok=True)
        nowhere = {f"{name}_proxy": "http://127.0.0.1:9" for name in ("http", "https", "all")}
        path = os.pathsep.join((str(self.python.parent), os.defpath))
        kept = {
            name: os.environ[name] for name in ("LANG", "LD_LIBRARY_PATH", "SYSTEMROOT") if name in os.environ
        }
        own = {"PATH": path, "HOME": str(self.home), "TMPDIR": str(temporary)}
        try:
            return subprocess.run(  # noqa: S603  # this environment's Python
                command,
                cwd=self.home,
                env={**kept, **nowhere, **own, **variables},
                capture_output=True,
                text=True,
                timeout=timeout_s,
                check=False,
            )
        except subprocess.TimeoutExpired:
            return None


def is_cuttable() -> bool:
    """Tell whether this machine lets a process have a network of its own."""
    unshare = shutil.which("unshare")
    if unshare is None:
        return False
    return subprocess.run([unshare, "-rn", "true"], capture_output=True, check=False).returncode == 0  # noqa: S603  # util-linux
