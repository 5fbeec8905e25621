"""The installed command in a process, and small readers of what it prints."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from dataclasses import dataclass
from pathlib import Path


@dataclass
class Shell:
    """Runs `kindling` in a project's folder, as a user does."""

    folder: Path
    platform: str = "sail"

    def __call__(self, *arguments: str, code: int = 0, **environ: str) -> subprocess.CompletedProcess[str]:
        """Run a command and check its exit code."""
        done = subprocess.run(
            [sys.executable, "-m", "kindling", *arguments],
            cwd=self.folder,
            env={**os.environ, "CI": "true", "KINDLING_PLATFORM__DEFAULT": self.platform, **environ},
            capture_output=True,
            text=True,
            check=False,
            timeout=240,
        )
        assert done.returncode == code, f"{arguments}: exit {done.returncode}\n{done.stdout}\n{done.stderr}"
        return done

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
