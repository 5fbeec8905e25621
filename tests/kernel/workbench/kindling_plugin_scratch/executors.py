"""Executors for tests: threads, processes, and some that end badly."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import threading
import time
from collections.abc import Iterator
from queue import Empty, SimpleQueue

from kindling.hooks.executor import ExecutorSpec, Outcome, TaskSpec
from kindling.run.request import decoded, encoded
from kindling.testing.inline_executor import InlineExecutor


class PoolExecutor:
    """A thread for each task; deadlines by timers."""

    def __init__(self, spec: ExecutorSpec) -> None:
        self.slots = spec.slots
        self._runner = spec.runner
        self._done: SimpleQueue[Outcome] = SimpleQueue()
        self._open: set[str] = set()

    def submit(self, spec: TaskSpec) -> None:
        self._open.add(spec.key)
        threading.Thread(target=self._work, args=(spec,), name=spec.key, daemon=True).start()

    def _work(self, spec: TaskSpec) -> None:
        timer = None
        if spec.timeout_s is not None:
            stop = (spec.key, spec.grace_s, "timed_out")
            timer = threading.Timer(spec.timeout_s, self._runner.interrupt, stop)
            timer.start()
        outcome = self._runner.execute(spec)
        if timer is not None:
            timer.cancel()
            timer.join()
        self._done.put(outcome)

    def completed(self, timeout_s: float | None = None) -> Iterator[Outcome]:
        while self._open:
            try:
                outcome = self._done.get(timeout=timeout_s)
            except Empty:
                return
            self._open.discard(outcome.key)
            yield outcome

    def cancel(self, key: str, grace_s: float) -> None:
        self._runner.interrupt(key, grace_s, "cancelled")

    def close(self) -> None:
        end = time.monotonic() + 5
        while self._open and time.monotonic() < end:
            for _ in self.completed(0.05):
                pass


class ChildExecutor:
    """A process for each task, `python -m kindling.run.child`, one after another."""

    slots = 1

    def __init__(self, spec: ExecutorSpec) -> None:
        self._waiting: list[TaskSpec] = []

    def submit(self, spec: TaskSpec) -> None:
        self._waiting.append(spec)

    def completed(self, timeout_s: float | None = None) -> Iterator[Outcome]:
        while self._waiting:
            spec = self._waiting.pop(0)
            done = subprocess.run(
                [sys.executable, "-m", "kindling.run.child"],
                input=encoded(spec).encode(),
                capture_output=True,
                check=True,
            )
            yield decoded(Outcome, done.stdout, "an outcome")

    def cancel(self, key: str, grace_s: float) -> None:
        self._waiting = [spec for spec in self._waiting if spec.key != key]

    def close(self) -> None:
        self._waiting.clear()


class DeadlyExecutor(InlineExecutor):
    """Kills its own process once a task has ended, before anybody hears of it."""

    def __init__(self, spec: ExecutorSpec) -> None:
        super().__init__(spec)
        self._key = spec.settings.get("key")

    def completed(self, timeout_s: float | None = None) -> Iterator[Outcome]:
        for outcome in super().completed(timeout_s):
            if outcome.key == self._key:
                os.kill(os.getpid(), signal.SIGKILL)
            yield outcome


class ClumsyExecutor(InlineExecutor):
    """Raises what no executor may raise, after the first task, and says whether it was closed."""

    def completed(self, timeout_s: float | None = None) -> Iterator[Outcome]:
        yield from super().completed(timeout_s)
        msg = "the executor stumbled"
        raise ZeroDivisionError(msg)

    def close(self) -> None:
        super().close()
        msg = "closing stumbled too"
        raise OSError(msg)
