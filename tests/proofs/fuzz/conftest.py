"""Chance, the same in every run."""

from __future__ import annotations

import os
import random
import sys
import time
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

sys.path.insert(0, str(Path(__file__).parent))  # importlib mode adds no folder for judging.py
from judging import COUNTS, MOST, SECONDS, SEED


@pytest.fixture(scope="module", autouse=True)
def _counted() -> Iterator[None]:
    """Print how many inputs were tried, for the record."""
    yield
    if "KINDLING_FUZZ_S" in os.environ:
        sys.stderr.write(f"\n{COUNTS}\n")


@pytest.fixture
def chances(request: pytest.FixtureRequest) -> Callable[[], Iterator[random.Random]]:
    """Give numbered sources of chance: so many, or until the time is over."""
    name = request.node.name

    def numbered() -> Iterator[random.Random]:
        end = time.monotonic() + SECONDS
        for number in range(MOST):
            if SECONDS and time.monotonic() > end:
                break
            COUNTS[name] = number + 1
            yield random.Random(f"{name}/{SEED}/{number}")  # noqa: S311  # the same in every run

    return numbered
