"""The installed command in a process, and small readers of what it prints."""

from __future__ import annotations

import json
import subprocess
from dataclasses import dataclass
from pathlib import Path

from terminal import Terminal


@dataclass
class Shell:
    """Runs `kindling` in a project's folder, as a user does."""

    folder: Path
    platform: str = "sail"
    timeout_s: float = 240

    def __call__(self, *arguments: str, code: int = 0, **environ: str) -> subprocess.CompletedProcess[str]:
        """Run a command and check its exit code."""
        process = self.start(*arguments, **environ)
        try:
            out, err = process.communicate(timeout=self.timeout_s)
        finally:
            process.kill()
        assert process.returncode == code, f"{arguments}: exit {process.returncode}\n{out}\n{err}"
        return subprocess.CompletedProcess(process.args, process.returncode, out, err)

    def start(self, *arguments: str, **environ: str) -> subprocess.Popen[str]:
        """Start a command and leave it running."""
        chosen = {"CI": "true", "KINDLING_PLATFORM__DEFAULT": self.platform}
        return Terminal(self.folder).start(*arguments, **{**chosen, **environ})

    def json(self, *arguments: str, code: int = 0) -> dict[str, object]:
        """Run a command with `--json` and return its document."""
        found: dict[str, object] = json.loads(self(*arguments, "--json", code=code).stdout)
        return found


def running(plan: dict[str, object]) -> set[str]:
    """Entities that a plan would run."""
    return {task["entity"] for task in plan["tasks"] if task["action"] in ("run", "deferred")}


def unchanged(plan: dict[str, object]) -> int:
    """How many entities a plan finds unchanged."""
    return len({task["entity"] for task in plan["tasks"] if task["action"] == "unchanged"})


HEAD = """from __future__ import annotations
import os
import time
import kindling as k

app = k.App("shop")
"""


def make_project(folder: Path, code: str, settings: str = "") -> Path:
    """Write a project whose app `shop` consists of this code; return its folder."""
    folder.mkdir(parents=True, exist_ok=True)
    (folder / "kindling.toml").write_text(f'app = "shop:app"\n{settings}')
    (folder / "shop.py").write_text(HEAD + code)
    return folder


def rows(folder: Path, name: str, environment: str = "dev") -> list[dict[str, object]]:
    """All rows of a Delta table, read without Kindling."""
    from deltalake import DeltaTable

    table = DeltaTable(str(folder / "lake" / environment / Path(*name.split("."))))
    found: list[dict[str, object]] = table.to_pyarrow_table().to_pylist()
    return found
