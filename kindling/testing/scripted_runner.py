"""A runner whose task bodies do what the task's entity name says. It computes no frames.

The first word of the entity name decides: `quick` ends at once, `sleep` after 0.3 s, `wait` when it
is interrupted, `stuck` after 1.5 s whatever happens, `crash` and `exit` raise although runners must not.
"""

from __future__ import annotations

import threading
import time

from kindling.hooks.executor import Outcome, TaskSpec

STUCK_S = 1.5


class ScriptedRunner:
    """Counts what runs at once and remembers interrupts.

    Attributes:
        started: Keys in the order in which their bodies began.
        ended: Keys in the order in which their bodies ended.
        interrupts: `(key, reason)` of each interrupt.
        most: Most bodies that ran at one moment.
    """

    def __init__(self) -> None:
        self.started: list[str] = []
        self.ended: list[str] = []
        self.interrupts: list[tuple[str, str]] = []
        self.most = 0
        self._running = 0
        self._reasons: dict[str, str] = {}
        self._lock = threading.Lock()
        self._changed = threading.Condition(self._lock)

    def execute(self, spec: TaskSpec) -> Outcome:
        """Do what the entity's name says."""
        with self._changed:
            self.started.append(spec.key)
            self._running += 1
            self.most = max(self.most, self._running)
            self._changed.notify_all()
        began = time.monotonic()
        try:
            status = self._body(spec)
        finally:
            with self._changed:
                self._running -= 1
                self.ended.append(spec.key)
                self._changed.notify_all()
        return Outcome(
            spec.key, status, spec.attempt, time.monotonic() - began, version=f"v-{spec.entity}", rows=7
        )

    def _body(self, spec: TaskSpec) -> str:
        word = spec.entity.partition("_")[0]
        if word == "crash":
            raise RuntimeError(spec.entity)
        if word == "exit":
            raise SystemExit(3)
        if word == "stuck":
            time.sleep(STUCK_S)
            return "done"
        most_s = {"quick": 0.0, "sleep": 0.3}.get(word, 10.0)
        with self._changed:
            self._changed.wait_for(lambda: spec.key in self._reasons, most_s)
            return self._reasons.get(spec.key, "done")

    def interrupt(self, key: str, grace_s: float, reason: str) -> bool:
        """End a body that waits; `stuck` ones do not hear it."""
        with self._changed:
            self.interrupts.append((key, reason))
            self._reasons.setdefault(key, reason)
            self._changed.notify_all()
            return self._changed.wait_for(lambda: key in self.ended, grace_s)

    def wait_started(self, number: int, timeout_s: float) -> bool:
        """Wait until so many bodies have begun; False after `timeout_s`."""
        with self._changed:
            return self._changed.wait_for(lambda: len(self.started) >= number, timeout_s)


def scripted_task(entity: str, *, timeout_s: float | None = None, grace_s: float = 0.3) -> TaskSpec:
    """Return a task for the runner; all that it does not look at is made up."""
    return TaskSpec(
        run_id="run",
        app="contract:app",
        project="",
        environment="test",
        entity=entity,
        slice="*",
        address={},
        platform="none",
        inputs=(),
        fingerprint="f",
        timeout_s=timeout_s,
        grace_s=grace_s,
    )
