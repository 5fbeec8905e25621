"""Refresh `registry/`: build the wheels of all plugins and record their releases.

    python requirements/registry.py                 # records of all plugins
    python requirements/registry.py --wheels        # and keep the wheels: an index to install from, offline

A record is replaced, which is right for versions that were never published; `kindling registry validate`
refuses it for others. Needs uv, and kindling-plugin-registry in this Python.
"""

from __future__ import annotations

import subprocess
import sys
import tempfile
import tomllib
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent
REGISTRY = ROOT / "registry"
BUILD = ("uv", "build", "--wheel", "--quiet", "--out-dir")
COMMAND = "from kindling_plugin_registry.operator.commands import command; command()"


def built(folder: str) -> list[str]:
    """Build the wheels of all plugins into a folder; return their paths, sorted."""
    for project in sorted(ROOT.glob("plugins/kindling-plugin-*")):
        subprocess.run([*BUILD, folder, str(project)], check=True)
    return sorted(str(path) for path in Path(folder).glob("*.whl"))


def registry(*arguments: str) -> None:
    """Run `kindling registry`."""
    subprocess.run([sys.executable, "-c", COMMAND, *arguments, "--registry", str(REGISTRY)], check=True)


def complete() -> None:
    """Write what all own plugins have in common into records that were made for the first time."""
    for path in sorted(REGISTRY.glob("plugins/*/plugin.toml")):
        text = path.read_text(encoding="utf-8")
        if tomllib.loads(text)["maintainers"][0]["name"] == "unknown":
            path.write_text(text.replace('"unknown"', '"Kindling developers"'), encoding="utf-8")


def main() -> int:
    """Build, record, check."""
    keep = [] if "--wheels" in sys.argv[1:] else ["--no-copy"]
    with tempfile.TemporaryDirectory() as folder:
        registry("add", "--replace", *keep, *built(folder))
    complete()
    return 0


if __name__ == "__main__":
    sys.exit(main())
