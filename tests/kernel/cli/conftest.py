"""Projects in scratch folders, and the command line in them. No plugin is installed here."""

from __future__ import annotations

import sys
from collections.abc import Iterator
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

sys.path.insert(0, str(Path(__file__).parents[1] / "workbench"))  # the scratch plugin, and its bench
sys.path.insert(0, str(Path(__file__).parent))  # importlib mode adds no folder for terminal.py and shops.py
from shops import make_broken_site, make_shop  # found through the line above
from terminal import Terminal  # the same

if TYPE_CHECKING:
    from workbench import Bench


@pytest.fixture
def folder(tmp_path: Path) -> Terminal:
    """An empty folder, no project."""
    return Terminal(tmp_path)


@pytest.fixture
def shop(tmp_path: Path) -> Terminal:
    """The shop, nothing made yet."""
    return make_shop(tmp_path)


@pytest.fixture
def broken_site(tmp_path: Path) -> str:
    """A folder for PYTHONPATH with a distribution whose manifest is no JSON."""
    return make_broken_site(tmp_path)


@pytest.fixture
def bench(tmp_path: Path) -> Iterator[Bench]:
    """A project of the scratch plugin in this process; choose its app with `use`."""
    from workbench import Bench

    made = Bench(tmp_path)
    yield made
    made.close()
