from __future__ import annotations

from kindling.addresses import TaskKey
from kindling.plan.plan import DEFERRED, RUN, SKIPPED, UNCHANGED, Plan, PlannedInput, PlannedTask
from kindling.run.waves import behind_deferred, behind_failures, without


def task(name: str, action: str, *inputs: str) -> PlannedTask:
    return PlannedTask(TaskKey(name), action, (), inputs=tuple(PlannedInput(item) for item in inputs))


PLAN = Plan(
    "shop",
    "dev",
    (
        task("a", RUN, "raw"),
        task("b", DEFERRED, "a"),
        task("c", RUN, "b"),
        task("d", RUN, "c", "raw"),
        task("e", RUN, "raw"),
        task("f", UNCHANGED, "b"),
    ),
)


def test_what_reads_a_deferred_entity_waits_however_far_behind() -> None:
    assert behind_deferred(PLAN) == {"b", "c", "d", "f"}


def test_what_reads_a_failure_falls_with_it_and_names_the_first_cause() -> None:
    assert behind_failures(PLAN, {"a"}) == {"a": "a", "b": "a", "c": "a", "d": "a"}
    assert behind_failures(PLAN, {"b[2024/2025]"}) == {
        "b": "b[2024/2025]",
        "c": "b[2024/2025]",
        "d": "b[2024/2025]",
    }
    assert behind_failures(PLAN, set()) == {}


def test_tasks_are_taken_out_by_their_keys() -> None:
    left = without(PLAN, {"a", "e"})
    assert [one.action for one in left.tasks] == [SKIPPED, DEFERRED, RUN, RUN, SKIPPED, UNCHANGED]
