"""Plugins as authors make them, broken in one place each, and built as real wheels."""

from __future__ import annotations

import shutil
import subprocess
import zipfile
from pathlib import Path
from typing import TYPE_CHECKING

import pytest
from kindling_plugin_registry.check.checking import Checked, Request, check
from kindling_plugin_registry.check.opening import build
from kindling_plugin_registry.check.rooms import Sources
from kindling_plugin_registry.check.scaffold import new_plugin

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

ROOT = Path(__file__).parents[4]


@pytest.fixture(scope="session")
def kernel(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Give the kernel's wheel, built once."""
    return build(ROOT, tmp_path_factory.mktemp("kernel"))


@pytest.fixture(scope="session")
def sources(kernel: Path) -> Sources:
    return Sources(kernel=str(kernel))


@pytest.fixture(scope="session")
def pristine(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Give the project of a faultless sink."""
    folder = tmp_path_factory.mktemp("pristine") / "kindling-plugin-attic"
    new_plugin("attic", "sink", folder)
    return folder


@pytest.fixture(scope="session")
def environment(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Give the environment of all checks but those of clean ones: its bytecode is compiled once."""
    return tmp_path_factory.mktemp("environment") / "venv"


class Author:
    """Someone who changes a copy of the faultless plugin."""

    def __init__(self, folder: Path, pristine: Path, sources: Sources, environment: Path) -> None:
        self.folder = folder
        self.environment = environment
        self.sources = sources
        self.project = folder / "kindling-plugin-attic"
        shutil.copytree(pristine, self.project)
        self.package = self.project / "src" / "kindling_plugin_attic"

    def put(self, path: str, old: str, new: str) -> None:
        """Replace a text of a file; an empty `old` means its beginning, after the future import."""
        file = self.project / path
        text = file.read_text(encoding="utf-8")
        old = old or "from __future__ import annotations\n"
        assert old in text, path
        file.write_text(text.replace(old, new or "", 1), encoding="utf-8")

    def begin(self, path: str, lines: str) -> None:
        """Add lines that run when a module is imported."""
        head = "from __future__ import annotations\n"
        self.put(path, head, f"{head}{lines}\n")

    def wheel(self, extra: Mapping[str, str] | None = None) -> Path:
        """Build the wheel; `extra` files are put into it afterwards."""
        made = build(self.project, self.folder / "built")
        with zipfile.ZipFile(made, "a") as archive:
            for name, text in (extra or {}).items():
                archive.writestr(name, text)
        return made

    def looked_at(self, extra: Mapping[str, str] | None = None, *names: str) -> Checked:
        """Return what the static checks say."""
        request = Request(path=self.wheel(extra), is_static=True, names=names)
        return check(request, self.folder / "look")

    def tried(self, *, is_tested: bool = True, runner: str = "author") -> Checked:
        """Return what the whole check says; without tests if they do not matter."""
        path = self.project if is_tested else self.wheel()
        request = Request(path=path, sources=self.sources, runner=runner, environment=self.environment)
        return check(request, self.folder / "try")


@pytest.fixture
def author(tmp_path: Path, pristine: Path, sources: Sources, environment: Path) -> Author:
    return Author(tmp_path, pristine, sources, environment)


@pytest.fixture
def git(tmp_path: Path) -> Callable[..., str]:
    """Give git in a repository of its own."""
    who = ("-c", "user.name=Ann", "-c", "user.email=ann@localhost")

    def run(*arguments: str, at: Path = tmp_path) -> str:
        command = ["git", *who, "-C", str(at), *arguments]
        done = subprocess.run(command, capture_output=True, text=True, check=False)
        assert done.returncode == 0, done.stderr
        return done.stdout

    return run
