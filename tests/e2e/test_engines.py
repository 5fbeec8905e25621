"""The flights example makes equal tables, types included, on every engine.

`flights_tables.json` holds what each table must hold. It was made on Sail; DuckDB and Spark (in its own
environment, `tests/spark`) are compared with it. Make it again with KINDLING_TEST_WRITE=1.
"""

from __future__ import annotations

import json
import os
import subprocess
import sys
from pathlib import Path

import pytest
from contents import differences, summary
from shell import Shell

pytestmark = pytest.mark.timeout(600)
EXPECTED = Path(__file__).with_name("flights_tables.json")


def tables(project: Path) -> dict[str, object]:
    """Summaries of all tables of the example by name, the quarantine included."""
    lake = project / "lake" / "dev"
    folders = sorted(log.parent for log in lake.glob("*/*/_delta_log"))
    return {".".join(folder.relative_to(lake).parts): summary(folder) for folder in folders}


@pytest.mark.parametrize("platform", ["sail", "duckdb"])
def test_every_table_is_equal_on_every_engine(flights: Path, platform: str, shell: type[Shell]) -> None:
    subprocess.run([sys.executable, "-m", "flights.data", "data"], cwd=flights, check=True)
    shell(flights, platform)("run")
    found = json.loads(json.dumps(tables(flights)))
    if os.environ.get("KINDLING_TEST_WRITE") and platform == "sail":
        EXPECTED.write_text(json.dumps(found, indent=1, ensure_ascii=False) + "\n")
    assert differences(found, json.loads(EXPECTED.read_text())) == []
