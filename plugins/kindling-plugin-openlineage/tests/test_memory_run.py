"""A run in this process, on the memory platform, whose rules mask a column."""

from __future__ import annotations

import sys
from collections.abc import Iterator
from pathlib import Path

import pytest
from kindling_plugin_openlineage.settings import OpenLineageSettings
from kindling_plugin_openlineage.sink import OpenLineageSink
from lineage_project import briefly, events_in
from published import faults
from run_events import facet

import kindling as k
from kindling.hooks.sink import SinkSpec

sys.path.insert(0, str(Path(__file__).parents[3] / "tests" / "kernel" / "workbench"))
from workbench import Bench  # found through the line above

RUN = "20260102T030405Z-0a1b2c3d"
PEOPLE = "id bigint, mail string"
MASK = {"class": "pii.*", "mask": "blank", "on": "pipes", "entities": ["gold.*"]}


@pytest.fixture
def bench(tmp_path: Path) -> Iterator[Bench]:
    made = Bench(tmp_path)
    yield made
    made.close()


def clinic() -> k.App:
    app = k.App("clinic")
    people = app.source("raw.people", k.storage("scratch"), schema=PEOPLE, classify={"mail": "pii.email"})
    silver = app.sql("silver.people", "SELECT id, mail FROM {people}", inputs={"people": people})
    app.sql("gold.mails", "SELECT mail, count(*) AS n FROM {silver} GROUP BY mail", inputs={"silver": silver})
    return app


def test_a_run_on_the_memory_platform_tells_masks_and_classes(bench: Bench) -> None:
    rules = {f"policy__masks__mails__{key}": value for key, value in MASK.items()}
    bench.use(clinic(), run__trace=True, **rules)
    bench.put("raw.people", PEOPLE, (1, "canary-a"), (2, "canary-b"))
    settings = OpenLineageSettings.of({"file": "out.jsonl"})
    sink = OpenLineageSink(SinkSpec(RUN, str(bench.path), {}, str(bench.path)), settings)
    assert bench.run(sinks=[sink], run_id=RUN).status == "done"
    events = events_in(bench.path / "out.jsonl")
    assert [fault for event in events for fault in faults(event)] == []
    assert briefly(events) == [
        ("START", "clinic"),
        ("START", "clinic.silver.people"),
        ("COMPLETE", "clinic.silver.people"),
        ("START", "clinic.gold.mails"),
        ("COMPLETE", "clinic.gold.mails"),
        ("COMPLETE", "clinic"),
    ]
    silver, gold = events[2], events[4]
    assert facet(silver, "outputs", "tags") == {
        "tags": [{"key": "classification", "value": "pii.email", "source": "KINDLING", "field": "mail"}]
    }
    assert facet(gold, "outputs", "tags") is None
    lineage = facet(gold, "outputs", "columnLineage")
    assert lineage is not None
    fields = lineage["fields"]
    assert isinstance(fields, dict)
    (mail,) = fields["mail"]["inputFields"]
    assert mail["name"] == f"{bench.path}/lake/dev/silver/people"
    assert mail["transformations"] == [
        {"type": "DIRECT", "subtype": "TRANSFORMATION", "description": "masked by blank", "masking": True}
    ]
    assert "canary" not in (bench.path / "out.jsonl").read_text(encoding="utf-8")
