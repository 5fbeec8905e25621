from __future__ import annotations

import os
import resource
import subprocess
import sys
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path

import psutil
import pytest
from kindling_plugin_process.executor import ProcessExecutor
from kindling_plugin_process.limits import Limits
from kindling_plugin_process.supervisor import Supervisor
from scripted_works import WORKS, Traces

from kindling.errors import RunError
from kindling.hooks.executor import ExecutorSpec, Outcome
from kindling.polling import poll
from kindling.testing.scripted_runner import scripted_task

SOON_S = 30.0


def text_of(outcome: Outcome) -> str:
    told = {name: str(value) for name, value in outcome.error.items() if name not in ("facts", "code")}
    return str(RunError(str(outcome.error["code"]), **told))  # type: ignore[arg-type]  # texts


def below() -> set[int]:
    """Return the processes below this one; tests of other plugins may have left servers."""
    return {process.pid for process in psutil.Process().children(recursive=True)}


@contextmanager
def few_descriptors(free: int) -> Iterator[None]:
    """Leave this process so many descriptors to open."""
    soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    taken: list[int] = []
    resource.setrlimit(resource.RLIMIT_NOFILE, (max(map(int, os.listdir("/proc/self/fd"))) + 20, hard))  # noqa: PTH208  # numbers
    try:
        with suppress(OSError):
            while True:
                taken.append(os.dup(0))
        for _ in range(free):
            os.close(taken.pop())
        yield
    finally:
        resource.setrlimit(resource.RLIMIT_NOFILE, (soft, hard))
        for place in taken:
            os.close(place)


@pytest.mark.parametrize("free", [0, 3, 5, 7, 8, 9, 10])
def test_where_no_process_can_be_made_the_task_says_so_and_nothing_is_left(free: int) -> None:
    already = below()
    before = len(os.listdir("/proc/self/fd"))  # noqa: PTH208  # a number is wanted
    executor = ProcessExecutor(ExecutorSpec(1, Traces(), {"warm": 0}), WORKS)
    with few_descriptors(free):
        executor.submit(scripted_task("quick"))
        (outcome,) = executor.completed()
    executor.close()
    if outcome.status != "done" or free == 0:
        assert (outcome.status, outcome.exit_code) == ("failed", 4)
        lines = text_of(outcome).splitlines()
        assert lines[0] == "KDL-RUN-303: no process could be started for 'quick'"
        assert lines[1].startswith("  why: [Errno 24] Too many open files")
    assert not below() - already
    assert len(os.listdir("/proc/self/fd")) == before  # noqa: PTH208  # the same


def test_a_fault_of_the_thread_ends_its_processes_and_settles_their_tasks() -> None:
    already = below()
    found: list[Outcome] = []

    def deliver(outcome: Outcome) -> None:
        found.append(outcome)
        if outcome.key == "quick":
            raise ValueError("no")

    supervisor = Supervisor(Limits(warm=0), WORKS, deliver)
    supervisor.submit(scripted_task("wait"))
    assert Traces().wait_started(1, SOON_S)
    supervisor.submit(scripted_task("quick"))
    assert poll(lambda: len(found) == 2, timeout_s=SOON_S)
    supervisor.close(SOON_S)
    assert text_of(found[1]) == (
        "KDL-RUN-307: the executor 'process' cannot follow 'wait' any more\n"
        "  why: ValueError: no\n"
        "  do: this is a fault of Kindling, please report it"
    )
    assert not below() - already


def test_an_executor_leaves_no_thread_no_descriptor_and_no_folder() -> None:
    before = len(os.listdir("/proc/self/fd"))  # noqa: PTH208  # a number is wanted
    executor = ProcessExecutor(ExecutorSpec(2, Traces(), {}), WORKS)
    for number in range(2):
        executor.submit(scripted_task(f"quick_{number}"))
    assert len(list(executor.completed())) == 2
    executor.close()
    assert len(os.listdir("/proc/self/fd")) == before  # noqa: PTH208  # the same
    assert "kindling-processes" not in {thread.name for thread in threading.enumerate()}


def test_the_guard_kills_the_groups_that_are_left_when_its_pipe_ends(tmp_path: Path) -> None:
    import kindling_plugin_process

    file = Path(str(kindling_plugin_process.__file__)).with_name("guard.py")
    (tmp_path / "scratch" / "1").mkdir(parents=True)
    sleeper = [sys.executable, "-S", "-c", "import time; time.sleep(300)"]
    left, released = (subprocess.Popen(sleeper, start_new_session=True) for _ in range(2))
    guard = subprocess.Popen(
        [sys.executable, "-I", "-S", file, tmp_path / "scratch"], stdin=subprocess.PIPE, text=True
    )
    try:
        guard.communicate(f"+{left.pid}\n+{released.pid}\n-{released.pid}\n+999999999\n", timeout=SOON_S)
        assert left.wait(SOON_S) == -9
        time.sleep(0.05)
        assert released.poll() is None
    finally:
        for process in (left, released):
            process.kill()
            process.wait()
    assert guard.returncode == 0
    assert not (tmp_path / "scratch").exists()
