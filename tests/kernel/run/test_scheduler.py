from __future__ import annotations

import os
import signal
import subprocess
import sys
import threading
import time
from collections.abc import Callable, Iterator, Mapping
from pathlib import Path
from queue import Empty, SimpleQueue

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from kindling.errors import EngineLostError, RunError
from kindling.hooks.executor import Executor, Outcome, TaskSpec
from kindling.run.scheduler import Job, Result, Skipped, jittered, run_jobs

Body = Callable[[TaskSpec], Outcome]


def spec(key: str, attempt: int) -> TaskSpec:
    return TaskSpec("r", "a:app", "/", "dev", key, "*", {}, "sail", (), "f", attempt=attempt, grace_s=1.0)


def done(task: TaskSpec) -> Outcome:
    return Outcome(task.key, "done", task.attempt)


def failed(task: TaskSpec, *, transient: bool = False, status: str = "failed") -> Outcome:
    return Outcome(task.key, status, task.attempt, transient=transient)


class Inline:
    """Runs tasks when outcomes are asked for, in the caller's thread."""

    def __init__(self, body: Body = done, slots: int = 1) -> None:
        self.slots = slots
        self.body = body
        self.queue: list[TaskSpec] = []
        self.cancelled: list[str] = []
        self.most = 0

    def submit(self, task: TaskSpec) -> None:
        self.queue.append(task)
        self.most = max(self.most, len(self.queue))

    def completed(self, timeout_s: float | None = None) -> Iterator[Outcome]:
        while self.queue:
            task = self.queue.pop(0)
            yield failed(task, status="cancelled") if task.key in self.cancelled else self.body(task)

    def cancel(self, key: str, grace_s: float) -> None:
        self.cancelled.append(key)

    def close(self) -> None:
        self.queue.clear()


class Threads:
    """Runs tasks in real threads; a body that waits is released by `cancel`."""

    def __init__(self, body: Callable[[TaskSpec, threading.Event], Outcome], slots: int) -> None:
        self.slots = slots
        self.body = body
        self.inbox: SimpleQueue[tuple[TaskSpec, threading.Event] | None] = SimpleQueue()
        self.outbox: SimpleQueue[Outcome] = SimpleQueue()
        self.stops: dict[str, threading.Event] = {}
        self.left = 0
        self.threads = [threading.Thread(target=self._work, daemon=True) for _ in range(slots)]
        for thread in self.threads:
            thread.start()

    def _work(self) -> None:
        while (item := self.inbox.get()) is not None:
            self.outbox.put(self.body(*item))

    def submit(self, task: TaskSpec) -> None:
        self.stops[task.key] = stop = threading.Event()
        self.left += 1
        self.inbox.put((task, stop))

    def completed(self, timeout_s: float | None = None) -> Iterator[Outcome]:
        while self.left:
            try:
                outcome = self.outbox.get(timeout=timeout_s)
            except Empty:
                return
            self.left -= 1
            yield outcome

    def cancel(self, key: str, grace_s: float) -> None:
        self.stops[key].set()

    def close(self) -> None:
        for _ in self.threads:
            self.inbox.put(None)
        for thread in self.threads:
            thread.join()


class Diary:
    """Writes down what it hears."""

    def __init__(self) -> None:
        self.lines: list[tuple[object, ...]] = []

    def started(self, key: str, attempt: int) -> None:
        self.lines.append(("started", key, attempt))

    def retried(self, key: str, attempt: int, wait_s: float, outcome: Outcome) -> None:
        self.lines.append(("retried", key, attempt, wait_s))

    def finished(self, key: str, outcome: Outcome) -> None:
        self.lines.append(("finished", key, outcome.status))

    def skipped(self, key: str, cause: str) -> None:
        self.lines.append(("skipped", key, cause))

    def of(self, word: str) -> list[object]:
        return [line[1] for line in self.lines if line[0] == word]


def jobs(needs: Mapping[str, str], retries: int = 0, **priorities: float) -> list[Job]:
    return [
        Job(key, tuple(wanted.split()), priorities.get(key, 0.0), retries) for key, wanted in needs.items()
    ]


def statuses(result: Mapping[str, Result]) -> dict[str, str]:
    return {
        key: f"{item.reason} {item.cause}".strip() if isinstance(item, Skipped) else item.status
        for key, item in result.items()
    }


def boom(*keys: str) -> Body:
    return lambda task: failed(task) if task.key in keys else done(task)


def test_the_executors_of_these_tests_keep_the_contract() -> None:
    assert isinstance(Inline(), Executor)
    threads = Threads(lambda task, _stop: done(task), 1)
    assert isinstance(threads, Executor)
    threads.close()


@st.composite
def plans(draw: st.DrawFn) -> list[Job]:
    keys = draw(st.permutations([f"n{number}" for number in range(draw(st.integers(0, 8)))]))
    made = [
        Job(
            key,
            tuple(draw(st.lists(st.sampled_from(keys[:place]), max_size=3))) if place else (),
            draw(st.integers(0, 3)),
        )
        for place, key in enumerate(keys)
    ]
    return draw(st.permutations(made))


@given(
    plans(), st.integers(1, 3), st.sets(st.sampled_from([f"n{number}" for number in range(8)]), max_size=2)
)
def test_each_job_ends_once_after_its_needs_and_within_the_slots(
    plan: list[Job], slots: int, bad: set[str]
) -> None:
    executor, diary = Inline(boom(*bad), slots), Diary()
    result = run_jobs(plan, executor, spec, diary)
    told = [(word, key) for word, key, *_ in diary.lines]
    assert set(result) == {job.key for job in plan}
    assert executor.most <= slots
    for job in plan:
        item = result[job.key]
        assert told.count(("finished", job.key)) + told.count(("skipped", job.key)) == 1
        broken = [need for need in job.needs if statuses(result)[need] != "done"]
        assert isinstance(item, Skipped) == bool(broken)
        if not broken:
            assert item.status == ("failed" if job.key in bad else "done")  # type: ignore[union-attr]  # an Outcome
            begun = told.index(("started", job.key))
            assert all(told.index(("finished", need)) < begun for need in job.needs)


def test_the_highest_priority_starts_first_and_equals_in_the_order_of_the_list() -> None:
    diary = Diary()
    run_jobs(jobs({"a": "", "b": "", "c": "", "d": "c"}, c=2, d=3), Inline(), spec, diary)
    assert diary.of("started") == ["c", "d", "a", "b"]


def test_a_need_that_is_no_job_counts_as_done() -> None:
    assert statuses(run_jobs(jobs({"a": "elsewhere"}), Inline(), spec, Diary())) == {"a": "done"}


def test_no_jobs_are_no_work() -> None:
    assert run_jobs([], Inline(), spec, Diary()) == {}


def test_independent_branches_finish_and_what_is_behind_a_failure_is_skipped_with_its_cause() -> None:
    diary = Diary()
    needs = {"boom": "", "d1": "boom", "d2": "d1", "ok1": "", "ok2": "ok1", "join": "d2 ok2"}
    result = run_jobs(jobs(needs), Inline(boom("boom"), slots=2), spec, diary)
    assert statuses(result) == {
        "boom": "failed",
        "d1": "upstream boom",
        "d2": "upstream boom",
        "join": "upstream boom",
        "ok1": "done",
        "ok2": "done",
    }
    assert ("skipped", "join", "boom") in diary.lines


def test_stop_starts_nothing_after_a_failure_but_lets_running_ones_finish() -> None:
    diary = Diary()
    needs = {"boom": "", "runs": "", "behind": "runs", "loose": ""}
    result = run_jobs(jobs(needs), Inline(boom("boom"), slots=2), spec, diary, on_error="stop")
    assert statuses(result) == {
        "boom": "failed",
        "runs": "done",
        "behind": "stopped boom",
        "loose": "stopped boom",
    }
    assert diary.of("started") == ["boom", "runs"]


def test_only_transient_errors_are_retried_and_only_so_often() -> None:
    diary = Diary()
    result = run_jobs(
        [Job("t", (), retries=2), Job("p", (), retries=2), Job("behind", ("t",))],
        Inline(lambda task: failed(task, transient=task.key == "t")),
        spec,
        diary,
        backoff=lambda attempt: attempt / 1000,
    )
    assert statuses(result) == {"t": "failed", "p": "failed", "behind": "upstream t"}
    assert [line for line in diary.lines if line[1] == "t"] == [
        ("started", "t", 1),
        ("retried", "t", 1, 0.001),
        ("started", "t", 2),
        ("retried", "t", 2, 0.002),
        ("started", "t", 3),
        ("finished", "t", "failed"),
    ]


def test_a_retry_that_succeeds_lets_its_dependents_run() -> None:
    result = run_jobs(
        jobs({"a": "", "b": "a"}, retries=1),
        Inline(
            lambda task: done(task) if task.attempt == 2 or task.key == "b" else failed(task, transient=True)
        ),
        spec,
        Diary(),
        backoff=lambda _attempt: 0,
    )
    assert statuses(result) == {"a": "done", "b": "done"}
    assert isinstance(result["a"], Outcome)
    assert result["a"].attempt == 2


def test_a_task_whose_engine_died_under_it_gets_another_try_without_asking() -> None:
    diary = Diary()
    body: Body = lambda task: failed(task, transient=True, status="lost")  # noqa: E731  # shorter here
    result = run_jobs(jobs({"a": ""}), Inline(body), spec, diary, backoff=lambda _attempt: 0)
    assert statuses(result) == {"a": "lost"}
    assert len(diary.of("started")) == 2


def test_waiting_for_a_retry_holds_no_slot_and_blocks_nobody() -> None:
    diary = Diary()
    result = run_jobs(
        [Job("slow", (), 9, retries=1), *jobs({"a": "", "b": "a"})],
        Inline(
            lambda task: (
                failed(task, transient=True) if task.key == "slow" and task.attempt == 1 else done(task)
            )
        ),
        spec,
        diary,
        backoff=lambda _attempt: 0.15,
    )
    assert set(statuses(result).values()) == {"done"}
    assert diary.of("started") == ["slow", "a", "b", "slow"]


def test_a_due_retry_starts_while_others_still_run() -> None:
    def body(task: TaskSpec, stop: threading.Event) -> Outcome:
        if task.key == "long":
            stop.wait(20)
        elif task.attempt == 2:
            executor.cancel("long", 0)
        return failed(task, transient=True) if task.key == "again" and task.attempt == 1 else done(task)

    executor = Threads(body, 2)
    started = time.monotonic()
    result = run_jobs(
        [Job("long", ()), Job("again", (), retries=1)], executor, spec, Diary(), backoff=lambda _attempt: 0.02
    )
    executor.close()
    assert statuses(result) == {"long": "done", "again": "done"}
    assert time.monotonic() - started < 10


def test_a_task_starts_as_soon_as_its_own_inputs_are_ready() -> None:
    def body(task: TaskSpec, stop: threading.Event) -> Outcome:
        if task.key == "slow":
            stop.wait(20)
        if task.key == "behind":
            executor.cancel("slow", 0)
        return done(task)

    executor, diary = Threads(body, 2), Diary()
    started = time.monotonic()
    run_jobs(jobs({"slow": "", "fast": "", "behind": "fast"}), executor, spec, diary)
    executor.close()
    assert time.monotonic() - started < 10
    assert diary.of("finished")[:1] == ["fast"]


def test_cancelling_stops_what_runs_and_skips_what_waits() -> None:
    def body(task: TaskSpec, stop: threading.Event) -> Outcome:
        return failed(task, status="cancelled") if stop.wait(20) else done(task)

    asked = threading.Event()
    timer = threading.Timer(0.05, asked.set)
    timer.start()
    executor, diary = Threads(body, 2), Diary()
    result = run_jobs(
        jobs({"a": "", "b": "", "c": "", "d": "a"}), executor, spec, diary, is_cancelled=asked.is_set
    )
    executor.close()
    timer.join()
    assert statuses(result) == {"a": "cancelled", "b": "cancelled", "c": "cancelled", "d": "cancelled"}
    assert [type(result[key]) for key in "abcd"] == [Outcome, Outcome, Skipped, Skipped]
    assert ("skipped", "d", "") in diary.lines


def test_a_job_that_waits_for_its_retry_keeps_its_last_outcome_when_the_run_is_cancelled() -> None:
    diary = Diary()
    result = run_jobs(
        jobs({"a": "", "b": "a"}, retries=3),
        Inline(lambda task: failed(task, transient=True)),
        spec,
        diary,
        backoff=lambda _attempt: 60,
        is_cancelled=lambda: bool(diary.of("retried")),
    )
    assert statuses(result) == {"a": "failed", "b": "cancelled"}


def test_no_retry_begins_after_a_stop() -> None:
    diary = Diary()
    result = run_jobs(
        [Job("again", (), retries=3), Job("boom", ())],
        Inline(lambda task: failed(task, transient=task.key == "again"), slots=2),
        spec,
        diary,
        on_error="stop",
        backoff=lambda _attempt: 60,
    )
    assert statuses(result) == {"again": "failed", "boom": "failed"}
    assert diary.of("started") == ["again", "boom"]


def test_an_interrupt_that_the_executor_raises_cancels_once_and_a_second_is_raised() -> None:
    class Interrupted(Inline):
        times = 1

        def completed(self, timeout_s: float | None = None) -> Iterator[Outcome]:
            if self.times:
                self.times -= 1
                raise KeyboardInterrupt
            yield from super().completed(timeout_s)

    executor = Interrupted()
    result = run_jobs(jobs({"a": "", "b": ""}), executor, spec, Diary())
    assert statuses(result) == {"a": "cancelled", "b": "cancelled"}
    executor = Interrupted()
    executor.times = 2
    with pytest.raises(KeyboardInterrupt):
        run_jobs(jobs({"a": "", "b": ""}), executor, spec, Diary())
    assert executor.cancelled == ["a"]


INTERRUPTED = """
import os, signal, sys, threading, time
sys.path.insert(0, sys.argv[1])
from test_scheduler import Diary, Threads, done, failed, jobs, run_jobs, spec, statuses
stubborn = sys.argv[2] == "twice"
def body(task, stop):
    print("runs", flush=True)
    if stubborn:
        time.sleep(60)
    return failed(task, status="cancelled") if stop.wait(60) else done(task)
executor = Threads(body, 1)
try:
    print(statuses(run_jobs(jobs({"a": "", "b": "a"}), executor, spec, Diary())), flush=True)
except KeyboardInterrupt:
    print("raised", flush=True)
    os._exit(130)
assert signal.getsignal(signal.SIGINT) is signal.default_int_handler
"""


@pytest.mark.parametrize(
    ("how", "told", "code"),
    [("once", "{'b': 'cancelled', 'a': 'cancelled'}\n", 0), ("twice", "raised\n", 130)],
)
def test_ctrl_c_cancels_cleanly_and_a_second_one_ends_at_once(how: str, told: str, code: int) -> None:
    process = subprocess.Popen(
        [sys.executable, "-c", INTERRUPTED, str(Path(__file__).parent), how],
        stdout=subprocess.PIPE,
        text=True,
        preexec_fn=lambda: signal.signal(signal.SIGINT, signal.default_int_handler),  # noqa: PLW1509  # not inherited as ignored
    )
    assert process.stdout is not None
    assert process.stdout.readline() == "runs\n"
    os.kill(process.pid, signal.SIGINT)
    if how == "twice":
        time.sleep(0.5)
        os.kill(process.pid, signal.SIGINT)
    assert process.communicate(timeout=30)[0] == told
    assert process.returncode == code


def test_an_error_of_the_listener_ends_the_run_and_cancels_what_runs() -> None:
    class Strict(Diary):
        def finished(self, key: str, outcome: Outcome) -> None:
            raise RunError("KDL-RUN-999", "the audit cannot be written")

    executor = Inline(slots=2)
    with pytest.raises(RunError, match="the audit cannot be written"):
        run_jobs(jobs({"a": "", "b": ""}), executor, spec, Strict())
    assert executor.cancelled == ["b"]


def test_an_error_of_making_a_spec_is_the_attempts_outcome_and_may_be_retried() -> None:
    def make(key: str, attempt: int) -> TaskSpec:
        if key == "a" and attempt == 1:
            raise EngineLostError("KDL-INFRA-101", "the engine died")
        if key == "b":
            raise RunError("KDL-RUN-999", "cannot plan")
        return spec(key, attempt)

    result = run_jobs(
        jobs({"a": "", "b": "", "c": "b"}, retries=1), Inline(), make, Diary(), backoff=lambda _attempt: 0
    )
    assert statuses(result) == {"a": "done", "b": "failed", "c": "upstream b"}
    assert isinstance(result["b"], Outcome)
    assert (result["b"].error["code"], result["b"].exit_code) == ("KDL-RUN-999", 1)


def test_a_task_that_the_executor_forgot_is_reported_as_lost() -> None:
    class Forgetful(Inline):
        def submit(self, task: TaskSpec) -> None:
            if task.key != "a":
                super().submit(task)

    result = run_jobs(jobs({"a": "", "b": "a", "c": ""}), Forgetful(slots=2), spec, Diary())
    assert statuses(result) == {"a": "lost", "b": "upstream a", "c": "done"}
    assert isinstance(result["a"], Outcome)
    assert result["a"].error == {
        "code": "KDL-RUN-022",
        "what": "the executor lost 'a'",
        "why": "Forgetful has no task left, but gave no outcome for it",
        "where": "",
        "hint": "report this to the maintainers of the executor",
        "facts": {},
    }


def test_a_second_outcome_of_an_attempt_changes_nothing() -> None:
    class Twice(Inline):
        def completed(self, timeout_s: float | None = None) -> Iterator[Outcome]:
            for outcome in super().completed(timeout_s):
                yield outcome
                yield failed(spec(outcome.key, 1))

    assert statuses(run_jobs(jobs({"a": "", "b": "a"}), Twice(), spec, Diary())) == {"a": "done", "b": "done"}


def test_jobs_that_wait_for_each_other_are_named() -> None:
    with pytest.raises(RunError) as caught:
        run_jobs(jobs({"a": "b", "b": "a", "c": ""}), Inline(), spec, Diary())
    assert str(caught.value) == "KDL-RUN-020: tasks wait for each other: a, b"


def test_two_jobs_of_one_key_and_an_unknown_on_error_are_refused() -> None:
    with pytest.raises(RunError) as caught:
        run_jobs([Job("a", ()), Job("a", ())], Inline(), spec, Diary())
    assert str(caught.value) == "KDL-RUN-021: two tasks are called 'a'"
    with pytest.raises(RunError) as caught:
        run_jobs([], Inline(), spec, Diary(), on_error="ignore")
    assert str(caught.value) == (
        "KDL-RUN-021: on_error='ignore' is unknown\n  why: known: skip-dependents, stop"
    )


def test_the_wait_grows_is_bounded_and_differs() -> None:
    waits = [[jittered(attempt) for _ in range(5)] for attempt in (1, 2, 3, 4, 20)]
    for lowest, row in zip((1, 2, 4, 8, 29), waits, strict=True):
        assert all(lowest <= wait <= min(lowest + 1, 31) for wait in row)
    assert len(set(waits[0])) == 5


@settings(max_examples=20, deadline=None)
@given(plans(), st.sets(st.sampled_from([f"n{number}" for number in range(8)]), max_size=2))
def test_real_threads_give_the_same_results_as_one(plan: list[Job], bad: set[str]) -> None:
    executor = Threads(lambda task, _stop: boom(*bad)(task), 3)
    try:
        result = run_jobs(plan, executor, spec, Diary())
    finally:
        executor.close()
    expected = {
        key: status.partition(" ")[0]
        for key, status in statuses(run_jobs(plan, Inline(boom(*bad)), spec, Diary())).items()
    }
    assert {key: status.partition(" ")[0] for key, status in statuses(result).items()} == expected
