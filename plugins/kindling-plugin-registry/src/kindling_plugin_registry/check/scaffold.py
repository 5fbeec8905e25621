"""New plugins from the template that is installed with this package, and their update. By copier.

The template's versions stand in `templates/<version>/`. Copier updates from a git repository with tags, so
they are written, always the same way, into one in the user's cache, whose path with `~` is what a
project's answers name: `kindling plugins new --update` refreshes it and runs `copier update`.
"""

from __future__ import annotations

import hashlib
import os
import re
import shutil
import subprocess
import tempfile
from pathlib import Path
from typing import TYPE_CHECKING

from packaging.version import Version

from kindling.errors import UsageError

if TYPE_CHECKING:
    from collections.abc import Iterator

TEMPLATES = Path(__file__).parent / "templates"
PLACE = "~/.cache/kindling/plugin-template"
ANSWERS = ".copier-answers.yml"
PREFIX = "kindling-plugin-"
KINDS = ("storage", "secrets", "executor", "state", "sink", "masking", "lineage", "command")
_NAME = re.compile(r"[a-z][a-z0-9]*(-[a-z0-9]+)*")
_MARK = "kindling-digest"
_AT = "2026-01-01T00:00:00+00:00"


def plugin_name(text: str) -> str:
    """Return a plugin's own name, from that or from its distribution's name.

    Raises:
        UsageError: KDL-REG-242, it is no name.
    """
    name = text.removeprefix(PREFIX)
    if not _NAME.fullmatch(name):
        raise UsageError(
            "KDL-REG-242",
            f"{text!r} cannot be a plugin's name",
            why="expected small letters, digits and single hyphens, a letter first",
            hint="kindling plugins new my-store --kind storage",
        )
    return name


def new_plugin(
    name: str, kind: str, folder: Path, *, author: str = "", templates: Path = TEMPLATES
) -> list[str]:
    """Make a plugin's project; return its files.

    Args:
        name: Its own name, as `plugin_name` returns it.
        kind: One of `KINDS`.
        folder: Where; it must not exist, or be empty.
        author: Who is named in its metadata.
        templates: Folder with the template's versions.

    Raises:
        UsageError: KDL-REG-240, the folder is not empty.
    """
    import copier

    if folder.exists() and (not folder.is_dir() or any(folder.iterdir())):
        raise UsageError(
            "KDL-REG-240",
            f"no plugin is made in {str(folder)!r}",
            why="it is not an empty folder",
            hint="kindling plugins new NAME --into NEW_FOLDER",
        )
    data = {"name": name, "kind": kind, **({"author": author} if author else {})}
    refresh_repository(templates)
    copier.run_copy(PLACE, folder, data=data, defaults=True, quiet=True, answers_file=ANSWERS)
    return sorted(path.relative_to(folder).as_posix() for path in folder.rglob("*") if path.is_file())


def update_plugin(folder: Path, *, templates: Path = TEMPLATES) -> tuple[str, str]:
    """Bring a project to the newest version of the template; its own changes stay.

    Returns:
        The version before and after. Where both changed one place, files have git's conflict marks.

    Raises:
        UsageError: KDL-REG-243, it was not made by `kindling plugins new`, or git does not hold its changes.
    """
    import copier
    from copier.errors import UserMessageError

    if not (folder / ANSWERS).is_file():
        raise _not_updatable(folder, f"it has no {ANSWERS}")
    before = _version(folder)
    refresh_repository(templates)
    try:
        copier.run_update(folder, defaults=True, quiet=True, overwrite=True, answers_file=ANSWERS)
    except UserMessageError as cause:
        raise _not_updatable(folder, str(cause)) from cause
    return before, _version(folder)


def _not_updatable(folder: Path, why: str) -> UsageError:
    return UsageError(
        "KDL-REG-243",
        f"{str(folder)!r} cannot be updated",
        why=why,
        hint="in a project of `kindling plugins new`: git init; git add -A; git commit -m before; then again",
    )


def _version(folder: Path) -> str:
    found = re.search(r"^_commit: *'?([^'\n]+)", (folder / ANSWERS).read_text(encoding="utf-8"), re.MULTILINE)
    return found.group(1) if found else ""


def refresh_repository(templates: Path = TEMPLATES) -> Path:
    """Make the git repository with the template's versions in the user's cache, unless it is there."""
    place = Path(PLACE).expanduser()
    wanted = _digest(templates)
    mark = place / ".git" / _MARK
    if mark.is_file() and mark.read_text() == wanted:
        return place
    place.parent.mkdir(parents=True, exist_ok=True)
    made = Path(tempfile.mkdtemp(prefix=".template-", dir=place.parent))
    _git(made, "init", "--quiet", "--initial-branch=main")
    for folder in sorted(templates.iterdir(), key=lambda item: Version(item.name)):
        _replace_files(made, folder)
        _git(made, "add", "--all", "--force")
        _git(made, "commit", "--quiet", "--allow-empty", "--message", f"Version {folder.name}")
        _git(made, "tag", folder.name)
    (made / ".git" / _MARK).write_text(wanted)
    shutil.rmtree(place, ignore_errors=True)
    try:
        made.rename(place)
    except OSError:  # another process was quicker, and made the same
        shutil.rmtree(made, ignore_errors=True)
    return place


def _replace_files(target: Path, source: Path) -> None:
    for item in target.iterdir():
        if item.name != ".git":
            shutil.rmtree(item) if item.is_dir() else item.unlink()
    shutil.copytree(source, target, dirs_exist_ok=True, ignore=shutil.ignore_patterns("__pycache__"))


def _digest(templates: Path) -> str:
    return hashlib.sha256(b"".join(_parts(templates))).hexdigest()


def _parts(templates: Path) -> Iterator[bytes]:
    for path in sorted(templates.rglob("*")):
        if path.is_file() and "__pycache__" not in path.parts:
            yield path.relative_to(templates).as_posix().encode() + b"\0" + path.read_bytes() + b"\0"


def _git(folder: Path, *arguments: str) -> None:
    """Run git; commits are the same on every machine, so that versions of a project can be compared."""
    who = {"NAME": "Kindling", "EMAIL": "kindling@localhost", "DATE": _AT}
    own = {f"GIT_{role}_{key}": value for role in ("AUTHOR", "COMMITTER") for key, value in who.items()}
    variables = {**os.environ, **own, "GIT_CONFIG_GLOBAL": os.devnull, "GIT_CONFIG_NOSYSTEM": "1"}
    subprocess.run(["git", "-C", str(folder), *arguments], check=True, capture_output=True, env=variables)  # noqa: S603, S607  # git of the user's PATH
