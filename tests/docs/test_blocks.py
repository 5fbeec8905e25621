"""The code of the documentation works: each page is done as it stands, in a folder of its own."""

from __future__ import annotations

import sys
from pathlib import Path

import pytest

import kindling

sys.path.insert(0, str(Path(__file__).parent))
from blocks import Blocks, marked  # a module beside this one
from sybil import Sybil

ROOT = Path(__file__).parent.parent.parent
MARKED = {
    "docs/coming-from/dagster.md": ["import dagster as dg"],
    "docs/coming-from/dbt.md": [
        "{{ config(materialized='table') }}",
        "{{ config(materialized='table') }}",
        "sources:",
        "SELECT * FROM {{ ref('silver_orders') }} WHERE NOT price > 0",
    ],
    "docs/coming-from/dlt.md": ["from pyspark import pipelines as dp"],
    "docs/coming-from/kedro.md": ["raw_orders:", "import pandas as pd"],
    "docs/coming-from/sqlmesh.md": [
        "MODEL (",
        "AUDIT (name positive_price);",
        "MODEL (name gold.revenue, kind FULL);",
    ],
}
"""Blocks that are not run, by page, as their beginnings; the page says why above the block."""
RUN_ELSEWHERE = {
    "README.md": (
        "$ python3.11 -m venv .venv && .venv/bin/pip install -q tox && .venv/bin/tox run -q -e flights",
        "$ python3.11 -m venv .venv && .venv/bin/pip install -q tox && .venv/bin/tox",
        "$ kindling run",  # in examples/flights: tests/e2e
    ),
    "CONTRIBUTING.md": (
        "$ tox -e fix",
        "$ echo 'Tables are read by version.' > plugins/kindling-plugin-delta/changes/+versions.added.md",
        "$ python requirements/pin.py",
    ),
}
"""Blocks about a checkout itself, which its other environments of tox run."""
PAGES = sorted(
    str(path.relative_to(ROOT))
    for pattern in ("docs/**/*.md", "plugins/kindling-plugin-*/README.md", "*.md")
    for path in ROOT.glob(pattern)
    if "```" in path.read_text(encoding="utf-8")
    and "_site" not in path.parts
    and path.name != "write-a-plugin.md"  # done by tests/marketplace
)


@pytest.mark.timeout(600)  # the tutorial starts some thirty commands
@pytest.mark.parametrize("page", PAGES)
def test_a_page_does_what_it_says(page: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    left_out = (*MARKED.get(page, ()), *RUN_ELSEWHERE.get(page, ()))
    document = Sybil(parsers=[Blocks(tmp_path, left_out)], path=str(ROOT)).parse(ROOT / page)
    document.namespace["k"] = kindling
    for example in document.examples():
        example.evaluate()


def test_a_block_that_is_not_run_says_so_and_is_listed_here() -> None:
    said = {page: marked((ROOT / page).read_text(encoding="utf-8")) for page in PAGES}
    assert {page: lines for page, lines in said.items() if lines} == MARKED
