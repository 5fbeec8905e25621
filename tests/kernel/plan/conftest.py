from __future__ import annotations

import sys
from collections.abc import Iterator
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

WORKBENCH = str(Path(__file__).parents[1] / "workbench")
if WORKBENCH not in sys.path:
    sys.path.insert(0, WORKBENCH)  # the scratch plugin and what the tests of planning and running share

if TYPE_CHECKING:
    from workbench import Bench


@pytest.fixture
def bench(tmp_path: Path) -> Iterator[Bench]:
    """A project in a scratch folder; choose its app with `use`."""
    from workbench import Bench

    made = Bench(tmp_path)
    yield made
    made.close()
