from __future__ import annotations

import subprocess
from pathlib import Path

import pytest

ROOT = Path(__file__).parent.parent.parent


@pytest.fixture(scope="session")
def root() -> Path:
    """Return the checkout's folder."""
    return ROOT


@pytest.fixture(scope="session")
def sources() -> list[Path]:
    """Return the modules that are shipped: the kernel's and each plugin's."""
    return sorted([*ROOT.glob("kindling/**/*.py"), *ROOT.glob("plugins/*/src/**/*.py")])


@pytest.fixture(scope="session")
def committed() -> list[Path]:
    """Return the files that git knows and that exist."""
    shown = subprocess.run(["git", "ls-files"], cwd=ROOT, capture_output=True, text=True, check=True)
    return [path for path in (ROOT / line for line in shown.stdout.splitlines()) if path.is_file()]
