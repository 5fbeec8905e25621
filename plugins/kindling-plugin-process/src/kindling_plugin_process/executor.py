"""Runs each task in a process of its own. The part that the scheduler's thread sees."""

from __future__ import annotations

from collections import deque
from collections.abc import Iterator
from queue import Empty, SimpleQueue

from kindling.errors import RunError
from kindling.hooks.executor import ExecutorSpec, Outcome, TaskSpec
from kindling_plugin_process.limits import limits_of
from kindling_plugin_process.supervisor import LAST_S, Supervisor

WORKS = "kindling.run.child:ChildRunner"
"""What runs a task in its process; a name, because this process never imports it for that."""


class ProcessExecutor:
    """An executor of processes; the first one starts with the first task.

    Args:
        spec: Slots and settings; its runner is not used, each process makes its own.
        works: What runs tasks, as `module:name`, importable in the processes.

    Raises:
        ConfigError: KDL-RUN-300 and KDL-RUN-301, as `limits_of`.
    """

    def __init__(self, spec: ExecutorSpec, works: str = WORKS) -> None:
        self._slots = spec.slots
        self._limits = limits_of(spec.settings)
        self._works = works
        self._open: dict[str, TaskSpec] = {}
        self._done: deque[Outcome] = deque()
        self._wake: SimpleQueue[None] = SimpleQueue()
        self._due = 0
        self._closed = False
        self._supervisor = Supervisor(self._limits, works, self._deliver)

    @property
    def slots(self) -> int:
        """How many tasks run at once."""
        return self._slots

    def submit(self, spec: TaskSpec) -> None:
        """Start a task now; returns at once.

        Raises:
            RunError: KDL-RUN-091, the executor is closed.
        """
        if self._closed:
            raise RunError("KDL-RUN-091", f"{spec.key!r} was submitted to a closed executor")
        self._open[spec.key] = spec
        self._due += 1
        self._supervisor.submit(spec)

    def completed(self, timeout_s: float | None = None) -> Iterator[Outcome]:
        """Yield outcomes as tasks end; Ctrl-C while it waits loses none.

        Ends when no task is left, or once no outcome came for `timeout_s`.
        """
        done, wait = self._done, self._wake.get
        while self._due:
            while not done:
                try:
                    wait(True, timeout_s)
                except Empty:
                    if not done:
                        return
            # No call between the two lines and the yield: the interpreter handles signals after calls
            # only, so an outcome is never taken off without being given to the caller.
            outcome = done[0]
            del done[0]
            self._due -= 1
            yield outcome

    def cancel(self, key: str, grace_s: float) -> None:
        """Ask to stop one task; returns at once, the outcome follows soon after `grace_s` at the latest."""
        self._supervisor.cancel(key, grace_s)

    def close(self) -> None:
        """Cancel what runs, and end all processes. Idempotent."""
        if self._closed:
            return
        self._closed = True
        longest = max([spec.grace_s for spec in list(self._open.values())], default=0.0)
        self._supervisor.close(max(longest, self._limits.exit_s) + 2 * LAST_S)

    def _deliver(self, outcome: Outcome) -> None:
        """Take an outcome, in the supervisor's thread."""
        self._open.pop(outcome.key, None)
        self._done.append(outcome)
        self._wake.put(None)
