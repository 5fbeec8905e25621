"""The cross-engine suite runs on the engine that KINDLING_CROSS_ENGINE names, one tox environment each."""

from __future__ import annotations

import os
import sys
from pathlib import Path

import pytest

HERE = Path(__file__).parent
sys.path[:0] = [str(HERE), str(HERE.parent / "e2e"), str(HERE.parent / "kernel" / "cli")]


@pytest.fixture(scope="session")
def engine() -> str:
    """The engine under test."""
    return os.environ.get("KINDLING_CROSS_ENGINE", "sail")
