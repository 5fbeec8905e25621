from __future__ import annotations

import subprocess
import sys
import textwrap
import threading
import time
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from kindling_plugin_threads.executor import ThreadsExecutor

from kindling.errors import RunError
from kindling.hooks.executor import Executor, ExecutorSpec, Outcome, TaskSpec

Body = Callable[[threading.Event], object]


def task(entity: str, *, timeout_s: float | None = None, grace_s: float = 5.0, attempt: int = 1) -> TaskSpec:
    return TaskSpec(
        "r1",
        "a:app",
        "/p",
        "dev",
        entity,
        "*",
        {},
        "x",
        (),
        "f",
        attempt,
        timeout_s=timeout_s,
        grace_s=grace_s,
    )


class FakeRunner:
    """Runs bodies by entity name; an interrupt sets the event that its body got."""

    def __init__(self, bodies: dict[str, Body] | None = None, *, deaf: bool = False) -> None:
        self.bodies = bodies or {}
        self.deaf = deaf
        self.events: dict[str, threading.Event] = {}
        self.reasons: dict[str, str] = {}
        self.interrupts: list[tuple[str, float, str]] = []
        self.threads: set[str] = set()

    def execute(self, spec: TaskSpec) -> Outcome:
        self.threads.add(threading.current_thread().name)
        stop = self.events[spec.key] = threading.Event()
        self.bodies.get(spec.key, lambda _: None)(stop)
        status = self.reasons[spec.key] if stop.is_set() else "done"
        return Outcome(spec.key, status, spec.attempt)

    def interrupt(self, key: str, grace_s: float, reason: str) -> bool:
        self.interrupts.append((key, grace_s, reason))
        if self.deaf or key not in self.events:
            return False
        self.reasons[key] = reason
        self.events[key].set()
        return True


@pytest.fixture
def opened() -> Iterator[Callable[[FakeRunner, int], ThreadsExecutor]]:
    made: list[ThreadsExecutor] = []

    def open_one(runner: FakeRunner, slots: int = 2) -> ThreadsExecutor:
        made.append(ThreadsExecutor(ExecutorSpec(slots, runner)))
        return made[-1]

    yield open_one
    for executor in made:
        executor.close()


Opened = Callable[..., ThreadsExecutor]


def test_it_is_an_executor_with_the_slots_of_its_spec(opened: Opened) -> None:
    executor = opened(FakeRunner(), 3)
    assert isinstance(executor, Executor)
    assert executor.slots == 3


def test_each_task_has_exactly_one_outcome(opened: Opened) -> None:
    executor = opened(FakeRunner(), 4)
    names = [f"t{number}" for number in range(200)]
    for name in names:
        executor.submit(task(name))
    assert sorted(outcome.key for outcome in executor.completed()) == sorted(names)
    assert list(executor.completed()) == []


def test_tasks_may_be_submitted_between_two_outcomes(opened: Opened) -> None:
    executor = opened(FakeRunner())
    executor.submit(task("t0"))
    seen = []
    for outcome in executor.completed():
        seen.append(outcome.key)
        if len(seen) < 50:
            executor.submit(task(f"t{len(seen)}"))
    assert seen == [f"t{number}" for number in range(50)]


def test_an_outcome_comes_while_other_tasks_still_run(opened: Opened) -> None:
    gate = threading.Event()
    executor = opened(FakeRunner({"slow": lambda _: gate.wait(10)}))
    executor.submit(task("slow"))
    executor.submit(task("quick"))
    outcomes = executor.completed()
    assert next(outcomes).key == "quick"
    gate.set()
    assert [outcome.key for outcome in outcomes] == ["slow"]


def test_waiting_ends_after_a_quiet_time_and_loses_nothing(opened: Opened) -> None:
    gate = threading.Event()
    executor = opened(FakeRunner({"slow": lambda _: gate.wait(10)}))
    executor.submit(task("slow"))
    executor.submit(task("quick"))
    assert [outcome.key for outcome in executor.completed(0.05)] == ["quick"]
    assert list(executor.completed(0.01)) == []
    gate.set()
    assert [outcome.key for outcome in executor.completed(10)] == ["slow"]


def test_an_iterator_that_is_dropped_loses_nothing(opened: Opened) -> None:
    executor = opened(FakeRunner())
    for name in ("a", "b", "c"):
        executor.submit(task(name))
    seen = [next(executor.completed()).key for _ in range(3)]
    assert sorted(seen) == ["a", "b", "c"]
    assert list(executor.completed()) == []


def test_tasks_run_at_once_in_as_many_threads_as_there_are_slots(opened: Opened) -> None:
    meeting = threading.Barrier(3, timeout=10)
    runner = FakeRunner({f"t{number}": lambda _: meeting.wait() for number in range(3)})
    executor = opened(runner, 3)
    for number in range(3):
        executor.submit(task(f"t{number}"))
    assert [outcome.status for outcome in executor.completed()] == ["done"] * 3
    assert len(runner.threads) == 3


def test_a_task_that_ends_in_time_is_never_interrupted(opened: Opened) -> None:
    runner = FakeRunner()
    executor = opened(runner)
    executor.submit(task("quick", timeout_s=0.05))
    assert [outcome.status for outcome in executor.completed()] == ["done"]
    time.sleep(0.1)
    assert runner.interrupts == []


def test_a_task_is_interrupted_at_its_deadline_and_its_own_outcome_counts(opened: Opened) -> None:
    runner = FakeRunner({"slow": lambda stop: stop.wait(10)})
    executor = opened(runner)
    executor.submit(task("slow", timeout_s=0.05, grace_s=3))
    assert list(executor.completed()) == [Outcome("slow", "timed_out")]
    assert runner.interrupts == [("slow", 3, "timed_out")]


def test_a_task_that_does_not_stop_has_an_outcome_after_its_grace(opened: Opened) -> None:
    gate = threading.Event()
    executor = opened(FakeRunner({"silver.x": lambda _: gate.wait(10)}, deaf=True), 1)
    executor.submit(task("silver.x", timeout_s=0.05, grace_s=0.1))
    (outcome,) = executor.completed()
    gate.set()
    assert (outcome.key, outcome.status, outcome.attempt) == ("silver.x", "timed_out", 1)
    assert outcome.seconds >= 0.15
    assert outcome.error == {
        "code": "KDL-TIME-001",
        "what": "'silver.x' took longer than 0.05 s",
        "why": "it did not stop within 0.1 s and was left behind",
        "where": "",
        "hint": "raise the pipe's timeout_s, or make it do less at once",
        "facts": {},
    }


def test_a_thread_left_behind_is_replaced_and_its_late_outcome_dropped(opened: Opened) -> None:
    gate, left = threading.Event(), threading.Event()

    def stuck(_: threading.Event) -> None:
        gate.wait(10)
        left.set()

    executor = opened(FakeRunner({"stuck": stuck}, deaf=True), 1)
    executor.submit(task("stuck", timeout_s=0.02, grace_s=0.02))
    seen = []
    for outcome in executor.completed():
        seen.append((outcome.key, outcome.status))
        if len(seen) == 1:
            executor.submit(task("next"))
    gate.set()
    assert left.wait(5)
    executor.submit(task("last"))
    seen += [(outcome.key, outcome.status) for outcome in executor.completed()]
    assert seen == [("stuck", "timed_out"), ("next", "done"), ("last", "done")]


def test_an_interrupt_that_hangs_does_not_delay_the_outcome_beyond_the_grace(opened: Opened) -> None:
    gate = threading.Event()

    class Hanging(FakeRunner):
        def interrupt(self, key: str, grace_s: float, reason: str) -> bool:
            gate.wait(10)
            return False

    executor = opened(Hanging({"stuck": lambda _: gate.wait(10)}), 1)
    started = time.monotonic()
    executor.submit(task("stuck", timeout_s=0.05, grace_s=0.1))
    assert [outcome.status for outcome in executor.completed()] == ["timed_out"]
    assert time.monotonic() - started < 5
    gate.set()


def test_an_interrupt_that_comes_too_early_is_repeated(opened: Opened) -> None:
    class Late(FakeRunner):
        def interrupt(self, key: str, grace_s: float, reason: str) -> bool:
            stopped = super().interrupt(key, grace_s, reason) if self.interrupts else False
            self.interrupts.append((key, grace_s, reason))
            return stopped

    runner = Late({"slow": lambda stop: stop.wait(10)})
    executor = opened(runner)
    executor.submit(task("slow", timeout_s=0.01))
    assert [outcome.status for outcome in executor.completed()] == ["timed_out"]
    assert len(runner.interrupts) >= 2


def test_an_interrupt_is_over_before_the_next_attempt_can_be_submitted(opened: Opened) -> None:
    calling, over = threading.Event(), threading.Event()

    class Slow(FakeRunner):
        def interrupt(self, key: str, grace_s: float, reason: str) -> bool:
            calling.set()
            time.sleep(0.1)
            over.set()
            return True

    executor = opened(Slow({"x": lambda _: calling.wait(5)}))
    executor.submit(task("x", timeout_s=0.01))
    assert [outcome.status for outcome in executor.completed()] == ["done"]
    assert over.is_set()


def test_a_cancelled_task_says_so(opened: Opened) -> None:
    runner = FakeRunner({"slow": lambda stop: stop.wait(10)})
    executor = opened(runner)
    executor.submit(task("slow"))
    executor.cancel("slow", 2)
    assert [outcome.status for outcome in executor.completed()] == ["cancelled"]
    assert {reason for _, _, reason in runner.interrupts} == {"cancelled"}


def test_a_cancelled_task_that_does_not_stop_has_an_outcome_after_the_grace(opened: Opened) -> None:
    gate = threading.Event()
    executor = opened(FakeRunner({"slow": lambda _: gate.wait(10)}, deaf=True))
    executor.submit(task("slow"))
    executor.cancel("slow", 0.05)
    (outcome,) = executor.completed()
    gate.set()
    assert outcome.status == "cancelled"
    assert (outcome.error["code"], outcome.error["what"], outcome.error["why"]) == (
        "KDL-RUN-092",
        "'slow' was cancelled",
        "it did not stop within 0.05 s and was left behind",
    )


def test_cancelling_a_task_that_ended_or_is_unknown_changes_nothing(opened: Opened) -> None:
    runner = FakeRunner()
    executor = opened(runner)
    executor.submit(task("quick"))
    outcomes = list(executor.completed())
    executor.cancel("quick", 1)
    executor.cancel("unknown", 1)
    executor.submit(task("next"))
    outcomes += executor.completed()
    assert [outcome.status for outcome in outcomes] == ["done", "done"]
    assert runner.interrupts == []


def test_a_runner_that_raises_fails_its_task_and_not_the_run(opened: Opened) -> None:
    def leave(_: threading.Event) -> None:
        raise SystemExit(3)

    executor = opened(FakeRunner({"odd": leave}), 1)
    executor.submit(task("odd"))
    executor.submit(task("next"))
    first, second = executor.completed()
    assert (first.status, second.status) == ("failed", "done")
    assert first.error == {
        "code": "KDL-RUN-090",
        "what": "'odd' ended its thread",
        "why": "SystemExit: 3",
        "where": "",
        "hint": "this is a fault of Kindling, please report it",
        "facts": {},
    }


def test_close_cancels_what_runs_and_may_be_called_again(opened: Opened) -> None:
    runner = FakeRunner({"slow": lambda stop: stop.wait(10)})
    executor = opened(runner)
    executor.submit(task("slow"))
    executor.close()
    executor.close()
    assert [outcome.status for outcome in executor.completed()] == ["cancelled"]
    with pytest.raises(RunError) as caught:
        executor.submit(task("silver.x"))
    assert str(caught.value) == "KDL-RUN-091: 'silver.x' was submitted to a closed executor"


def test_close_ends_its_threads() -> None:
    executor = ThreadsExecutor(ExecutorSpec(2, FakeRunner()))
    executor.submit(task("a", timeout_s=60))
    executor.submit(task("b"))
    assert len(list(executor.completed())) == 2
    executor.close()
    assert not [thread for thread in executor._threads if thread.is_alive()]


@settings(max_examples=15, deadline=None)
@given(st.lists(st.sampled_from(["quick", "obeys", "deaf"]), max_size=12), st.integers(1, 4))
def test_any_mix_of_tasks_gives_one_outcome_each(kinds: list[str], slots: int) -> None:
    gate = threading.Event()

    class Mixed(FakeRunner):
        def interrupt(self, key: str, grace_s: float, reason: str) -> bool:
            return "deaf" not in key and super().interrupt(key, grace_s, reason)

    names = [f"{kind}.{number}" for number, kind in enumerate(kinds)]
    body: dict[str, Body] = {
        "quick": lambda _: None,
        "obeys": lambda stop: stop.wait(10),
        "deaf": lambda _: gate.wait(10),
    }
    executor = ThreadsExecutor(ExecutorSpec(slots, Mixed({name: body[name.split(".")[0]] for name in names})))
    waiting, seen = list(names), {}
    for name in [waiting.pop(0) for _ in names[:slots]]:
        executor.submit(task(name, timeout_s=0.01, grace_s=0.02 if "deaf" in name else 5))
    for outcome in executor.completed():
        assert outcome.key not in seen
        seen[outcome.key] = outcome.status
        if waiting:
            name = waiting.pop(0)
            executor.submit(task(name, timeout_s=0.01, grace_s=0.02 if "deaf" in name else 5))
    executor.close()
    gate.set()
    assert sorted(seen) == sorted(names)
    assert all(status == ("done" if "quick" in key else "timed_out") for key, status in seen.items())


def run_script(text: str, tmp_path: Path) -> subprocess.CompletedProcess[str]:
    script = tmp_path / "script.py"
    script.write_text(textwrap.dedent(text))
    return subprocess.run([sys.executable, script], capture_output=True, text=True, timeout=60, check=False)


def test_ctrl_c_loses_no_outcome(tmp_path: Path) -> None:
    ended = run_script(
        """
        import signal, threading, time
        from kindling.hooks.executor import ExecutorSpec, Outcome, TaskSpec
        from kindling_plugin_threads.executor import ThreadsExecutor

        class Runner:
            def execute(self, spec):
                time.sleep(0.0002)
                return Outcome(spec.entity, "done")
            def interrupt(self, key, grace_s, reason):
                return True

        executor = ThreadsExecutor(ExecutorSpec(4, Runner()))
        for n in range(3000):
            executor.submit(TaskSpec("r", "a", "p", "dev", str(n), "*", {}, "x", (), "f"))
        main, over = threading.main_thread().ident, threading.Event()

        def press():
            while not over.wait(0.0007):
                signal.pthread_kill(main, signal.SIGINT)

        seen, presses = [], 0
        pressing = threading.Thread(target=press)
        started = False
        while True:
            try:
                if not started:
                    started = True
                    pressing.start()
                for outcome in executor.completed():
                    seen += [outcome.key]   # no call here: the interrupt cannot fall in between
                break
            except KeyboardInterrupt:
                presses += 1
        while True:
            try:
                over.set()
                pressing.join()
                signal.signal(signal.SIGINT, signal.SIG_IGN)
                break
            except KeyboardInterrupt:
                pass
        print(len(seen), len(set(seen)), presses > 5)
        """,
        tmp_path,
    )
    assert (ended.stdout, ended.stderr) == ("3000 3000 True\n", "")


@pytest.mark.parametrize("closing", ["executor.close()", "pass"])
def test_a_task_that_hangs_does_not_keep_the_interpreter_alive(closing: str, tmp_path: Path) -> None:
    started = time.monotonic()
    ended = run_script(
        f"""
        import time
        from kindling.hooks.executor import ExecutorSpec, TaskSpec
        from kindling_plugin_threads.executor import ThreadsExecutor

        class Runner:
            def execute(self, spec):
                time.sleep(50)
            def interrupt(self, key, grace_s, reason):
                return False

        executor = ThreadsExecutor(ExecutorSpec(1, Runner()))
        executor.submit(TaskSpec("r", "a", "p", "dev", "x", "*", {{}}, "x", (), "f", grace_s=0.1))
        {closing}
        print("left")
        """,
        tmp_path,
    )
    assert (ended.returncode, ended.stdout, ended.stderr) == (0, "left\n", "")
    assert time.monotonic() - started < 30
