"""What the end-to-end tests share: a copy of the example, and the installed command in a process."""

from __future__ import annotations

import shutil
import sys
from pathlib import Path

import pytest

sys.path.insert(0, str(Path(__file__).parent))  # importlib mode adds no folder for shell.py
sys.path.insert(0, str(Path(__file__).parents[1] / "kernel" / "cli"))  # and none for terminal.py
from shell import Shell  # found through the lines above

EXAMPLE = Path(__file__).parents[2] / "examples" / "flights"


@pytest.fixture
def shell() -> type[Shell]:
    """Make a shell: `shell(folder, platform)`."""
    return Shell


@pytest.fixture
def flights(tmp_path: Path) -> Path:
    """A copy of the flights example without data and tables."""
    target = tmp_path / "flights"
    shutil.copytree(
        EXAMPLE, target, ignore=shutil.ignore_patterns("data", "lake", ".kindling", "__pycache__", "tests")
    )
    return target
