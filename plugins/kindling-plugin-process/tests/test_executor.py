from __future__ import annotations

import os
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from dataclasses import replace

import psutil
import pytest
from kindling_plugin_process.executor import ProcessExecutor
from scripted_works import WORKS, Traces

from kindling.errors import RunError
from kindling.hooks.executor import ExecutorSpec, Outcome, TaskSpec
from kindling.polling import poll
from kindling.testing.scripted_runner import scripted_task

pytestmark = pytest.mark.timeout(120)
Opened = Callable[..., ProcessExecutor]
SOON_S = 30.0


@pytest.fixture
def opened() -> Iterator[Opened]:
    """Make executors; all are closed at the end."""
    made: list[ProcessExecutor] = []

    def make(slots: int = 2, **settings: float) -> ProcessExecutor:
        made.append(ProcessExecutor(ExecutorSpec(slots, Traces(), settings), WORKS))
        return made[-1]

    yield make
    for executor in made:
        executor.close()


def outcome_of(executor: ProcessExecutor, spec: TaskSpec) -> Outcome:
    """Return a task's outcome, after another task beside it has been done."""
    executor.submit(spec)
    executor.submit(scripted_task("another"))
    found = {outcome.key: outcome for outcome in executor.completed()}
    assert found.pop("another").status == "done"
    (outcome,) = found.values()
    return outcome


def text_of(outcome: Outcome) -> str:
    told = {name: str(value) for name, value in outcome.error.items() if name not in ("facts", "code")}
    return str(RunError(str(outcome.error["code"]), **told))  # type: ignore[arg-type]  # texts


def is_alive(pid: int) -> bool:
    try:
        return psutil.Process(pid).status() != psutil.STATUS_ZOMBIE
    except psutil.NoSuchProcess:
        return False


def pids(word: str, place: int = 0) -> list[int]:
    return [int(line[place]) for line in Traces().lines(word)]


def all_gone(numbers: list[int]) -> bool:
    return bool(poll(lambda: not any(map(is_alive, numbers)), timeout_s=SOON_S, most_s=0.1))


@pytest.mark.parametrize(
    ("entity", "text", "ending"),
    [
        (
            "segv",
            (
                "KDL-RUN-304: 'segv' crashed its process\n"
                "  why: it was ended by SIGSEGV\n"
                "  where: tests/scripted_works.py:LINE\n"
                "  do: the fault is in compiled code that the pipe calls, not in Python"
            ),
            ("failed", False, 1),
        ),
        (
            "abort",
            (
                "KDL-RUN-304: 'abort' crashed its process\n"
                "  why: it was ended by SIGABRT\n"
                "  where: tests/scripted_works.py:LINE\n"
                "  do: the fault is in compiled code that the pipe calls, not in Python"
            ),
            ("failed", False, 1),
        ),
        (
            "sigkill",
            (
                "KDL-RUN-305: the process of 'sigkill' was killed\n"
                "  why: by SIGKILL, most often for want of memory: set memory_mb to be told"
            ),
            ("lost", True, 4),
        ),
        (
            "sigterm",
            "KDL-RUN-305: the process of 'sigterm' was killed\n  why: by SIGTERM, from outside",
            ("lost", True, 4),
        ),
        (
            "exit3",
            (
                "KDL-RUN-306: 'exit3' left its process without an outcome\n"
                "  why: it ended with exit code 3 and told no outcome\n"
                "  do: a pipe returns a frame; it does not end its process"
            ),
            ("failed", False, 1),
        ),
        (
            "half",
            (
                "KDL-RUN-306: 'half' left its process without an outcome\n"
                "  why: it ended with exit code 0 in the middle of its outcome, after 16 bytes\n"
                "  do: a pipe returns a frame; it does not end its process"
            ),
            ("failed", False, 1),
        ),
        (
            "nonsense",
            (
                "KDL-RUN-306: 'nonsense' left its process without an outcome\n"
                "  why: what it told is no outcome\n"
                "  do: this is a fault of what runs the task, please report it"
            ),
            ("failed", False, 1),
        ),
    ],
)
def test_a_crash_fails_its_task_alone_and_says_how(
    opened: Opened, entity: str, text: str, ending: tuple[str, bool, int]
) -> None:
    root = os.path.dirname(os.path.dirname(os.path.abspath(__file__)))  # noqa: PTH100, PTH120  # the file's own name
    outcome = outcome_of(opened(), replace(scripted_task(entity), project=root))
    where = str(outcome.error["where"])
    line = where.rpartition(":")[2]
    assert text_of(outcome) == text.replace("LINE", line if line.isdigit() else "LINE")
    assert (outcome.status, outcome.transient, outcome.exit_code) == ending


@pytest.mark.parametrize("entity", ["garbage", "linger"])
def test_printing_garbage_and_hanging_at_the_exit_change_no_outcome(opened: Opened, entity: str) -> None:
    executor = opened(exit_s=0.3)
    assert outcome_of(executor, scripted_task(entity)).status == "done"
    assert all_gone(pids("started", 1))


@pytest.mark.parametrize("entity", ["child", "session", "daemon", "forked", "orphaned"])
def test_what_a_task_started_does_not_outlive_it(opened: Opened, entity: str) -> None:
    executor = opened()
    executor.submit(scripted_task(entity))
    (outcome,) = executor.completed()
    assert outcome.status == ("failed" if entity == "orphaned" else "done")
    assert len(pids("child")) == 1
    assert all_gone(pids("child"))


@pytest.mark.parametrize("entity", ["deaf", "gil", "unwound"])
def test_a_task_that_hears_nothing_is_killed_in_time_with_all_that_it_started(
    opened: Opened, entity: str
) -> None:
    began = time.monotonic()
    outcome = outcome_of(opened(), scripted_task(entity, timeout_s=0.5, grace_s=0.4))
    assert time.monotonic() - began < SOON_S
    assert (outcome.status, outcome.transient) == ("timed_out", False)
    assert text_of(outcome) == (
        f"KDL-TIME-001: '{entity}' took longer than 0.5 s\n"
        "  why: it did not stop within 0.4 s, and its process was killed\n"
        "  do: raise the pipe's timeout_s, or make it do less at once"
    )
    assert all_gone(pids("started", 1) + pids("child"))


def test_a_cancelled_task_that_hears_nothing_is_killed(opened: Opened) -> None:
    executor = opened()
    executor.submit(scripted_task("gil"))
    assert Traces().wait_started(1, SOON_S)
    executor.cancel("gil", 0.2)
    (outcome,) = executor.completed()
    assert (outcome.status, text_of(outcome)) == (
        "cancelled",
        "KDL-RUN-308: 'gil' was cancelled\n  why: it did not stop within 0.2 s, and its process was killed",
    )


def test_a_task_that_is_cancelled_before_it_began_never_begins(opened: Opened) -> None:
    executor = opened(warm=0)
    executor.submit(scripted_task("wait"))
    executor.cancel("wait", 5)
    (outcome,) = executor.completed()
    assert text_of(outcome) == "KDL-RUN-308: 'wait' was cancelled\n  why: it had not begun"
    executor.submit(scripted_task("quick"))
    assert [found.status for found in executor.completed()] == ["done"]
    assert Traces().started == ["quick"]


@pytest.mark.parametrize("entity", ["big", "bigchild"])
def test_a_task_that_takes_too_much_memory_is_killed_and_told_how_much(opened: Opened, entity: str) -> None:
    outcome = outcome_of(opened(memory_mb=200), scripted_task(entity))
    facts = outcome.error["facts"]
    assert isinstance(facts, dict)
    assert 200 < int(str(facts["used_mb"])) < 1000
    assert (outcome.status, outcome.transient, outcome.exit_code) == ("failed", False, 1)
    assert text_of(outcome) == (
        f"KDL-RUN-302: '{entity}' took too much memory\n"
        f"  why: it used {facts['used_mb']} MB of the allowed 200 MB, and was killed\n"
        "  do: raise memory_mb of the executor, or make the pipe hold less at once"
    )
    assert all_gone(pids("started", 1))


def test_fifty_tasks_have_fifty_processes(opened: Opened) -> None:
    executor = opened(4)
    waiting = [f"quick_{number}" for number in range(50)]
    for name in [waiting.pop() for _ in range(4)]:
        executor.submit(scripted_task(name))
    found = []
    for outcome in executor.completed():
        found.append(outcome.status)
        if waiting:
            executor.submit(scripted_task(waiting.pop()))
    assert found == ["done"] * 50
    assert len(set(pids("started", 1))) == 50


def test_a_spare_process_is_prepared_and_serves_the_next_task(opened: Opened) -> None:
    executor = opened(1)
    executor.submit(scripted_task("quick_1"))
    assert len(list(executor.completed())) == 1
    assert poll(lambda: pids("prepared"), timeout_s=SOON_S)
    executor.submit(scripted_task("quick_2"))
    assert len(list(executor.completed())) == 1
    assert pids("started", 1)[1] == pids("prepared")[0]
    executor.close()
    assert all_gone(pids("started", 1) + pids("prepared"))


def test_without_spare_processes_none_is_prepared(opened: Opened) -> None:
    executor = opened(1, warm=0)
    executor.submit(scripted_task("sleep"))
    assert len(list(executor.completed())) == 1
    assert pids("prepared") == []


def test_a_process_that_cannot_start_fails_its_task() -> None:
    executor = ProcessExecutor(ExecutorSpec(1, Traces()), "no_such_module:Works")
    executor.submit(scripted_task("quick"))
    (outcome,) = executor.completed()
    executor.close()
    assert (outcome.status, outcome.exit_code) == ("failed", 4)
    assert text_of(outcome) == (
        "KDL-RUN-303: no process could be started for 'quick'\n"
        "  why: it ended with exit code 1: ModuleNotFoundError: No module named 'no_such_module'\n"
        "  do: see the log of the run, or raise start_s of the executor"
    )


def test_a_process_that_takes_too_long_to_start_fails_its_task(opened: Opened) -> None:
    executor = opened(1, start_s=0.001)
    executor.submit(scripted_task("quick"))
    (outcome,) = executor.completed()
    assert text_of(outcome) == (
        "KDL-RUN-303: no process could be started for 'quick'\n"
        "  why: it was not ready in time\n"
        "  do: see the log of the run, or raise start_s of the executor"
    )


def test_processes_write_no_core_files_and_give_way(opened: Opened) -> None:
    import resource

    executor = opened(1, nice=5, warm=0)
    executor.submit(scripted_task("sleep"))
    assert Traces().wait_started(1, SOON_S)
    (pid,) = pids("started", 1)
    assert psutil.Process(pid).nice() == psutil.Process().nice() + 5
    assert resource.prlimit(pid, resource.RLIMIT_CORE) == (0, 0)
    assert len(list(executor.completed())) == 1


def test_tasks_are_in_no_command_line_and_scratch_files_are_removed(opened: Opened) -> None:
    executor = opened(1, warm=0)
    executor.submit(scripted_task("sleep_secret"))
    assert Traces().wait_started(1, SOON_S)
    command = psutil.Process(*pids("started", 1)).cmdline()
    assert "secret" not in " ".join(command)
    scratch = command[-1]
    assert os.stat(scratch).st_mode & 0o777 == 0o700  # noqa: PTH116  # a text
    assert len(list(executor.completed())) == 1
    executor.close()
    assert not os.path.exists(scratch)  # noqa: PTH110  # a text


def test_a_closed_executor_takes_no_task(opened: Opened) -> None:
    executor = opened()
    executor.close()
    with pytest.raises(RunError) as caught:
        executor.submit(scripted_task("late"))
    assert str(caught.value) == "KDL-RUN-091: 'late' was submitted to a closed executor"


PARENT = """
import sys, time
from kindling.hooks.executor import ExecutorSpec
from kindling.testing.scripted_runner import scripted_task
from scripted_works import Traces, make_executor

executor = make_executor(ExecutorSpec(3, Traces(), {}))
for name in ("wait_1", "gil_2", "deaf_3"):
    executor.submit(scripted_task(name))
time.sleep(300)
"""


@pytest.mark.parametrize("number", [signal.SIGKILL, signal.SIGTERM])
def test_no_process_outlives_a_killed_parent(number: signal.Signals) -> None:
    parent = subprocess.Popen([sys.executable, "-c", PARENT])
    try:
        started = poll(lambda: len(pids("started", 1)) == 3 and pids("child"), timeout_s=SOON_S, most_s=0.1)
        assert started
        below = [process.pid for process in psutil.Process(parent.pid).children(recursive=True)]
        scratch = os.path.dirname(psutil.Process(pids("started", 1)[0]).cmdline()[-1])  # noqa: PTH120  # a text
        assert len(below) >= 5  # three tasks, what one of them started, the guard
    finally:
        parent.send_signal(number)
        parent.wait()
    assert all_gone([*below, *pids("started", 1), *pids("child")])
    assert not os.path.exists(scratch)  # noqa: PTH110  # the same
