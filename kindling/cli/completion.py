"""Names for shell completion, remembered by commands that load the app: completing imports no project."""

from __future__ import annotations

import json
import os
from typing import TYPE_CHECKING

from kindling.config.settings import find_project
from kindling.errors import ConfigError

if TYPE_CHECKING:
    from collections.abc import Iterable

    import click

_FILE = "cache/names.json"


def remember_names(state_dir: str, names: Iterable[str]) -> None:
    """Store the names of an app's entities; a folder that cannot be written is no error."""
    text = json.dumps(sorted(names))
    path = f"{state_dir}/{_FILE}"
    if _read(path) == text:
        return
    own = f"{path}.{os.getpid()}.tmp"
    try:
        os.makedirs(os.path.dirname(path), exist_ok=True)
        with open(own, "w", encoding="utf-8") as file:
            file.write(text)
        os.replace(own, path)
    except OSError:
        return  # completion offers the older names, or none


def complete_entity(_ctx: click.Context, _param: click.Parameter, incomplete: str) -> list[str]:
    """Return the remembered entity names that begin with what was typed."""
    try:
        text = _read(f"{find_project(os.getcwd())}/.kindling/{_FILE}")
        names = json.loads(text) if text else []
    except (ConfigError, ValueError):
        return []
    return [str(name) for name in names if str(name).startswith(incomplete)]


def _read(path: str) -> str:
    try:
        with open(path, encoding="utf-8") as file:
            return file.read()
    except OSError:
        return ""
