"""Which Python environment this is, and which installer may change it. It changes nothing.

Source: PEP 668 (`EXTERNALLY-MANAGED`); `uv-receipt.toml` of uv 0.13; `pipx_metadata.json` of pipx 1.7;
`conda-meta` of conda; read 2026-11.
"""

from __future__ import annotations

import os
import shutil
import sys
import sysconfig
from importlib.util import find_spec

from kindling.errors import PolicyError, UsageError
from kindling.values import Value

BACKENDS = ("uv", "pip", "pipx", "uv-tool", "print")


class Environment(Value):
    """One environment.

    Attributes:
        kind: `uv-tool`, `pipx`, `conda`, `venv`, `managed` (PEP 668) or `system`.
        prefix: Its folder.
        python: Its interpreter.
        uv: Path of uv, or "".
        pipx: Path of pipx, or "".
        has_pip: Whether pip is installed in it.
    """

    kind: str
    prefix: str
    python: str
    uv: str
    pipx: str
    has_pip: bool

    def backend(self, wanted: str = "") -> str:
        """Return the backend to use.

        Raises:
            PolicyError: KDL-REG-130, the environment is managed by the system.
            UsageError: KDL-REG-131, the backend is missing or does not fit.
        """
        if self.kind == "managed" and wanted != "print":
            raise PolicyError(
                "KDL-REG-130",
                "this Python belongs to the operating system",
                why=f"{self.prefix} is marked as externally managed (PEP 668)",
                hint="python -m venv .venv && . .venv/bin/activate, then install kindling there",
            )
        if wanted in ("", "print"):
            return self._default() or wanted
        missing = {
            "uv": not self.uv,
            "pip": not self.has_pip,
            "pipx": self.kind != "pipx" or not self.pipx,
            "uv-tool": self.kind != "uv-tool" or not self.uv,
        }
        if missing[wanted]:
            raise self._none(f"the backend {wanted!r} cannot be used here")
        return wanted

    def _default(self) -> str:
        if self.kind == "pipx" and self.pipx:
            return "pipx"
        if self.kind == "uv-tool" and self.uv:
            return "uv-tool"
        if self.uv:
            return "uv"
        if self.has_pip:
            return "pip"
        raise self._none("nothing here can install")

    def _none(self, what: str) -> UsageError:
        found = ", ".join(
            name for name, has in (("uv", self.uv), ("pip", self.has_pip), ("pipx", self.pipx)) if has
        )
        return UsageError(
            "KDL-REG-131",
            what,
            why=f"this is a {self.kind} environment, found: {found or 'neither uv nor pip'}",
            where=self.prefix,
            hint=f"{self.python} -m ensurepip, or install uv",
        )


def detect(prefix: str = "", base_prefix: str = "", stdlib: str = "") -> Environment:
    """Look at this environment.

    Args:
        prefix: Its folder; by default this process's.
        base_prefix: Of the Python that it was made of.
        stdlib: Folder of the standard library, where PEP 668 puts its mark.
    """
    own = prefix or sys.prefix
    base = base_prefix or sys.base_prefix
    library = stdlib or sysconfig.get_path("stdlib")
    python = sys.executable if own == sys.prefix else os.path.join(own, "bin", "python")
    has_pip = find_spec("pip") is not None
    uv, pipx = uv_path(python), shutil.which("pipx") or ""
    return Environment(_kind(own, base, library), own, python, uv, pipx, has_pip)


def uv_path(python: str = sys.executable) -> str:
    """Return uv's path: that of `PATH`, else the one beside a Python, else ""."""
    beside = os.path.join(os.path.dirname(python), "uv")
    return shutil.which("uv") or (beside if os.path.exists(beside) else "")


def _kind(prefix: str, base: str, library: str) -> str:
    if os.path.isfile(os.path.join(prefix, "uv-receipt.toml")):
        return "uv-tool"
    if os.path.isfile(os.path.join(prefix, "pipx_metadata.json")):
        return "pipx"
    if os.path.isdir(os.path.join(prefix, "conda-meta")):
        return "conda"
    if prefix != base:
        return "venv"
    return "managed" if os.path.isfile(os.path.join(library, "EXTERNALLY-MANAGED")) else "system"
