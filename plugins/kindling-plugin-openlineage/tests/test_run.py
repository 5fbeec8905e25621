"""Whole runs through the command, on each engine, told into a file."""

from __future__ import annotations

from pathlib import Path

import pytest
from lineage_project import briefly, events_in, kindling, make_project
from published import faults
from run_events import facet

pytestmark = pytest.mark.timeout(240)


@pytest.mark.parametrize("platform", ["duckdb", "sail"])
def test_a_run_is_told_from_its_start_to_its_end(tmp_path: Path, platform: str) -> None:
    project = make_project(tmp_path, 'file = "out/lineage.jsonl"', platform)
    ended = kindling(project, "run")
    assert ended.returncode == 1, ended.stdout
    events = events_in(project / "out" / "lineage.jsonl")
    assert [fault for event in events for fault in faults(event)] == []
    assert sorted(map(str, briefly(events))) == sorted(
        str((kind, name))
        for kind, name in [
            ("START", "shop"),
            ("START", "shop.raw.people"),
            ("COMPLETE", "shop.raw.people"),
            ("START", "shop.silver.people"),
            ("COMPLETE", "shop.silver.people"),
            ("START", "shop.silver.bad"),
            ("FAIL", "shop.silver.bad"),
            ("FAIL", "shop"),
        ]
    )
    assert briefly(events)[0] == ("START", "shop")
    assert briefly(events)[-1] == ("FAIL", "shop")
    (silver,) = (event for event in events if briefly([event]) == [("COMPLETE", "shop.silver.people")])
    columns = facet(silver, "outputs", "columnLineage")
    assert columns is not None
    fields = columns["fields"]
    assert isinstance(fields, dict)
    assert [fields[name]["inputFields"][0]["field"] for name in ("id", "mail")] == ["id", "mail"]
    assert facet(silver, "outputs", "outputStatistics") == {"rowCount": 2}
    assert facet(silver, "inputs", "version") is not None
    (bad,) = (event for event in events if briefly([event]) == [("FAIL", "shop.silver.bad")])
    message = facet(bad, "run", "errorMessage")
    assert message is not None
    assert str(message["message"]).startswith("KDL-RUN-002: 'silver.bad' failed on the engine")
    text = (project / "out" / "lineage.jsonl").read_text(encoding="utf-8")
    assert "canary" not in text
    assert list((project / ".kindling" / "outbox" / "openlineage").iterdir()) == []


def test_a_run_without_a_target_says_what_to_set(tmp_path: Path) -> None:
    ended = kindling(make_project(tmp_path, ""), "run")
    assert ended.returncode == 2
    assert "KDL-LINE-100: the setting 'lineage.openlineage.url' cannot be used" in ended.stdout
