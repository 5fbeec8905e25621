"""What the end-to-end tests share: a copy of the example, and the installed command in a process."""

from __future__ import annotations

import sys
from pathlib import Path

import pytest

sys.path.insert(0, str(Path(__file__).parent))  # importlib mode adds no folder for example.py and shell.py
sys.path.insert(0, str(Path(__file__).parents[1] / "kernel" / "cli"))  # and none for terminal.py
from example import KEY, KEY_NAME, copied, copied_with_key
from shell import Shell  # found through the lines above


@pytest.fixture
def shell() -> type[Shell]:
    """Make a shell: `shell(folder, platform)`."""
    return Shell


@pytest.fixture
def flights(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A copy of the flights example without data and tables, its key in the environment."""
    monkeypatch.setenv(KEY_NAME, KEY)
    return copied_with_key(tmp_path)


@pytest.fixture
def governed(tmp_path: Path) -> Path:
    """The same, its key in an OpenBao server of its own, as it is delivered."""
    return copied(tmp_path)
