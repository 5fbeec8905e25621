from __future__ import annotations

from dataclasses import asdict

import msgspec
from hypothesis import given
from hypothesis import strategies as st

from kindling.addresses import Slice, TaskKey
from kindling.hooks.executor import InputSpec, Outcome, TaskSpec

parts = st.sampled_from(["*", "2013-01-01T00:00:00Z/2013-01-02T00:00:00Z", "key:EWR"])


def spec(part: str) -> TaskSpec:
    inputs = (InputSpec("a", {"storage": "csv"}, how="changes", cursor="7"),)
    return TaskSpec(
        run_id="r1",
        app="shop:app",
        project="/project",
        environment="dev",
        entity="gold",
        slice=part,
        address={},
        platform="sail",
        inputs=inputs,
        fingerprint="f1",
    )


@given(parts)
def test_a_task_has_the_key_that_its_plan_shows(part: str) -> None:
    assert spec(part).key == str(TaskKey("gold", Slice.parse(part)))


@given(parts)
def test_a_task_and_its_outcome_cross_processes_as_json(part: str) -> None:
    task = spec(part)
    outcome = Outcome(task.key, "done", rows=3, cursors={"a": "8"}, warnings=("slow",))
    assert msgspec.json.decode(msgspec.json.encode(asdict(task)), type=TaskSpec) == task
    assert msgspec.json.decode(msgspec.json.encode(asdict(outcome)), type=Outcome) == outcome
