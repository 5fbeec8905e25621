"""Where the repository is, and the texts that stand at the start of pages that are made."""

from __future__ import annotations

import json
from pathlib import Path

ROOT = Path(__file__).parent.parent.parent


def capabilities_of(plugin: Path) -> dict[str, dict[str, object]]:
    """Return what a plugin's manifest says of each of its capabilities."""
    (manifest,) = plugin.glob("src/*/kindling.json")
    found: dict[str, dict[str, object]] = json.loads(manifest.read_text(encoding="utf-8"))["capabilities"]
    return found


def start(name: str) -> list[str]:
    """Return the lines that people wrote for the start of a page that is made."""
    path = Path(__file__).parent / "texts" / f"{name}.md"
    return path.read_text(encoding="utf-8").rstrip("\n").split("\n")
