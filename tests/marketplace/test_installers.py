"""Environments that people really have: each is made, gets plugins, loses them by an upgrade, gets them back.

Not made here: one of conda, whose channels are no package index; what is special about it is its mark.
Downloads, where caches have them not: pipx, and by pipx the dependencies of the kernel and the marketplace.
"""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
import sysconfig
from pathlib import Path
from typing import TYPE_CHECKING

import pytest
from kindling_plugin_registry.client.environment import uv_path

if TYPE_CHECKING:
    from conftest import Wheels

PLUGINS = Path(__file__).parent / "plugins"
NAMES = ("kindling-plugin-attic", "kindling-plugin-flat")
pytestmark = pytest.mark.timeout(600)


class Stall:
    """A signed registry of two plugins, and a home in which it is trusted."""

    def __init__(self, folder: Path, wheels: Wheels) -> None:
        self.folder = folder
        self.wheels = wheels
        self.home = folder / "home"
        self.variables = {
            **{key: value for key, value in os.environ.items() if not key.startswith(("KINDLING_", "PIP_"))},
            "HOME": str(self.home),
            "XDG_CACHE_HOME": str(self.home / "cache"),
            "XDG_CONFIG_HOME": str(self.home / "config"),
            "UV_CACHE_DIR": cache_folder(),
            "UV_TOOL_DIR": str(folder / "tools"),
            "UV_TOOL_BIN_DIR": str(folder / "tools-bin"),
            "PIPX_HOME": str(folder / "pipx"),
            "PIPX_BIN_DIR": str(folder / "pipx-bin"),
            "PIP_DISABLE_PIP_VERSION_CHECK": "1",
            "PIP_CACHE_DIR": str(Path(cache_folder()).with_name("pip")),
            "UV_FIND_LINKS": str(
                folder / "released"
            ),  # for the installers themselves: `kindling` takes it away
            "PIP_FIND_LINKS": str(folder / "released"),
            "NO_COLOR": "1",
        }
        self.variables.pop("PYTHONDONTWRITEBYTECODE", None)
        (folder / "released").mkdir()
        for wheel in wheels.values():
            shutil.copy(wheel, folder / "released")

    def ended(self, *command: str, path: str = "") -> subprocess.CompletedProcess[str]:
        """Run a command in the folder."""
        own = {**self.variables, "PATH": path or self.variables["PATH"]}
        return subprocess.run(
            command, cwd=self.folder, env=own, capture_output=True, text=True, stdin=subprocess.DEVNULL,
            check=False, timeout=300,
        )  # fmt: skip

    def run(self, *command: str, path: str = "") -> str:
        """Run a command that must succeed; return what it said."""
        done = self.ended(*command, path=path)
        assert done.returncode == 0, f"{command}\n{done.stdout}{done.stderr}"
        return done.stdout + done.stderr

    def fill(self) -> None:
        """Make two plugins, list them, sign the index, and trust it."""
        main = (sys.executable, "-m", "kindling")
        self.run(*main, "plugins", "new", "attic", "--kind", "sink")
        shutil.copytree(PLUGINS / "flat", self.folder / NAMES[1])
        for name in NAMES:
            self.run(uv_path(), "build", "-q", "--wheel", "--out-dir", "built", name)
        self.run(*main, "registry", "init", "shop", "--keys", "keys", "--threshold", "1", "--root-keys", "1")
        built = sorted(str(path) for path in (self.folder / "built").glob("*.whl"))
        self.run(*main, "registry", "add", *built, "-r", "shop")
        self.run(*main, "registry", "build", "-r", "shop")
        self.run(*main, "registry", "sign", "-r", "shop", "--keys", "keys")
        own = self.home / "config" / "kindling" / "plugins.toml"
        own.parent.mkdir(parents=True)
        own.write_text(
            '[plugins.policy]\nrequire_level = "listed"\ncooldown_days = 0\n'
            f'[plugins.registry.shop]\nurl = "{self.folder}/shop/dist"\n'
            f'root = "{self.folder}/shop/keys/1.root.json"\n'
        )

    def listed(self, *kindling: str) -> set[str]:
        """Return which of the two plugins an environment has."""
        told = self.run(*kindling, "plugins", "list")
        return {name for name in NAMES if name in told or name.removeprefix("kindling-plugin-") in told}


@pytest.fixture
def stall(tmp_path: Path, wheels: Wheels) -> Stall:
    made = Stall(tmp_path, wheels)
    made.fill()
    return made


def cache_folder() -> str:
    """Return uv's own cache: another cache of ours must not mean another download."""
    done = subprocess.run([uv_path(), "cache", "dir"], capture_output=True, text=True, check=True)
    return done.stdout.strip()


def lose_and_restore(stall: Stall, kindling: Path, *upgrade: str) -> None:
    """Install two plugins, upgrade the tool, which wipes them, and let `sync` bring them back."""
    told = stall.run(str(kindling), "plugins", "install", "attic", "flat", "--yes")
    assert "installed kindling-plugin-attic 0.1.0, kindling-plugin-flat 0.1.0\n" in told
    assert stall.listed(str(kindling)) == set(NAMES)
    stall.run(*upgrade)
    assert stall.listed(str(kindling)) == set()
    assert "it was asked for and is not installed" in stall.ended(str(kindling), "plugins", "doctor").stdout
    told = stall.run(str(kindling), "plugins", "sync")
    assert "installed kindling-plugin-attic 0.1.0, kindling-plugin-flat 0.1.0\n" in told
    assert stall.listed(str(kindling)) == set(NAMES)


def test_a_tool_of_uv_gets_its_plugins_back_after_an_upgrade(stall: Stall) -> None:
    kernel, market = stall.wheels["core"], stall.wheels["registry"]
    stall.run(uv_path(), "tool", "install", "-q", "--python", sys.executable, kernel, "--with", market)
    kindling = stall.folder / "tools-bin" / "kindling"
    assert "uv-tool" in stall.ended(str(kindling), "plugins", "doctor").stdout
    lose_and_restore(stall, kindling, uv_path(), "tool", "upgrade", "-q", "--reinstall", "kindling-core")


def test_a_tool_of_pipx_gets_its_plugins_back_after_an_upgrade(stall: Stall) -> None:
    own = stall.folder / "own"
    stall.run(uv_path(), "venv", "-q", "--python", sys.executable, str(own))
    stall.run(uv_path(), "pip", "install", "-q", "--python", str(own / "bin" / "python"), "pipx>=1.7,<2")
    pipx = str(own / "bin" / "pipx")
    stall.variables["PATH"] = f"{own / 'bin'}{os.pathsep}{stall.variables['PATH']}"
    stall.run(pipx, "install", "--python", sys.executable, stall.wheels["core"])
    stall.run(pipx, "inject", "kindling-core", stall.wheels["registry"])
    kindling = stall.folder / "pipx-bin" / "kindling"
    told = stall.run(str(kindling), "plugins", "install", "attic", "--backend", "print")
    assert "pipx runpip kindling-core install" in told
    lose_and_restore(stall, kindling, pipx, "reinstall", "--python", sys.executable, "kindling-core")


def scratch(stall: Stall, *make: str) -> Path:
    """Make an environment with the kernel, which sees all else in this one; return its Python."""
    stall.run(*make, str(stall.folder / "venv"))
    seen(stall.folder / "venv")
    python = stall.folder / "venv" / "bin" / "python"
    stall.run(uv_path(), "pip", "install", "-q", "--no-deps", "--python", str(python), stall.wheels["core"])
    return python


def seen(prefix: Path) -> None:
    """Let an environment see the packages of this one."""
    site = next((prefix / "lib").glob("python3*")) / "site-packages"
    site.mkdir(exist_ok=True)
    own = sysconfig.get_path("purelib")
    (site / "kindling_test.pth").write_text(f"import site; site.addsitedir({own!r})\n")


def bare_path(stall: Stall) -> str:
    """Return a PATH on which there is neither uv nor pip."""
    folder = stall.folder / "bare"
    folder.mkdir()
    return str(folder)


def test_a_venv_without_pip_and_uv_says_how_to_get_one(stall: Stall) -> None:
    python = str(scratch(stall, sys.executable, "-m", "venv", "--without-pip"))
    path = bare_path(stall)
    refused = stall.ended(python, "-m", "kindling", "plugins", "install", "flat", "--yes", path=path)
    assert refused.returncode == 2
    assert "KDL-REG-131: nothing here can install\n" in refused.stderr
    (line,) = [line for line in refused.stderr.splitlines() if line.startswith("  do: ")]
    assert line == f"  do: {python} -m ensurepip, or install uv"
    stall.run(*line.removeprefix("  do: ").partition(",")[0].split(), path=path)
    told = stall.run(python, "-m", "kindling", "plugins", "install", "flat", "--yes", path=path)
    assert f"{python} -m pip install --no-input" in told
    stall.run(python, "-m", "pip", "uninstall", "-y", "kindling-plugin-flat", path=path)
    assert "installed kindling-plugin-flat" in stall.run(
        python, "-m", "kindling", "plugins", "sync", path=path
    )


def test_a_venv_without_pip_is_filled_by_uv(stall: Stall) -> None:
    python = str(scratch(stall, sys.executable, "-m", "venv", "--without-pip"))
    told = stall.run(python, "-m", "kindling", "plugins", "install", "flat", "--yes")
    assert f"uv pip install --python {python}" in told


def test_the_mark_of_conda_means_pip_or_uv_in_that_environment(stall: Stall) -> None:
    python = scratch(stall, uv_path(), "venv", "-q", "--python", sys.executable)
    (stall.folder / "venv" / "conda-meta").mkdir()
    assert "conda " in stall.ended(str(python), "-m", "kindling", "plugins", "doctor").stdout
    stall.run(str(python), "-m", "kindling", "plugins", "install", "flat", "--yes")
    assert (stall.folder / "venv" / "lib").exists()


def test_a_python_of_the_operating_system_is_left_alone_and_the_hint_works(stall: Stall) -> None:
    """A second installation of this Python, with the mark of PEP 668."""
    prefix = stall.folder / "system"
    stdlib = Path(sysconfig.get_path("stdlib"))
    ours = Path(sys.base_prefix) / "bin" / f"python3.{sys.version_info.minor}"
    (prefix / "bin").mkdir(parents=True)
    shutil.copy2(ours.resolve(), prefix / "bin" / "python3")
    left = shutil.ignore_patterns("site-packages", "dist-packages", "test", "tests", "__pycache__", "idlelib")
    shutil.copytree(stdlib, prefix / "lib" / stdlib.name, ignore=left, symlinks=True)
    for library in (Path(sys.base_prefix) / "lib").glob("libpython*.so*"):
        shutil.copy2(library, prefix / "lib")
    (prefix / "lib" / stdlib.name / "EXTERNALLY-MANAGED").write_text("[externally-managed]\nError=Use apt.\n")
    seen(prefix)
    python = str(prefix / "bin" / "python3")
    assert stall.run(python, "-c", "import sys; print(sys.prefix)").strip() == str(prefix)
    refused = stall.ended(python, "-m", "kindling", "plugins", "install", "flat", "--yes")
    assert refused.returncode == 5, refused
    assert "KDL-REG-130: this Python belongs to the operating system\n" in refused.stderr
    assert "do: python -m venv .venv" in refused.stderr
    assert stall.run(python, "-m", "kindling", "plugins", "install", "flat", "--backend", "print")
    own = str(scratch(stall, python, "-m", "venv", "--without-pip"))
    stall.run(own, "-m", "kindling", "plugins", "install", "flat", "--yes")
    assert "kindling_plugin_flat" not in str(list((prefix / "lib" / stdlib.name / "site-packages").iterdir()))
