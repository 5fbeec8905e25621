"""Write constraints.txt: exact versions and hashes of everything that is installed from an index.

    python requirements/pin.py             # keep pins that still fit, add what is missing
    python requirements/pin.py --upgrade   # take the newest versions

Sources are the third-party requirements of all pyproject.toml files, of requirements/*.txt and of tox itself.
Needs uv; what follows on the command line is handed to `uv pip compile`.
"""

from __future__ import annotations

import subprocess
import sys
import tomllib
from configparser import ConfigParser
from pathlib import Path
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Iterator

ROOT = Path(__file__).resolve().parent.parent
CONSTRAINTS = ROOT / "constraints.txt"
OLDEST_PYTHON = "3.11"
COMPILE = ("uv", "pip", "compile", "--quiet", "--universal", "--generate-hashes")
PLAIN = ("--no-annotate", "--no-header", "--no-emit-index-url")


def projects() -> list[Path]:
    """Return the pyproject.toml of the kernel, of each plugin and of the plugins' template."""
    return [ROOT / "pyproject.toml", *sorted(ROOT.glob("plugins/*/pyproject.toml"))]


def requirements() -> list[str]:
    """Return all third-party requirements, sorted, each once."""
    found: set[str] = set()
    for path in projects():
        found.update(_of_project(path))
    for path in sorted(ROOT.glob("requirements/*.txt")):
        found.update(_of_list(path))
    found.update(_of_tox())
    return sorted(text for text in found if not text.startswith("kindling-"))


def _of_project(path: Path) -> Iterator[str]:
    content = tomllib.loads(path.read_text(encoding="utf-8"))
    project = content["project"]
    yield from project["dependencies"]
    for extra in project.get("optional-dependencies", {}).values():
        yield from extra
    yield from content["build-system"]["requires"]


def _of_list(path: Path) -> Iterator[str]:
    """Yield the requirements of a list; own distributions are given there as folders."""
    for line in path.read_text(encoding="utf-8").splitlines():
        text = line.partition("#")[0].strip()
        if text and not text.startswith((".", "-")):
            yield text


def _of_tox() -> Iterator[str]:
    settings = ConfigParser(interpolation=None)
    settings.read(ROOT / "tox.ini", encoding="utf-8")
    yield "tox"
    yield from settings["tox"]["requires"].split()


def main(options: list[str]) -> int:
    """Compile the requirements into constraints.txt; return uv's exit code."""
    command = [*COMPILE, *PLAIN, "--python-version", OLDEST_PYTHON, "-o", str(CONSTRAINTS), *options, "-"]
    text = "\n".join(requirements())
    return subprocess.run(command, input=text, text=True, check=False, stdout=subprocess.DEVNULL).returncode


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
