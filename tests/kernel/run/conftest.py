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
    from scratch_site import Site
    from workbench import Bench


@pytest.fixture
def bench(tmp_path: Path) -> Iterator[Bench]:
    """A project in a scratch folder; choose its app with `use`."""
    from workbench import Bench

    made = Bench(tmp_path)
    yield made
    made.close()


@pytest.fixture
def installed(tmp_path: Path) -> Site:
    """A project of files with the scratch plugin installed, and a table `raw` of one row."""
    from scratch_site import Site
    from workbench import Bench

    site = Site(tmp_path)
    Bench(site.project).put("raw", "n bigint", (21,))
    return site
