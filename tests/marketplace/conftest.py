"""What a stranger has: wheels of the kernel, an empty folder, and the command line."""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
import sysconfig
from pathlib import Path

import pytest

ROOT = Path(__file__).parent.parent.parent


def uv() -> str:
    """Return uv, which the wheel of that name brings."""
    beside = Path(sys.executable).with_name("uv")
    return str(beside) if beside.exists() else shutil.which("uv") or "uv"


@pytest.fixture(scope="session")
def kernel(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Give the kernel's wheel, built once."""
    target = tmp_path_factory.mktemp("kernel")
    copy = target / "source"
    copy.mkdir()
    for name in ("pyproject.toml", "README.md", "LICENSE"):
        shutil.copy(ROOT / name, copy)
    shutil.copytree(ROOT / "kindling", copy / "kindling", ignore=shutil.ignore_patterns("__pycache__"))
    subprocess.run([uv(), "build", "-q", "--wheel", "--out-dir", str(target), str(copy)], check=True)
    (wheel,) = target.glob("*.whl")
    return wheel


class Desk:
    """A folder, and commands in it; what is installed lands in an environment of its own."""

    def __init__(self, folder: Path, kernel: Path) -> None:
        self.folder = folder
        self.environment = folder.parent / "environment"
        subprocess.run([uv(), "venv", "-q", "--python", sys.executable, str(self.environment)], check=True)
        self.python = self.environment / "bin" / "python"
        site = next((self.environment / "lib").iterdir()) / "site-packages"
        own = sysconfig.get_path("purelib")
        (site / "kindling_test.pth").write_text(f"import site; site.addsitedir({own!r})\n")
        command = self.environment / "bin" / "kindling"
        command.write_text(f'#!/bin/sh\nexec {self.python} -m kindling "$@"\n')
        command.chmod(0o755)
        kept = {key: value for key, value in os.environ.items() if not key.startswith("KINDLING_")}
        kept.pop("PYTHONDONTWRITEBYTECODE", None)
        path = (str(self.environment / "bin"), str(Path(uv()).parent), kept["PATH"])
        self.variables = {
            **kept,
            "PATH": os.pathsep.join(path),
            "XDG_CACHE_HOME": str(folder.parent / "cache"),
            "UV_CACHE_DIR": cache_folder(),
            "NO_COLOR": "1",
            "KINDLING_CHECK_KERNEL": str(kernel),
        }

    def ended(self, line: str, *, at: Path | None = None) -> subprocess.CompletedProcess[str]:
        """Run a line of a shell."""
        return subprocess.run(
            ["bash", "-ec", line],
            cwd=at or self.folder,
            env=self.variables,
            capture_output=True,
            text=True,
            stdin=subprocess.DEVNULL,
            check=False,
            timeout=280,
        )

    def run(self, line: str, *, at: Path | None = None) -> str:
        """Run a line that must succeed; return what it printed."""
        done = self.ended(line, at=at)
        assert done.returncode == 0, f"{line}\n{done.stdout}{done.stderr}"
        return done.stdout


def cache_folder() -> str:
    """Return uv's own cache: another cache of ours must not mean another download."""
    done = subprocess.run([uv(), "cache", "dir"], capture_output=True, text=True, check=True)
    return done.stdout.strip()


@pytest.fixture
def desk(tmp_path: Path, kernel: Path) -> Desk:
    folder = tmp_path / "work"
    folder.mkdir()
    return Desk(folder, kernel)
