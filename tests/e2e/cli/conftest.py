"""The shop of the command line's tests, on the real plugins."""

from __future__ import annotations

from pathlib import Path

import pytest
from shops import make_broken_site, make_shop, make_slow  # found through tests/e2e/conftest.py
from terminal import SCHEMAS, Terminal  # the same


@pytest.fixture(scope="session")
def schemas() -> Path:
    """The folder of the published JSON Schemas."""
    return SCHEMAS


@pytest.fixture
def shop(tmp_path: Path) -> Terminal:
    """The shop, nothing made yet."""
    return make_shop(tmp_path)


@pytest.fixture(scope="session")
def made_shop(tmp_path_factory: pytest.TempPathFactory) -> Terminal:
    """The shop after one run. Tests that use it change nothing."""
    made = make_shop(tmp_path_factory.mktemp("made"))
    done = made("run")
    assert done.code == 0, done.err
    return made


@pytest.fixture
def slow(tmp_path: Path) -> Terminal:
    """A project with a pipe that takes a minute."""
    return make_slow(tmp_path)


@pytest.fixture
def broken_site(tmp_path: Path) -> str:
    """A folder for PYTHONPATH with a distribution whose manifest is no JSON."""
    return make_broken_site(tmp_path)
