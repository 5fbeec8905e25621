"""What a stranger has: an environment of released wheels, an empty folder, and the command line."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import pytest
from kindling_plugin_registry.check.opening import build
from kindling_plugin_registry.client.environment import uv_path

ROOT = Path(__file__).parent.parent.parent
OURS = ("registry", "duckdb", "threads")
"""Plugins of ours that a stranger has: the marketplace, the quickest engine, the default executor."""
collect_ignore = ["plugins"]
"""Strangers' own tests run where `kindling plugins check` runs them."""


Wheels = dict[str, str]
"""Paths of wheels: of the kernel, as `core`, and of `OURS`."""


@pytest.fixture(scope="session")
def wheels(tmp_path_factory: pytest.TempPathFactory) -> Wheels:
    """Give the wheels of the kernel and of `OURS`, built once."""
    projects = {"core": ROOT, **{name: ROOT / "plugins" / f"kindling-plugin-{name}" for name in OURS}}
    return {
        name: str(build(project, tmp_path_factory.mktemp("wheels"))) for name, project in projects.items()
    }


class Desk:
    """A folder, and commands in it, by the command line of an environment of its own.

    Dependencies come from uv's cache, in the versions of this checkout, and from an index only where the
    cache has them not.
    """

    def __init__(self, folder: Path, wheels: Wheels) -> None:
        self.folder = folder
        self.environment = folder.parent / "environment"
        self.python = self.environment / "bin" / "python"
        kept = {key: value for key, value in os.environ.items() if not key.startswith("KINDLING_")}
        kept.pop("PYTHONDONTWRITEBYTECODE", None)
        path = (str(self.environment / "bin"), str(Path(uv_path()).parent), kept["PATH"])
        self.variables = {
            **kept,
            "PATH": os.pathsep.join(path),
            "HOME": str(folder.parent / "home"),
            "XDG_CACHE_HOME": str(folder.parent / "cache"),
            "UV_CACHE_DIR": cache_folder(),
            "UV_CONSTRAINT": str(ROOT / "constraints.txt"),
            "UV_COMPILE_BYTECODE": "0",
            "NO_COLOR": "1",
            "GIT_AUTHOR_NAME": "Ann",
            "GIT_AUTHOR_EMAIL": "ann@localhost",
            "GIT_COMMITTER_NAME": "Ann",
            "GIT_COMMITTER_EMAIL": "ann@localhost",
        }
        self.run(f"uv venv -q --python {sys.executable} {self.environment}", at=folder.parent)
        self.run(f"uv pip install -q --python {self.python} {' '.join(wheels.values())}", at=folder.parent)

    def ended(self, line: str, at: Path | None = None) -> subprocess.CompletedProcess[str]:
        """Run a line of a shell."""
        return subprocess.run(
            ["bash", "-ec", line],
            cwd=at or self.folder,
            env=self.variables,
            capture_output=True,
            text=True,
            stdin=subprocess.DEVNULL,
            check=False,
            timeout=500,
        )

    def run(self, line: str, at: Path | None = None) -> str:
        """Run a line that must succeed; return what it printed and told."""
        done = self.ended(line, at)
        assert done.returncode == 0, f"{line}\n{done.stdout}{done.stderr}"
        return done.stdout + done.stderr


def cache_folder() -> str:
    """Return uv's own cache: another cache of ours must not mean another download."""
    done = subprocess.run([uv_path(), "cache", "dir"], capture_output=True, text=True, check=True)
    return done.stdout.strip()


@pytest.fixture
def desk(tmp_path: Path, wheels: Wheels) -> Desk:
    folder = tmp_path / "work"
    folder.mkdir()
    return Desk(folder, wheels)
