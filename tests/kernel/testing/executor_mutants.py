"""Executors with one fault each."""

from __future__ import annotations

import threading
import time
from collections import deque
from collections.abc import Callable, Iterator
from dataclasses import replace
from typing import TYPE_CHECKING

from fakes import OfInlineExecutor
from mutation import mutant

from kindling.hooks.executor import ExecutorSpec, Outcome, TaskSpec
from kindling.testing.inline_executor import InlineExecutor

if TYPE_CHECKING:
    from kindling.testing.offers import Contract


def executor_mutant(*kills: str) -> Callable[[type], type[Contract]]:
    return mutant(OfInlineExecutor, "made", *kills)


@executor_mutant("it_has_the_slots_that_were_asked_for")
class HasTwoSlots(InlineExecutor):
    slots = 2


@executor_mutant("each_task_has_exactly_one_outcome")
class LosesOutcomes(InlineExecutor):
    def completed(self, timeout_s: float | None = None) -> Iterator[Outcome]:
        return (outcome for outcome in super().completed(timeout_s) if not outcome.key.endswith("7"))


@executor_mutant("an_outcome_is_what_the_body_returned")
class ForgetsVersions(InlineExecutor):
    def completed(self, timeout_s: float | None = None) -> Iterator[Outcome]:
        return (replace(outcome, version="") for outcome in super().completed(timeout_s))


class Eager(InlineExecutor):
    """Runs in `submit`, in the caller's thread."""

    def submit(self, spec: TaskSpec) -> None:
        self._ready.append(self._runner.execute(spec))


@executor_mutant("submitting_returns_at_once")
class BlocksInSubmit(Eager):
    pass


@executor_mutant("all_slots_work_at_once_and_never_more")
class RunsTwoAtOnce(InlineExecutor):
    def completed(self, timeout_s: float | None = None) -> Iterator[Outcome]:
        for spec in self._waiting:
            if spec.entity.startswith("sleep"):
                threading.Thread(target=self._runner.execute, args=(spec,), daemon=True).start()
        return super().completed(timeout_s)


@executor_mutant("no_task_means_no_wait")
class WaitsForNothing(InlineExecutor):
    def completed(self, timeout_s: float | None = None) -> Iterator[Outcome]:
        time.sleep(1.2)
        return super().completed(timeout_s)


@executor_mutant("waiting_ends_after_a_quiet_time_and_loses_no_outcome")
class IgnoresTheQuietTime(InlineExecutor):
    def completed(self, timeout_s: float | None = None) -> Iterator[Outcome]:
        return super().completed(None)


@executor_mutant("outcomes_may_be_asked_for_again_after_more_tasks")
class CompletesOnce(InlineExecutor):
    def completed(self, timeout_s: float | None = None) -> Iterator[Outcome]:
        if vars(self).setdefault("asked", 0):
            return iter(())
        vars(self)["asked"] = 1
        return super().completed(timeout_s)


@executor_mutant("a_task_submitted_between_two_outcomes_belongs_to_them")
class CompletesWhatItHad(InlineExecutor):
    def completed(self, timeout_s: float | None = None) -> Iterator[Outcome]:
        return iter(list(super().completed(timeout_s)))


@executor_mutant("an_iterator_that_is_dropped_loses_no_outcome")
class DroppedIteratorsForget(InlineExecutor):
    def completed(self, timeout_s: float | None = None) -> Iterator[Outcome]:
        found = deque(super().completed(timeout_s))
        vars(self).setdefault("seen", []).extend(found)
        return self._late(found)

    @staticmethod
    def _late(found: deque[Outcome]) -> Iterator[Outcome]:
        while found:
            first = found.popleft()
            if first.key.endswith("_0"):
                first = replace(first, key="quick_lost")
            yield first


class _Reraising:
    def __init__(self, spec: ExecutorSpec) -> None:
        self._inner = spec.runner

    def execute(self, spec: TaskSpec) -> Outcome:
        try:
            return self._inner.execute(spec)
        except BaseException:  # noqa: BLE001  # the fault: a crash looks like success
            return Outcome(spec.key, "done", spec.attempt)

    def interrupt(self, key: str, grace_s: float, reason: str) -> bool:
        return self._inner.interrupt(key, grace_s, reason)


@executor_mutant("a_body_that_raises_has_an_outcome_and_its_slot_lives_on")
class CrashesLookDone(InlineExecutor):
    def __init__(self, spec: ExecutorSpec) -> None:
        super().__init__(replace(spec, runner=_Reraising(spec)))


@executor_mutant("a_late_task_is_interrupted_and_timed_out")
class TimesOutWithoutAWord(InlineExecutor):
    def __init__(self, spec: ExecutorSpec) -> None:
        super().__init__(replace(spec, runner=_Deaf(spec)))


class _Deaf(_Reraising):
    def execute(self, spec: TaskSpec) -> Outcome:
        return self._inner.execute(spec)

    def interrupt(self, key: str, grace_s: float, reason: str) -> bool:
        return True


@executor_mutant("a_body_that_hears_nothing_is_timed_out_in_time_and_only_once")
class WaitsForStuckBodies(Eager):
    pass


@executor_mutant("a_task_that_is_in_time_is_not_interrupted")
class InterruptsAfterTheEnd(InlineExecutor):
    def submit(self, spec: TaskSpec) -> None:
        super().submit(spec)
        if spec.timeout_s:
            late = threading.Timer(spec.timeout_s, self._runner.interrupt, (spec.key, 0.0, "timed_out"))
            late.daemon = True
            late.start()


@executor_mutant("a_cancelled_task_says_so")
class ExecutorIgnoresCancel(InlineExecutor):
    def submit(self, spec: TaskSpec) -> None:
        super().submit(replace(spec, timeout_s=1.0))

    def cancel(self, key: str, grace_s: float) -> None:
        pass


@executor_mutant("cancelling_what_ended_or_never_was_changes_nothing")
class CancelsWhatEnded(InlineExecutor):
    def cancel(self, key: str, grace_s: float) -> None:
        super().cancel(key, grace_s)
        self._ready.append(Outcome(key, "cancelled"))


@executor_mutant("closing_twice_stops_running_tasks_soon")
class ExecutorClosesOnce(InlineExecutor):
    def close(self) -> None:
        if vars(self).setdefault("closed", 0):
            raise RuntimeError("it is closed")
        vars(self)["closed"] = 1
        super().close()


class InterruptLosesTheTask(InlineExecutor):
    def _wait(self, body: object, timeout_s: float | None) -> bool:
        try:
            return super()._wait(body, timeout_s)  # type: ignore[arg-type]  # a _Body
        except KeyboardInterrupt:
            self._running = None
            raise


class OfInterrupted(OfInlineExecutor):
    factory = "executor_mutants:InterruptLosesTheTask"


TestInterruptLosesTheTask = mutant(OfInterrupted, "made", "ctrl_c_of_the_caller_loses_no_outcome")(
    InterruptLosesTheTask
)
