from __future__ import annotations

import json
import time
from collections.abc import Iterator
from pathlib import Path

import pytest
from receiver import LIMIT_S, Receiver, receiver

from kindling.hooks.sink import EventSink, SinkSpec
from kindling.testing.lineage_contract import RUN, LineageContract
from kindling.testing.list_lineage import Spots, Told
from kindling.testing.offers import open_capability

STATES = {"START": "begun", "COMPLETE": "done", "FAIL": "failed", "ABORT": "cancelled"}
Json = dict[str, object]


def at(value: object, *path: str) -> object:
    """Return what stands at a path of JSON; None where nothing does."""
    for step in path:
        value = value.get(step) if isinstance(value, dict) else None
    return value


def listed(value: object) -> list[object]:
    return value if isinstance(value, list) else []


def logical(dataset: object) -> str:
    names = listed(at(dataset, "facets", "symlinks", "identifiers"))
    return str(at(names[0], "name") if names else at(dataset, "name"))


class Reading:
    """What the words of one event mean: datasets are named by their places."""

    def __init__(self, event: Json, keys: dict[object, str]) -> None:
        self.event = event
        self.keys = keys
        self.inputs, self.outputs = listed(event["inputs"]), listed(event["outputs"])
        self.names = {at(one, "name"): logical(one) for one in (*self.inputs, *self.outputs)}

    def spots(self, fields: object, *, masked: bool = False) -> Spots:
        return frozenset(
            (self.names[at(one, "name")], str(at(one, "field")))
            for one in listed(fields)
            if not masked or at(listed(at(one, "transformations"))[0], "masking")
        )

    def told(self) -> Told:
        run, facets = at(self.event, "run", "runId"), at(self.event, "run", "facets")
        lineage = at(self.outputs[0], "facets", "columnLineage") if self.outputs else None
        fields = at(lineage, "fields")
        columns = (
            {name: at(one, "inputFields") for name, one in fields.items()} if isinstance(fields, dict) else {}
        )
        datasets = (*self.inputs, *self.outputs)
        return Told(
            task=self.keys[run],
            state=STATES[str(self.event["eventType"])],
            identity=str(run),
            parent=str(at(facets, "parent", "run", "runId") or ""),
            reads=tuple(map(logical, self.inputs)),
            writes="".join(map(logical, self.outputs)),
            versions={
                logical(one): str(at(one, "facets", "version", "datasetVersion"))
                for one in datasets
                if at(one, "facets", "version")
            },
            columns={name: self.spots(one) for name, one in columns.items()} if lineage else None,
            rows=self.spots(at(lineage, "dataset")),
            masked=frozenset(spot for one in columns.values() for spot in self.spots(one, masked=True)),
            error=str(at(facets, "errorMessage", "message") or ""),
            text=json.dumps(self.event),
        )


def key_of(event: Json) -> str:
    """Return the task's key: the name of the job behind the app's, and its nominal time."""
    _, _, entity = str(at(event, "job", "name")).partition(".")
    start, end = (
        at(event, "run", "facets", "nominalTime", f"nominal{edge}Time") for edge in ("Start", "End")
    )
    return f"{entity}[{start}/{end}]" if start else entity


class TestOpenLineage(LineageContract):
    plugin = "kindling_plugin_openlineage"
    capability = "lineage:openlineage"

    @pytest.fixture(autouse=True)
    def collector(self) -> Iterator[Receiver]:
        self.is_up = True
        with receiver(lambda _: (201, {}) if self.is_up else (503, {})) as made:
            self.server = made
            yield made

    def make_sink(self, run_dir: Path, run_id: str = RUN) -> EventSink:
        settings = {"url": self.server.url, "drain_s": LIMIT_S}
        spec = SinkSpec(run_id, str(run_dir), settings, str(run_dir))
        made = open_capability(self.plugin, self.capability, spec)
        assert isinstance(made, EventSink)
        return made

    def service(self, *, is_up: bool) -> None:
        self.is_up = is_up

    def told(self, sink: EventSink, run_dir: Path) -> list[Told]:
        end = time.monotonic() + LIMIT_S
        while self.is_up and self.is_waiting(run_dir):
            assert time.monotonic() < end
            time.sleep(0.01)
        events = list(self.server.taken)
        keys = {at(event, "run", "runId"): key_of(event) for event in events}
        return [Reading(event, keys).told() for event in events]

    def is_waiting(self, run_dir: Path) -> bool:
        """Tell whether something is under way: more lines are kept than taken."""
        for file in run_dir.glob(".kindling/outbox/openlineage/*.jsonl"):
            mark = file.with_name(f"{file.name}.http")
            try:
                if file.stat().st_size > int(mark.read_text("ascii") if mark.exists() else "0"):
                    return True
            except FileNotFoundError:  # it has just been delivered
                return True
        return False
