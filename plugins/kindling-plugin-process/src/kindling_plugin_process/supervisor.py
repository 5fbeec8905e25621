"""Follows the task processes in one thread: starts, limits, ends. It decides neither order nor retries.

One thread, so that no two parts ever disagree about a process. It also starts them all: the kernel's
parent-death signal fires when the *thread* that started a process ends, and this one outlives them.
"""

from __future__ import annotations

import contextlib
import os
import selectors
import shutil
import subprocess
import sys
import tempfile
from collections import deque
from collections.abc import Callable
from pathlib import Path
from threading import Thread
from time import monotonic
from typing import Final, TypeAlias

from kindling.hooks.executor import Outcome, TaskSpec
from kindling_plugin_process.endings import broken, ending, unneeded, unstarted
from kindling_plugin_process.limits import Limits
from kindling_plugin_process.messages import LEAVE, OUTCOME, PREPARE, READY, STOP, TASK, document
from kindling_plugin_process.process import TaskProcess

TICK_S: Final = 0.05
"""Pause between two looks at moments; a process's end and its messages are noticed at once."""
MEMORY_EVERY_S: Final = 0.2
"""Pause between two looks at memory: one costs about 1 ms for a process without children (2026-11)."""
LAST_S: Final = 2.0
"""Seconds after SIGKILL after which a process that has not ended (its disk hangs) is given up."""

Command: TypeAlias = Callable[[], None]


class Supervisor:
    """The thread and its processes.

    Args:
        limits: What processes may do.
        works: What runs tasks in them, as `module:name`.
        deliver: Takes each task's one outcome, in this thread.
    """

    def __init__(self, limits: Limits, works: str, deliver: Callable[[Outcome], None]) -> None:
        self._limits = limits
        self._works = works
        self._deliver = deliver
        self._commands: deque[Command] = deque()
        self._ears, self._voice = os.pipe()
        os.set_blocking(self._ears, False)
        os.set_blocking(self._voice, False)
        self._selector = selectors.DefaultSelector()
        self._selector.register(self._ears, selectors.EVENT_READ, self._hear_commands)
        self._processes: list[TaskProcess] = []
        self._ends: dict[int, int] = {}
        self._guard: subprocess.Popen[str] | None = None
        self._folder = ""
        self._count = 0
        self._like: TaskSpec | None = None
        self._warm = limits.warm
        self._closing = False
        self._next_look = 0.0
        self._thread = Thread(target=self._run, name="kindling-processes", daemon=True)
        self._thread.start()

    # --- called from other threads ---------------------------------------------------------------

    def submit(self, spec: TaskSpec) -> None:
        """Start a task."""
        self._command(lambda: self._assign(spec))

    def cancel(self, key: str, grace_s: float) -> None:
        """Stop a task; nothing happens if it has ended."""
        self._command(lambda: self._cancel(key, grace_s))

    def close(self, timeout_s: float) -> None:
        """Stop everything, and wait for it at most so long."""
        self._command(self._close)
        self._thread.join(timeout_s)

    def _command(self, command: Command) -> None:
        self._commands.append(command)
        with contextlib.suppress(BlockingIOError, OSError):  # full: it wakes anyway; closed: it is over
            os.write(self._voice, b"!")

    # --- the thread ------------------------------------------------------------------------------

    def _run(self) -> None:
        try:
            while not self._closing or self._processes:
                for key, _ in self._selector.select(TICK_S if self._processes else None):
                    key.data()
                while self._commands:
                    self._commands.popleft()()
                self._look()
                self._refill()
        except BaseException as error:  # noqa: BLE001  # the thread's boundary: a lost outcome would hang the run
            self._give_up(error)
        finally:
            self._release()

    def _hear_commands(self) -> None:
        with contextlib.suppress(BlockingIOError):
            os.read(self._ears, 4096)

    def _give_up(self, error: BaseException) -> None:
        for process in list(self._processes):
            self._forget(process)
            if process.spec is not None and not process.is_settled:
                self._deliver(broken(process.spec, error))

    def _release(self) -> None:
        self._closing = True
        self._selector.close()
        if self._guard is not None and self._guard.stdin is not None:
            with contextlib.suppress(OSError):
                self._guard.stdin.close()
            self._guard.wait()
        shutil.rmtree(self._folder, ignore_errors=True)
        os.close(self._voice)
        os.close(self._ears)

    # --- starting --------------------------------------------------------------------------------

    def _assign(self, spec: TaskSpec) -> None:
        spares = [process for process in self._processes if process.is_spare]
        try:
            process = min(spares, key=lambda one: (not one.is_ready, one.began)) if spares else self._start()
        except OSError as error:  # no memory, no descriptors, too many processes
            self._deliver(unstarted(spec, error))
            return
        process.spec = self._like = spec
        if process.is_ready:
            self._hand_over(process)

    def _start(self) -> TaskProcess:
        self._folder = self._folder or tempfile.mkdtemp(prefix="kindling-process-")
        self._count += 1
        scratch = f"{self._folder}/{self._count}"
        Path(scratch).mkdir(mode=0o700)
        process = TaskProcess(self._works, self._limits.nice, scratch)
        self._processes.append(process)
        try:
            self._follow(process)
        except OSError:
            self._forget(process)
            raise
        return process

    def _follow(self, process: TaskProcess) -> None:
        self._tell_guard(f"+{process.pid}")
        self._selector.register(process.channel, selectors.EVENT_READ, lambda: self._hear(process))
        self._selector.register(process.errors, selectors.EVENT_READ, lambda: self._read(process))
        if sys.platform == "linux":
            self._ends[process.pid] = end = os.pidfd_open(process.pid)
            self._selector.register(end, selectors.EVENT_READ, lambda: self._look_at(process, monotonic()))

    def _refill(self) -> None:
        """Start one spare process, unless one that a task waits for is still starting."""
        if self._like is None or self._closing or not self._warm:
            return
        waiting = any(process.spec is not None and not process.is_ready for process in self._processes)
        if waiting or sum(process.is_spare for process in self._processes) >= self._warm:
            return
        try:
            self._start()
        except OSError:
            self._warm = 0  # a task that needs a process will tell

    def _tell_guard(self, line: str) -> None:
        if self._guard is None:
            self._guard = subprocess.Popen(  # noqa: S603  # this very interpreter
                [sys.executable, "-I", "-S", str(Path(__file__).with_name("guard.py")), self._folder],
                stdin=subprocess.PIPE,
                stdout=subprocess.DEVNULL,
                stderr=subprocess.DEVNULL,
                start_new_session=True,
                text=True,
                bufsize=1,
            )
        if self._guard.stdin is not None:
            with contextlib.suppress(OSError):  # somebody killed it; the other two bonds hold
                self._guard.stdin.write(line + "\n")

    # --- what processes say ----------------------------------------------------------------------

    def _hear(self, process: TaskProcess) -> None:
        if process not in self._processes:
            return
        messages = process.hear()
        for kind, body in messages:
            if kind == READY:
                self._ready(process)
            elif kind == OUTCOME:
                self._told(process, body)
        if not messages and process.code() is not None:
            with contextlib.suppress(KeyError, ValueError):
                self._selector.unregister(process.channel)

    def _read(self, process: TaskProcess) -> None:
        if process in self._processes and not process.read_words():
            self._selector.unregister(process.errors)

    def _ready(self, process: TaskProcess) -> None:
        process.is_ready = True
        if process.spec is not None:
            self._hand_over(process)
        elif self._like is not None:
            process.say(PREPARE, self._like)

    def _hand_over(self, process: TaskProcess) -> None:
        process.handed = monotonic()
        process.say(TASK, process.spec)

    def _told(self, process: TaskProcess, body: bytes) -> None:
        """Deliver what a process told of its task; then it may leave."""
        spec = process.spec
        if spec is None or process.is_settled:
            return
        process.tree.look()
        try:
            outcome = document(Outcome, body)
        except ValueError:  # msgspec's errors are such
            outcome = None
        if outcome is None or (outcome.key, outcome.attempt) != (spec.key, spec.attempt):
            process.reason = process.reason or "broken"
            process.tree.kill()
            return
        if process.steps and outcome.status == "failed":
            # SIGTERM unwound it before its runner had heard why: the error that it tells is our own doing.
            outcome = ending(process, spec, 0)
        self._settle(process, outcome)
        self._let_go(process)

    def _settle(self, process: TaskProcess, outcome: Outcome) -> None:
        if not process.is_settled:
            process.is_settled = True
            self._deliver(outcome)

    def _let_go(self, process: TaskProcess) -> None:
        process.leaves_by = monotonic() + self._limits.exit_s
        process.say(LEAVE)

    # --- limits ----------------------------------------------------------------------------------

    def _look(self) -> None:
        now = monotonic()
        looks_at_memory = self._limits.memory_mb > 0 and now >= self._next_look
        for process in list(self._processes):
            process.flush()
            self._look_at(process, now)
            if looks_at_memory and process in self._processes:
                self._look_at_memory(process)
        if looks_at_memory:
            self._next_look = now + MEMORY_EVERY_S

    def _look_at(self, process: TaskProcess, now: float) -> None:
        """Look at one process's end and moments."""
        if process not in self._processes:
            return
        if process.code() is not None:
            self._ended(process)
        elif process.reason in ("timed_out", "cancelled"):
            self._press(process, now)
        elif process.leaves_by and now >= process.leaves_by:
            process.tree.kill()
        elif not process.is_ready and now >= process.began + self._limits.start_s:
            process.reason = process.reason or "start"
            process.tree.kill()
        elif self._is_late(process, now) and process.spec is not None:
            self._stop(process, "timed_out", process.spec.grace_s)

    def _is_late(self, process: TaskProcess, now: float) -> bool:
        spec = process.spec
        if spec is None or spec.timeout_s is None or not process.handed or process.is_settled:
            return False
        return now >= process.handed + spec.timeout_s

    def _look_at_memory(self, process: TaskProcess) -> None:
        if process.spec is None or process.is_settled or process.reason:
            return
        used = process.tree.memory_mb()
        if used > self._limits.memory_mb:
            process.used_mb, process.allowed_mb = used, self._limits.memory_mb
            process.reason = "memory"
            process.tree.kill()

    def _cancel(self, key: str, grace_s: float) -> None:
        for process in self._processes:
            spec = process.spec
            if spec is not None and spec.key == key:
                self._drop(process, spec, grace_s)

    def _drop(self, process: TaskProcess, spec: TaskSpec, grace_s: float) -> None:
        """Stop a task; one that was not handed over yet ends at once, and leaves a spare process."""
        if process.is_settled or process.reason:
            return
        if process.handed:
            self._stop(process, "cancelled", grace_s)
        else:
            process.spec = None
            self._deliver(unneeded(spec))

    def _stop(self, process: TaskProcess, reason: str, grace_s: float) -> None:
        """Ask a process to stop its task: first by word, later by SIGTERM, at last by SIGKILL."""
        process.reason, process.grace_s, process.stopped = reason, grace_s, monotonic()
        process.say(STOP, (reason, grace_s))

    def _press(self, process: TaskProcess, now: float) -> None:
        since = now - process.stopped
        if process.is_settled:
            if now >= process.leaves_by:
                process.tree.kill()
        elif since >= process.grace_s + LAST_S and process.spec is not None:
            self._settle(process, ending(process, process.spec, 0))
        elif since >= process.grace_s and process.steps < 2:  # noqa: PLR2004  # see TaskProcess.steps
            process.steps = 2
            process.tree.kill()
        elif since >= process.grace_s / 2 and process.steps < 1:
            process.steps = 1
            process.tree.look()
            process.tree.terminate()

    def _close(self) -> None:
        self._closing = True
        for process in self._processes:
            if process.spec is not None:
                self._drop(process, process.spec, process.spec.grace_s)
            if process.is_spare:
                process.tree.terminate()
                self._let_go(process)

    # --- ends ------------------------------------------------------------------------------------

    def _ended(self, process: TaskProcess) -> None:
        """Take what an ended process left behind, kill what it left running, and settle its task."""
        self._hear(process)
        while process.read_words():
            if not self._has_more(process):
                break
        self._forget(process)
        code = process.code()
        if process.spec is not None:
            self._settle(process, ending(process, process.spec, code if code is not None else 0))
        elif not self._closing:
            self._warm = 0  # a spare one does not end by itself: what it prepares for may kill it

    def _forget(self, process: TaskProcess) -> None:
        """Kill what is left of a process, and let go of all that belongs to it."""
        process.tree.kill()
        process.reap(LAST_S)
        self._processes.remove(process)
        with contextlib.suppress(OSError):  # there was none to be started
            self._tell_guard(f"-{process.pid}")
        for source in (process.channel, process.errors, self._ends.get(process.pid)):
            if source is not None:
                with contextlib.suppress(KeyError, ValueError):
                    self._selector.unregister(source)
        if process.pid in self._ends:
            os.close(self._ends.pop(process.pid))
        process.close()
        shutil.rmtree(process.scratch, ignore_errors=True)

    def _has_more(self, process: TaskProcess) -> bool:
        before = process.words
        return process.read_words() and process.words != before
