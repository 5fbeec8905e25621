"""The contract of `kindling.hooks.executor` as an inheritable test class, for executors in this process.

    class TestMine(ExecutorContract):
        plugin = "kindling_plugin_mine"
        capability = "executor:mine"
        factory = "kindling_plugin_mine.executor:MyExecutor"

Not for order and retries, which are the scheduler's.
"""

from __future__ import annotations

import json
import os
import subprocess
import sys
import time
from collections.abc import Iterator
from typing import ClassVar

import pytest

from kindling.hooks.executor import Executor, ExecutorSpec, Outcome
from kindling.testing.offers import Contract, open_capability
from kindling.testing.scripted_runner import STUCK_S, ScriptedRunner, scripted_task

ENDINGS = ("done", "failed", "timed_out", "cancelled", "lost")
MARGIN_S = 1.0
"""What a loaded machine may add to a time that the contract promises."""


class ExecutorContract(Contract):
    """All tests of an executor.

    Attributes:
        slots: How many are asked for, and expected.
        factory: `module:name` that takes an ExecutorSpec, for a process of its own.
    """

    slots: ClassVar[int] = 2
    factory: ClassVar[str] = ""

    @classmethod
    def make_executor(cls, spec: ExecutorSpec) -> Executor:
        """Return a new executor: by default what the plugin offers."""
        made = open_capability(cls.plugin, cls.capability, spec)
        assert isinstance(made, Executor), f"{made!r} is no Executor"
        return made

    @pytest.fixture
    def runner(self) -> ScriptedRunner:
        """Give a runner whose bodies obey their names."""
        return ScriptedRunner()

    @pytest.fixture
    def executor(self, runner: ScriptedRunner) -> Iterator[Executor]:
        """Give an executor; it is closed at the end."""
        made = self.make_executor(ExecutorSpec(slots=self.slots, runner=runner))
        yield made
        made.close()

    def test_it_has_the_slots_that_were_asked_for(self, executor: Executor) -> None:
        assert executor.slots == self.slots

    def test_each_task_has_exactly_one_outcome(self, executor: Executor) -> None:
        names = [f"quick_{number}" for number in range(40)]
        found: list[str] = []
        for start in range(0, len(names), executor.slots):
            for name in names[start : start + executor.slots]:
                executor.submit(scripted_task(name))
            found += [outcome.key for outcome in executor.completed()]
        assert sorted(found) == sorted(names)
        assert list(executor.completed()) == []

    def test_an_outcome_is_what_the_body_returned(self, executor: Executor) -> None:
        executor.submit(scripted_task("quick_one"))
        (outcome,) = executor.completed()
        assert (outcome.key, outcome.status, outcome.attempt) == ("quick_one", "done", 1)
        assert (outcome.version, outcome.rows) == ("v-quick_one", 7)

    def test_all_slots_work_at_once_and_never_more(self, executor: Executor, runner: ScriptedRunner) -> None:
        found: list[Outcome] = []
        for place in range(2):
            for number in range(executor.slots):
                executor.submit(scripted_task(f"sleep_{place}_{number}"))
            found += executor.completed()
        assert len(found) == 2 * executor.slots
        assert runner.most == executor.slots

    def test_submitting_returns_at_once(self, executor: Executor) -> None:
        began = time.monotonic()
        executor.submit(scripted_task("sleep_one"))
        assert time.monotonic() - began < 0.2
        assert [outcome.status for outcome in executor.completed()] == ["done"]

    def test_no_task_means_no_wait(self, executor: Executor) -> None:
        began = time.monotonic()
        assert list(executor.completed()) == []
        assert time.monotonic() - began < MARGIN_S

    def test_outcomes_may_be_asked_for_again_after_more_tasks(self, executor: Executor) -> None:
        for name in ("quick_1", "quick_2"):
            executor.submit(scripted_task(name))
            assert [outcome.key for outcome in executor.completed()] == [name]

    def test_a_task_submitted_between_two_outcomes_belongs_to_them(self, executor: Executor) -> None:
        executor.submit(scripted_task("quick_0"))
        found = []
        for outcome in executor.completed():
            found.append(outcome.key)
            if len(found) < 10:
                executor.submit(scripted_task(f"quick_{len(found)}"))
        assert found == [f"quick_{number}" for number in range(10)]

    def test_waiting_ends_after_a_quiet_time_and_loses_no_outcome(self, executor: Executor) -> None:
        executor.submit(scripted_task("sleep_one"))
        assert list(executor.completed(0.05)) == []
        assert [outcome.key for outcome in executor.completed()] == ["sleep_one"]

    def test_an_iterator_that_is_dropped_loses_no_outcome(self, executor: Executor) -> None:
        names = [f"quick_{number}" for number in range(executor.slots)]
        for name in names:
            executor.submit(scripted_task(name))
        time.sleep(0.1)
        found = [next(executor.completed()).key]
        found += [outcome.key for outcome in executor.completed()]
        assert sorted(found) == names

    @pytest.mark.parametrize("word", ["crash", "exit"])
    def test_a_body_that_raises_has_an_outcome_and_its_slot_lives_on(
        self, executor: Executor, word: str
    ) -> None:
        for number in range(executor.slots + 1):
            executor.submit(scripted_task(f"{word}_{number}"))
            (outcome,) = executor.completed()
            assert (outcome.key, outcome.status in ("failed", "lost")) == (f"{word}_{number}", True)
            assert outcome.error
        executor.submit(scripted_task("quick_after"))
        assert [outcome.status for outcome in executor.completed()] == ["done"]

    def test_a_late_task_is_interrupted_and_timed_out(
        self, executor: Executor, runner: ScriptedRunner
    ) -> None:
        began = time.monotonic()
        executor.submit(scripted_task("wait_one", timeout_s=0.2))
        (outcome,) = executor.completed()
        assert outcome.status == "timed_out"
        assert ("wait_one", "timed_out") in runner.interrupts
        assert 0.15 < time.monotonic() - began < 0.5 + MARGIN_S

    def test_a_body_that_hears_nothing_is_timed_out_in_time_and_only_once(self, executor: Executor) -> None:
        executor.submit(scripted_task("stuck_one", timeout_s=0.2, grace_s=0.2))
        began = time.monotonic()
        (outcome,) = executor.completed()
        assert outcome.status == "timed_out"
        assert time.monotonic() - began < STUCK_S - 0.2
        for number in range(executor.slots):
            executor.submit(scripted_task(f"quick_{number}"))
        assert sorted(found.key for found in executor.completed()) == [
            f"quick_{number}" for number in range(executor.slots)
        ]
        time.sleep(max(0.0, began + STUCK_S + 0.2 - time.monotonic()))
        assert list(executor.completed()) == []

    def test_a_task_that_is_in_time_is_not_interrupted(
        self, executor: Executor, runner: ScriptedRunner
    ) -> None:
        executor.submit(scripted_task("quick_one", timeout_s=0.15))
        assert [outcome.status for outcome in executor.completed()] == ["done"]
        time.sleep(0.3)
        assert runner.interrupts == []
        assert list(executor.completed()) == []

    def test_a_cancelled_task_says_so(self, executor: Executor, runner: ScriptedRunner) -> None:
        began = time.monotonic()
        executor.submit(scripted_task("wait_one"))
        runner.wait_started(1, 0.3)
        executor.cancel("wait_one", 0.5)
        (outcome,) = executor.completed()
        assert (outcome.key, outcome.status) == ("wait_one", "cancelled")
        assert time.monotonic() - began < 1.0 + MARGIN_S
        assert runner.started == runner.ended

    def test_cancelling_what_ended_or_never_was_changes_nothing(self, executor: Executor) -> None:
        executor.submit(scripted_task("quick_one"))
        found = list(executor.completed())
        executor.cancel("quick_one", 0.1)
        executor.cancel("never_was", 0.1)
        found += executor.completed()
        assert [(outcome.key, outcome.status) for outcome in found] == [("quick_one", "done")]

    def test_closing_twice_stops_running_tasks_soon(self, runner: ScriptedRunner) -> None:
        executor = self.make_executor(ExecutorSpec(slots=self.slots, runner=runner))
        executor.submit(scripted_task("wait_one"))
        runner.wait_started(1, 0.3)
        began = time.monotonic()
        executor.close()
        executor.close()
        assert time.monotonic() - began < 2.0 + MARGIN_S
        assert runner.started == runner.ended

    def test_ctrl_c_of_the_caller_loses_no_outcome(self) -> None:
        paths = os.pathsep.join(path for path in sys.path if path)
        done = subprocess.run(  # noqa: S603  # this very interpreter
            [sys.executable, "-m", "kindling.testing.interrupted", self.factory],
            env={**os.environ, "PYTHONPATH": paths},
            capture_output=True,
            text=True,
            timeout=60,
            check=False,
        )
        assert done.returncode == 0, done.stderr
        found = json.loads(done.stdout)
        assert found["interrupts"] == 1
        assert sorted(found["outcomes"]) == found["submitted"]
