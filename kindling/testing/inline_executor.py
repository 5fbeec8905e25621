"""An executor of one slot: tasks run one after another inside `completed`. For tests and debugging.

`submit` only queues, so that nothing blocks there and a task may still be cancelled. Each body has a
thread of its own, for which `completed` waits: only so can a body that hangs be left behind in time.
"""

from __future__ import annotations

import threading
import time
from collections import deque
from collections.abc import Iterator

from kindling.hooks.executor import ExecutorSpec, Outcome, TaskSpec


class InlineExecutor:
    """Runs tasks in the order of their submission.

    Args:
        spec: Its `slots` are ignored: there is one.
    """

    slots = 1

    def __init__(self, spec: ExecutorSpec) -> None:
        self._runner = spec.runner
        self._waiting: deque[TaskSpec] = deque()
        self._running: _Body | None = None
        self._ready: deque[Outcome] = deque()

    def submit(self, spec: TaskSpec) -> None:
        """Queue a task."""
        self._waiting.append(spec)

    def completed(self, timeout_s: float | None = None) -> Iterator[Outcome]:
        """Run what was submitted and yield outcomes."""
        while True:
            while self._ready:
                yield self._ready.popleft()
            if self._running is None:
                if not self._waiting:
                    return
                self._running = _Body(self._waiting.popleft(), self._runner.execute)
            if not self._wait(self._running, timeout_s):
                return

    def _wait(self, body: _Body, timeout_s: float | None) -> bool:
        """Wait for the running body; False if it had no outcome in time.

        What an interrupt of the caller leaves behind, the next call finds: the body stays `_running`
        until its outcome is `_ready`.
        """
        limit = body.deadline() if timeout_s is None else min(time.monotonic() + timeout_s, body.deadline())
        body.thread.join(max(0.0, min(limit - time.monotonic(), threading.TIMEOUT_MAX)))
        outcome = body.outcome
        if outcome is None and time.monotonic() >= body.deadline():
            self._runner.interrupt(body.spec.key, body.spec.grace_s, "timed_out")
            body.thread.join(0.05)
            outcome = body.outcome or self._made(body.spec, "timed_out")
        if outcome is not None:
            self._ready.append(outcome)
            self._running = None
        return outcome is not None

    def cancel(self, key: str, grace_s: float) -> None:
        """Stop a queued or a running task."""
        queued = next((spec for spec in self._waiting if spec.key == key), None)
        if queued is not None:
            self._waiting.remove(queued)
            self._ready.append(self._made(queued, "cancelled"))
        elif self._running is not None and self._running.spec.key == key:
            body, self._running = self._running, None
            self._runner.interrupt(key, grace_s, "cancelled")
            body.thread.join(0.05)
            self._ready.append(body.outcome or self._made(body.spec, "cancelled"))

    def close(self) -> None:
        """Cancel what is left."""
        for spec in (*self._waiting, *([self._running.spec] if self._running else ())):
            self.cancel(spec.key, spec.grace_s)

    @staticmethod
    def _made(spec: TaskSpec, status: str) -> Outcome:
        return Outcome(spec.key, status, spec.attempt)


class _Body:
    """One body in its thread."""

    def __init__(self, spec: TaskSpec, execute: object) -> None:
        self.spec = spec
        self.outcome: Outcome | None = None
        self.began = time.monotonic()
        self._execute = execute
        self.thread = threading.Thread(target=self._run, name=spec.key, daemon=True)
        self.thread.start()

    def deadline(self) -> float:
        """Return the moment at which the body is late."""
        return float("inf") if self.spec.timeout_s is None else self.began + self.spec.timeout_s

    def _run(self) -> None:
        spec = self.spec
        try:
            self.outcome = self._execute(spec)  # type: ignore[operator]  # Runner.execute
        except BaseException as error:  # noqa: BLE001  # the border of a body: whatever it does is an outcome
            plain: dict[str, object] = {"code": "KDL-RUN-000", "what": repr(error)}
            self.outcome = Outcome(spec.key, "failed", spec.attempt, error=plain)  # type: ignore[arg-type]  # texts
