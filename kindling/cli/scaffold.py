"""A new project, made of the templates that are installed with the kernel: for `kindling init`."""

from __future__ import annotations

import os
import re
import sys
from keyword import iskeyword

from kindling.errors import UsageError

TEMPLATES = os.path.join(os.path.dirname(__file__), "templates", "project")
REQUIREMENTS = {"sail": "kindling-plugin-sail[client]", "duckdb": "kindling-plugin-duckdb"}
"""What to install for each platform that a project can begin with."""
FILES = {
    "kindling.toml.txt": "kindling.toml",
    "gitignore.txt": ".gitignore",
    "requirements.txt.txt": "requirements.txt",
    "README.md.txt": "README.md",
    "package/__init__.py.txt": "{{package}}/__init__.py",
    "package/app.py.txt": "{{package}}/app.py",
    "data/orders.csv.txt": "data/orders.csv",
    "tests/test_app.py.txt": "tests/test_app.py",
}
_NAME = re.compile(r"[A-Za-z][A-Za-z0-9_-]*")
_TAKEN = ("kindling", "tests", "data", "lake")


def make_project(folder: str, platform: str) -> tuple[str, ...]:
    """Write a small project whose tests pass offline; return the paths of its files.

    Effects: makes the folder and its files, or nothing at all.

    Args:
        folder: The project's folder, whose last part is its name; it may exist.
        platform: `sail` or `duckdb`.

    Raises:
        UsageError: KDL-USE-042, its name is no package's name; KDL-USE-043, a file exists already;
            KDL-USE-044, the folder cannot be written.
    """
    path = os.path.abspath(folder)
    name = os.path.basename(path)
    words = {
        "name": name,
        "app": name.lower(),
        "package": _package(name),
        "platform": platform,
        "requirement": REQUIREMENTS[platform],
    }
    targets = {os.path.join(path, _filled(target, words)): source for source, target in FILES.items()}
    _check_free(path, targets)
    try:
        for target, source in targets.items():
            with open(os.path.join(TEMPLATES, source), encoding="utf-8") as file:
                text = _filled(file.read(), words)
            os.makedirs(os.path.dirname(target), exist_ok=True)
            with open(target, "x", encoding="utf-8") as file:
                file.write(text)
    except OSError as error:
        raise UsageError(
            "KDL-USE-044", f"the project {path!r} cannot be written", why=str(error.strerror)
        ) from error
    return tuple(targets)


def _package(name: str) -> str:
    """Return the name of the project's package."""
    package = name.lower().replace("-", "_")
    why = ""
    if not _NAME.fullmatch(name):
        why = "expected a letter, then letters, digits, '-' and '_'"
    elif iskeyword(package) or package in sys.stdlib_module_names or package in _TAKEN:
        why = f"a package {package!r} would hide another one"
    if why:
        raise UsageError("KDL-USE-042", f"{name!r} cannot be a project's name", why=why)
    return package


def _check_free(path: str, targets: dict[str, str]) -> None:
    found = [os.path.relpath(target, path) for target in targets if os.path.lexists(target)]
    if found:
        raise UsageError(
            "KDL-USE-043",
            f"nothing was written: {path!r} has files already",
            why=f"found {', '.join(found)}",
            hint="choose another name, or move them away",
        )


def _filled(text: str, words: dict[str, str]) -> str:
    for word, value in words.items():
        text = text.replace("{{" + word + "}}", value)
    return text
