"""Distributions, built once, and environments that hold nothing but built wheels."""

from __future__ import annotations

import os
import shutil
import subprocess
import tomllib
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path

import pytest

ROOT = Path(__file__).parent.parent.parent
APART = ("kindling-plugin-spark",)
"""Needs an environment without pyspark-client: see `tox -e spark`."""


@dataclass(frozen=True)
class Built:
    """One distribution.

    Attributes:
        name: Its name.
        package: Its import package.
        source: The package's folder in the checkout.
        project: The table `project` of its pyproject.toml.
        wheel: The built wheel.
        sdist: The built source archive.
    """

    name: str
    package: str
    source: Path
    project: dict[str, object]
    wheel: Path
    sdist: Path

    def requirement(self, extra: str = "") -> str:
        """Return what installs the wheel, whatever an index has under the same name."""
        return f"{self.name}{extra} @ {self.wheel.as_uri()}"


@dataclass(frozen=True)
class Environment:
    """A virtual environment.

    Attributes:
        folder: Where it is.
    """

    folder: Path

    def run(self, *command: str, cwd: Path, **variables: str) -> subprocess.CompletedProcess[str]:
        """Run a command of the environment as in a fresh terminal without network."""
        kept = {name: os.environ[name] for name in ("HOME", "LANG", "TMPDIR") if name in os.environ}
        nowhere = {f"{name}_proxy": "socks5h://127.0.0.1:9" for name in ("http", "https", "all")}
        path = os.pathsep.join((str(self.folder / "bin"), os.defpath))
        return subprocess.run(
            command,
            cwd=cwd,
            env={**kept, **nowhere, "PATH": path, "COLUMNS": "100", **variables},
            capture_output=True,
            text=True,
            check=False,
            timeout=120,
        )

    def done(self, *command: str, cwd: Path) -> str:
        """Run a command that must succeed; return what it printed."""
        ended = self.run(*command, cwd=cwd)
        assert ended.returncode == 0, f"{command} ended with {ended.returncode}\n{ended.stdout}{ended.stderr}"
        return ended.stdout

    def add(self, *arguments: str) -> None:
        """Install something into it."""
        uv("pip", "install", "--quiet", "--python", str(self.folder), *arguments)


def uv(*arguments: str) -> None:
    """Run uv under the pins of this checkout."""
    command = [shutil.which("uv") or "uv", *arguments]
    variables = {"UV_CONSTRAINT": str(ROOT / "constraints.txt"), "UV_COMPILE_BYTECODE": "0"}
    ended = subprocess.run(
        command, env={**os.environ, **variables}, capture_output=True, text=True, check=False, timeout=280
    )
    assert ended.returncode == 0, ended.stderr


@pytest.fixture(scope="session")
def built(tmp_path_factory: pytest.TempPathFactory) -> dict[str, Built]:
    """Build every distribution: the source archive, and the wheel from nothing but that."""
    found = {}
    for folder in [ROOT, *sorted(ROOT.glob("plugins/kindling-plugin-*"))]:
        project = tomllib.loads((folder / "pyproject.toml").read_text(encoding="utf-8"))["project"]
        out = tmp_path_factory.mktemp(project["name"])
        uv("build", "--quiet", "--out-dir", str(out), str(folder))
        package = project["entry-points"]["kindling.manifest"][project["name"]]
        source = folder / package if folder == ROOT else folder / "src" / package
        (wheel,), (sdist,) = out.glob("*.whl"), out.glob("*.tar.gz")
        found[project["name"]] = Built(project["name"], package, source, project, wheel, sdist)
    return found


Installed = Callable[[Sequence[str]], Environment]


@pytest.fixture(scope="session")
def installed(tmp_path_factory: pytest.TempPathFactory) -> Installed:
    """Give a function that makes an environment of requirements."""

    def make(requirements: Sequence[str]) -> Environment:
        made = Environment(tmp_path_factory.mktemp("environment") / "venv")
        uv("venv", "--quiet", str(made.folder))
        made.add(*requirements)
        return made

    return make


@pytest.fixture(scope="session")
def everything(built: dict[str, Built], installed: Installed) -> Environment:
    """Give an environment with all wheels that can stand beside one another."""
    extras = {"kindling-core": "[testing]", "kindling-plugin-sail": "[client]"}
    names = [name for name in built if name not in APART]
    return installed([built[name].requirement(extras.get(name, "")) for name in names])
