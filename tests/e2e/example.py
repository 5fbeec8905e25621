"""Copies of the flights example."""

from __future__ import annotations

import shutil
from pathlib import Path

EXAMPLE = Path(__file__).parents[2] / "examples" / "flights"
KEY_NAME, KEY = "TAILS", "5eed" * 16
"""What masks tail numbers in tests, so that masked tables are known."""


def copied(folder: Path) -> Path:
    """Copy the example without data and tables, as it is delivered."""
    target = folder / "flights"
    ignored = (*(EXAMPLE / ".gitignore").read_text(encoding="utf-8").replace("/", "").split(), "__pycache__")
    shutil.copytree(EXAMPLE, target, ignore=shutil.ignore_patterns(*ignored))
    return target


def copied_with_key(folder: Path) -> Path:
    """Copy it with the key of its masks in the variable KEY_NAME, so that it needs no OpenBao."""
    target = copied(folder)
    settings = target / "kindling.toml"
    text = settings.read_text(encoding="utf-8")
    own = text.replace("secret://vault/flights/masks#tails", f"secret://env/{KEY_NAME}")
    settings.write_text(own, encoding="utf-8")
    return target
