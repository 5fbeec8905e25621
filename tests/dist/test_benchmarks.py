"""The benchmarks' own code: verdicts, ratios, equal tables, the page and its plot."""

from __future__ import annotations

import json
import sys
from pathlib import Path
from xml.etree import ElementTree as ET

import pytest

ROOT = Path(__file__).parent.parent.parent
sys.path.insert(0, str(ROOT / "benchmarks"))  # scripts, in no package

from equality import differences  # noqa: E402  # they are found from here on
from figures import Figure, Row, Sample, both_ratios, lap  # noqa: E402
from laps import plot, table  # noqa: E402
from projects import CHANGED, dbt, dependents, hamilton, sqlmesh, tiny_chain  # noqa: E402
from report import page, write_page, write_result  # noqa: E402

FACTS = {
    "quick": False,
    "at": "2026-01-01T00:00:00Z",
    "machine": {"cores": 2, "cpu": "some", "memory_gb": 8, "system": "Linux 6", "python": "3.11.7"},
    "versions": {"duckdb": "2.0"},
    "load_before": 0.1,
    "load_after": 0.2,
}


def race(name: str = "race") -> Row:
    """Return a row of two contestants; ours misses its budget."""
    loop, ours = [Sample(1.0, 2.0), Sample(1.2, 2.0)], [Sample(2.0, 3.0), Sample(2.4, 3.0)]
    laps = (
        lap("loop by hand", "DuckDB", "Delta tables", "", loop),
        lap("**Kindling**", "DuckDB", "Delta tables", "one worker", ours),
    )
    return Row(name, "some <work>", both_ratios("ours", ours, loop, budget=1.5), ("a note",), laps)


def test_a_value_at_its_budget_is_met_and_one_beyond_it_is_missed() -> None:
    verdicts = [
        Figure("f", value, value, value, "x", 1, budget).verdict
        for value, budget in ((1.1, 1.1), (1.1004, 1.1), (1.101, 1.1), (9.0, None))
    ]
    assert verdicts == ["met", "met", "missed", "informative"]


def test_a_ratio_is_the_median_of_the_ratios_of_rounds() -> None:
    ours = [Sample(2.0, 1.0), Sample(9.0, 1.0), Sample(3.0, 1.0)]
    theirs = [Sample(1.0, 1.0), Sample(3.0, 1.0), Sample(3.0, 1.0)]
    wall, cpu = both_ratios("f", ours, theirs)
    assert (wall.value, wall.low, wall.high, wall.count) == (2.0, 1.0, 3.0, 3)
    assert (cpu.value, wall.detail) == (1.0, "3 s to 3 s")


def test_contestants_are_compared_with_the_first_one() -> None:
    lines = table(race().to_plain()["laps"])  # type: ignore[arg-type]  # plain values
    assert lines[2].startswith("| loop by hand | DuckDB, Delta tables | 1.10 | 1.00-1.20 | 2.00 |")
    assert lines[3].endswith("| 2.00x | 1.50x | 2 | one worker |")


def test_cpu_time_that_nobody_counted_is_not_shown_as_none() -> None:
    row = Row("jvm", "t", (), (), (lap("loop", "Spark", "Delta tables", "", [Sample(1.0, 0.0)]),))
    assert "| not counted |" in table(row.to_plain()["laps"])[2]  # type: ignore[arg-type]  # plain values


def test_the_plot_is_a_picture_for_light_and_dark_pages_with_all_contestants() -> None:
    text = plot([race().to_plain()])
    root = ET.fromstring(text)  # noqa: S314  # our own text
    assert "prefers-color-scheme: dark" in text
    assert [part.attrib.get("class") for part in root if part.tag.endswith("g")] == ["theirs", "ours"]
    assert len(text) < 4000


def test_the_page_tells_reasons_beside_what_is_missed_and_shows_the_plot(tmp_path: Path) -> None:
    reasons = tmp_path / "reasons.toml"
    reasons.write_text('[race]\n"ours, wall" = "because"\n')
    write_result(tmp_path / "results", race(), FACTS)
    write_page(tmp_path / "page.md", tmp_path / "results", ["race", "other"], reasons)
    text = (tmp_path / "page.md").read_text()
    assert "- **ours, wall** is missed: because\n" in text
    assert "ours, CPU** is missed" not in text
    assert "![Seconds of each contestant](benchmarks.svg)" in text
    assert "Not measured yet: other." in text
    assert (tmp_path / "page.svg").read_text().startswith("<svg ")


def test_the_committed_page_is_the_one_of_the_committed_results() -> None:
    benchmarks = ROOT / "benchmarks"
    results = {path.stem for path in (benchmarks / "results").glob("*.json")}
    text = (ROOT / "docs" / "benchmarks.md").read_text(encoding="utf-8")
    order = [line[3:] for line in text.splitlines() if line.startswith("## ")]
    assert set(order) == results
    made = page(benchmarks / "results", order, benchmarks / "reasons.toml")
    assert text.partition("\n\nNot measured yet")[0].rstrip() == made.rstrip()


def test_sums_of_floats_may_differ_by_their_order_and_nothing_else_may() -> None:
    ours = {"t": {"rows": 2, "v": 1.0, "all exact columns": 5}}
    assert differences(ours, {"t": {"rows": 2, "v": 1.0 + 1e-12, "all exact columns": 5}}) == []
    assert differences(ours, {"t": {"rows": 2, "v": 1.1, "all exact columns": 6}}) == [
        "t: v is 1.1 instead of 1.0",
        "t: all exact columns is 6 instead of 5",
    ]
    assert differences(ours, {})[0] == "t: rows is None instead of 2"


@pytest.mark.parametrize("writer", [sqlmesh, dbt, hamilton])
def test_each_peer_gets_all_tables_with_their_inputs(tmp_path: Path, writer: object) -> None:
    work = tiny_chain()
    writer(tmp_path, work)  # type: ignore[operator]  # one of three functions
    texts = "\n".join(path.read_text() for path in tmp_path.rglob("*.*"))
    assert len(work["pipes"]) == 30
    assert texts.count("v + 1 AS v") == 29
    named = {
        sqlmesh: "FROM perf.n28\n",
        dbt: "FROM {{ ref('n28') }}\n",
        hamilton: "def n29(n28: str) -> str:\n",
    }
    assert named[writer] in texts  # type: ignore[index]  # one of three functions


def test_what_depends_on_the_changed_pipe_is_named_in_order() -> None:
    queries = json.loads((ROOT / "benchmarks" / "apps" / "medallion" / "queries.json").read_text())
    found = dependents({"sources": {}, "pipes": queries["pipes"]}, CHANGED)
    assert found == ["orders_enriched", "gold_daily", "gold_country", "gold_product"]
