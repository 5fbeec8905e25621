"""From what is named, a project's folder or a wheel, to a wheel and the tests that come with it."""

from __future__ import annotations

import subprocess
import sys
import tarfile
import tomllib
from pathlib import Path

from msgspec import Struct

from kindling.errors import PluginError, UsageError
from kindling_plugin_registry.client.environment import uv_path

SUITE_FILE = "test_conformance.py"
_BUILD_S = 600


class Subject(Struct, frozen=True, kw_only=True):
    """What is checked.

    Attributes:
        wheel: The wheel.
        tests: Folder with `test_conformance.py`, or None.
        requirements: What the tests need, from the project's dependency group `test`.
        services: Services that tests may be skipped for, from `[tool.kindling.check] services`.
    """

    wheel: Path
    tests: Path | None = None
    requirements: tuple[str, ...] = ()
    services: tuple[str, ...] = ()


def open_subject(path: Path, tests: Path | None, room: Path) -> Subject:
    """Return what is to be checked; a project is built.

    Args:
        path: A wheel, or a folder with pyproject.toml.
        tests: For a wheel: its project's folder or source archive.
        room: An empty folder for what is built and unpacked.

    Raises:
        UsageError: KDL-REG-200, it is neither.
        PluginError: KDL-REG-201, the project cannot be built.
    """
    if path.suffix == ".whl" and path.is_file():
        wheel = path
    elif (path / "pyproject.toml").is_file():
        wheel, tests = build(path, room / "built"), tests or path
    else:
        raise UsageError(
            "KDL-REG-200",
            f"{str(path)!r} cannot be checked",
            why="it is neither a wheel nor a folder with pyproject.toml",
            hint="kindling plugins check FOLDER, or kindling plugins check WHEEL --tests FOLDER",
        )
    if tests is None:
        return Subject(wheel=wheel)
    return _with_tests(wheel, unpacked(tests, room / "source"))


def build(project: Path, target: Path) -> Path:
    """Build a project's wheel, by uv where it is installed, else by `python -m build`.

    Raises:
        PluginError: KDL-REG-201, it cannot be built.
    """
    uv = uv_path()
    tool = [uv, "build", "--quiet"] if uv else [sys.executable, "-m", "build"]
    command = [*tool, "--wheel", "--out-dir" if uv else "--outdir", str(target), str(project)]
    done = subprocess.run(command, capture_output=True, text=True, timeout=_BUILD_S, check=False)  # noqa: S603  # the tools named above
    wheels = sorted(target.glob("*.whl"))
    if done.returncode or not wheels:
        lines = (done.stderr or done.stdout).strip().splitlines()
        raise PluginError(
            "KDL-REG-201",
            f"the project {project.name or str(project)!r} cannot be built",
            why=lines[-1] if lines else f"{tool[0]} ended with {done.returncode}",
            where=str(project / "pyproject.toml"),
            hint=f"uv build --wheel {project}",
        )
    return wheels[-1]


def unpacked(tests: Path, room: Path) -> Path:
    """Return the project's folder, from a source archive where it is one.

    Raises:
        UsageError: KDL-REG-200, there is nothing of that name, or it is no source archive.
    """
    if tests.is_dir():
        return tests
    try:
        with tarfile.open(tests) as archive:
            archive.extractall(room, filter="data")
    except (OSError, tarfile.TarError) as cause:
        raise UsageError(
            "KDL-REG-200",
            f"{str(tests)!r} holds no tests",
            why=f"it is neither a folder nor a source archive: {cause}",
            hint="--tests FOLDER, or --tests NAME-VERSION.tar.gz",
        ) from cause
    return next((path.parent for path in sorted(room.glob("*/pyproject.toml"))), room)


def _with_tests(wheel: Path, project: Path) -> Subject:
    file = project / "pyproject.toml"
    plain = tomllib.loads(file.read_text(encoding="utf-8")) if file.is_file() else {}
    group = plain.get("dependency-groups", {}).get("test", ())
    settings = plain.get("tool", {}).get("kindling", {}).get("check", {})
    places = (project / "tests", project)
    return Subject(
        wheel=wheel,
        tests=next((place for place in places if (place / SUITE_FILE).is_file()), None),
        requirements=tuple(item for item in group if isinstance(item, str)),
        services=tuple(settings.get("services", ())),
    )
