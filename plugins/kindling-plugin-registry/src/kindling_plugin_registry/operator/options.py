"""Options that several operator commands share, and how they print."""

from __future__ import annotations

import json
import sys
from pathlib import Path
from typing import TYPE_CHECKING, TypeVar

import click

from kindling_plugin_registry.operator.source import SETTINGS, Source

if TYPE_CHECKING:
    from collections.abc import Callable

F = TypeVar("F", bound="Callable[..., object]")


def registry_option(function: F) -> F:
    """Add `--registry FOLDER`."""
    return click.option(
        "--registry",
        "-r",
        "folder",
        type=click.Path(path_type=Path),
        help="The registry's folder; by default this one, or registry/ in it.",
    )(function)


def keys_option(function: F) -> F:
    """Add `--keys FOLDER`, which may be repeated."""
    return click.option(
        "--keys",
        "-k",
        "key_folders",
        type=click.Path(path_type=Path, exists=True, file_okay=False),
        multiple=True,
        required=True,
        help="Folder with private keys; may be repeated.",
    )(function)


def json_option(function: F) -> F:
    """Add `--json`."""
    return click.option("--json", "is_json", is_flag=True, help="Print the result as JSON.")(function)


def dry_option(function: F) -> F:
    """Add `--dry-run`."""
    return click.option("--dry-run", "is_dry", is_flag=True, help="Check everything, write nothing.")(
        function
    )


def source_at(folder: Path | None) -> Source:
    """Return the registry that is named, or the one here."""
    if folder is not None:
        return Source(folder)
    here = Path.cwd()
    below = here / "registry"
    return Source(below if not (here / SETTINGS).is_file() and (below / SETTINGS).is_file() else here)


def print_result(schema: str, text: str, *, is_json: bool, **parts: object) -> None:
    """Print a result to stdout: its text, or one JSON document with a schema name."""
    if is_json:
        text = json.dumps({"schema": schema, **parts}, indent=2, ensure_ascii=False)
    sys.stdout.write(f"{text}\n")


def counted(number: int, noun: str) -> str:
    """Return `1 plugin`, `2 plugins`."""
    return f"{number} {noun}{'' if number == 1 else 's'}"
