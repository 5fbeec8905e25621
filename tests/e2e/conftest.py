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
KEY = "5eed" * 16
"""What masks tail numbers in tests, so that masked tables are known."""


@pytest.fixture
def shell() -> type[Shell]:
    """Make a shell: `shell(folder, platform)`."""
    return Shell


@pytest.fixture
def flights(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A copy of the flights example without data and tables, its key in the environment."""
    target = copy_of_flights(tmp_path)
    settings = target / "kindling.toml"
    text = settings.read_text(encoding="utf-8")
    settings.write_text(
        text.replace("secret://vault/flights/masks#tails", "secret://env/TAILS"), encoding="utf-8"
    )
    monkeypatch.setenv("TAILS", KEY)
    return target


@pytest.fixture
def governed(tmp_path: Path) -> Path:
    """The same, its key in an OpenBao server of its own, as it is delivered."""
    return copy_of_flights(tmp_path)


def copy_of_flights(folder: Path) -> Path:
    target = folder / "flights"
    ignored = (*(EXAMPLE / ".gitignore").read_text(encoding="utf-8").replace("/", "").split(), "__pycache__")
    shutil.copytree(EXAMPLE, target, ignore=shutil.ignore_patterns(*ignored))
    return target
