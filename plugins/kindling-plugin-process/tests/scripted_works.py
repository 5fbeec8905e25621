"""Task bodies for real processes: what a body does is in its entity's name. Its parent reads its traces.

In the process: `scripted_works:ScriptedWorks`. In the test: `Traces`, a ScriptedRunner that sees them.
"""

from __future__ import annotations

import ctypes
import os
import signal
import struct
import subprocess
import sys
import threading
import time
from pathlib import Path

from kindling_plugin_process.executor import ProcessExecutor

from kindling.hooks.executor import ExecutorSpec, Outcome, TaskSpec
from kindling.testing.scripted_runner import ScriptedRunner

FOLDER = "PROCESS_TEST_FOLDER"
WORKS = "scripted_works:ScriptedWorks"
FOREVER = [sys.executable, "-S", "-c", "import time; time.sleep(300)"]


def leave_trace(*words: str) -> None:
    with (Path(os.environ[FOLDER]) / "traces").open("a") as file:
        file.write(" ".join(words) + "\n")


def allocate(megabytes: int) -> None:
    held = bytearray(megabytes << 20)
    for place in range(0, len(held), 4096):
        held[place] = 1
    time.sleep(60)


def started_child(*, new_session: bool = False) -> None:
    process = subprocess.Popen(
        FOREVER, stdin=subprocess.DEVNULL, stdout=subprocess.DEVNULL, start_new_session=new_session
    )
    process.returncode = 0  # no warning that it lives on
    leave_trace("child", str(process.pid))


def daemon() -> None:
    """Start a process of a session of its own whose parent ends at once."""
    code = (
        "import subprocess, sys\n"
        "p = subprocess.Popen(sys.argv[1:], stdout=subprocess.DEVNULL, start_new_session=True)\n"
        "print(p.pid)\np.returncode = 0"
    )
    done = subprocess.run(
        [sys.executable, "-c", code, *FOREVER], stdout=subprocess.PIPE, text=True, check=True
    )
    leave_trace("child", done.stdout.strip().splitlines()[-1])


def forked() -> None:
    """Leave a forked copy of this process behind, which holds all its descriptors."""
    pid = os.fork()
    if not pid:
        time.sleep(300)
    leave_trace("child", str(pid))


def write_message(length: int, body: bytes) -> None:
    os.write(int(sys.argv[1]), struct.pack(">Ic", length, b"O") + body)


def half_outcome() -> None:
    write_message(4096, b'{"key": "ha')
    os._exit(0)


def deaf() -> None:
    signal.signal(signal.SIGTERM, signal.SIG_IGN)
    started_child()
    time.sleep(60)


def unwound() -> None:
    """End by an error of its own at SIGTERM, deaf to all before."""

    def fail(number: int, _frame: object) -> None:
        raise RuntimeError(f"got signal {number}")

    signal.signal(signal.SIGTERM, fail)
    time.sleep(60)


def print_garbage() -> None:
    os.write(1, b"\xff\x00garbage\n" * 10_000)
    sys.stderr.write("more garbage\n")


BODIES = {
    "segv": lambda: ctypes.string_at(0),
    "abort": os.abort,
    "sigkill": lambda: os.kill(os.getpid(), signal.SIGKILL),
    "sigterm": lambda: os.kill(os.getpid(), signal.SIGTERM),
    "exit3": lambda: os._exit(3),
    "garbage": print_garbage,
    "half": half_outcome,
    "nonsense": lambda: (write_message(4, b"nope"), time.sleep(60)),
    "linger": lambda: threading.Thread(target=time.sleep, args=(60,)).start(),
    "child": started_child,
    "session": lambda: started_child(new_session=True),
    "daemon": daemon,
    "forked": forked,
    "orphaned": lambda: (started_child(), os._exit(3)),
    "big": lambda: allocate(300),
    "bigchild": lambda: subprocess.run(
        [sys.executable, "-c", "import time; x = bytearray(b'1') * (300 << 20); time.sleep(60)"], check=True
    ),
    "deaf": deaf,
    "unwound": unwound,
    "gil": lambda: ctypes.PyDLL(None).sleep(60),
}


class ScriptedWorks(ScriptedRunner):
    """What runs in the process."""

    def prepare(self, spec: TaskSpec) -> None:
        leave_trace("prepared", str(os.getpid()))

    def close(self) -> None:
        leave_trace("closed", str(os.getpid()))

    def execute(self, spec: TaskSpec) -> Outcome:
        leave_trace("started", spec.key, str(os.getpid()))
        try:
            return super().execute(spec)
        finally:
            leave_trace("ended", spec.key)

    def _body(self, spec: TaskSpec) -> str:
        word = spec.entity.partition("_")[0]
        if word == "sleep":
            time.sleep(0.7)
        if word == "another":
            return "done"
        if word in BODIES:
            BODIES[word]()
            return "done"
        return super()._body(spec)

    def interrupt(self, key: str, grace_s: float, reason: str) -> bool:
        if key == "unwound":
            return False
        if key in self.started and not any(known == key for known, _ in self.interrupts):
            leave_trace("interrupted", key, reason)
        return super().interrupt(key, 0.0, reason)


class Traces(ScriptedRunner):
    """What the processes did, read from their traces."""

    def lines(self, word: str) -> list[list[str]]:
        file = Path(os.environ[FOLDER]) / "traces"
        found = [line.split() for line in file.read_text().splitlines()] if file.exists() else []
        return [line[1:] for line in found if line[0] == word]

    def _get_started(self) -> list[str]:
        return [line[0] for line in self.lines("started")]

    def _get_ended(self) -> list[str]:
        return [line[0] for line in self.lines("ended")]

    def _get_interrupts(self) -> list[tuple[str, str]]:
        return [(line[0], line[1]) for line in self.lines("interrupted")]

    def _get_most(self) -> int:
        file, now, most = Path(os.environ[FOLDER]) / "traces", 0, 0
        for line in file.read_text().splitlines():
            now += {"started": 1, "ended": -1}.get(line.split()[0], 0)
            most = max(most, now)
        return most

    def _ignore(self, value: object) -> None:
        """The runner's own bookkeeping is not used."""

    started = property(_get_started, _ignore)  # type: ignore[assignment]  # read from the traces
    ended = property(_get_ended, _ignore)  # type: ignore[assignment]  # the same
    interrupts = property(_get_interrupts, _ignore)  # type: ignore[assignment]  # the same
    most = property(_get_most, _ignore)  # type: ignore[assignment]  # the same

    def wait_started(self, number: int, timeout_s: float) -> bool:
        """Wait for processes, which take longer to begin than threads."""
        end = time.monotonic() + timeout_s + 1.0
        while len(self.started) < number and time.monotonic() < end:
            time.sleep(0.01)
        return len(self.started) >= number


def make_executor(spec: ExecutorSpec) -> ProcessExecutor:
    """Return an executor whose processes run these bodies."""
    return ProcessExecutor(spec, WORKS)
