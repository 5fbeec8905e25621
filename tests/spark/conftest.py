"""The Spark environment shares the end-to-end tests' tools."""

from __future__ import annotations

import sys
from pathlib import Path

sys.path[:0] = [str(Path(__file__).parents[1] / "e2e"), str(Path(__file__).parents[1] / "kernel" / "cli")]
