from __future__ import annotations

import shutil
import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).parent.parent.parent


@pytest.fixture(scope="session")
def built(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Return a folder with pages and site, made of this checkout; a copy in `build/docs` stays to be read."""
    folder = tmp_path_factory.mktemp("docs")
    build = [sys.executable, str(ROOT / "docs" / "_site" / "build.py"), str(folder)]
    done = subprocess.run(build, capture_output=True, text=True, timeout=280, check=False)
    assert done.returncode == 0, done.stdout + done.stderr
    shutil.rmtree(ROOT / "build" / "docs", ignore_errors=True)
    shutil.copytree(folder, ROOT / "build" / "docs", dirs_exist_ok=True)
    return folder


@pytest.fixture(scope="session")
def site(built: Path) -> Path:
    """Return the built site."""
    return built / "site"
