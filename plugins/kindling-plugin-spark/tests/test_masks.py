"""Masks have the values on the JVM that they have on Sail and DuckDB: see kindling-plugin-masking."""

from __future__ import annotations

import json
import sys
from pathlib import Path

import pytest

from kindling.hooks.platform import Platform, SessionSpec

sys.path.insert(0, str(Path(__file__).parents[2] / "kindling-plugin-masking" / "tests"))
from golden import FILE, golden  # found through the line above


@pytest.mark.slow
@pytest.mark.timeout(900)
def test_masks_of_fixed_values_are_those_of_the_other_engines(spark: Platform) -> None:
    session = spark.open_session(SessionSpec("masks"))
    assert golden(session) == json.loads(FILE.read_text(encoding="utf-8"))
    session.close()
