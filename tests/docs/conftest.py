from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).parent.parent.parent


@pytest.fixture(scope="session")
def built() -> Path:
    """Return the folder with pages and site, made of this checkout once a session; it stays to be read."""
    folder = ROOT / "build" / "docs"
    build = [sys.executable, str(ROOT / "docs" / "_site" / "build.py"), str(folder)]
    done = subprocess.run(build, capture_output=True, text=True, timeout=280, check=False)
    assert done.returncode == 0, done.stdout + done.stderr
    return folder


@pytest.fixture(scope="session")
def site(built: Path) -> Path:
    """Return the built site."""
    return built / "site"
