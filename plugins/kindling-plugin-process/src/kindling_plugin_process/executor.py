"""Runs each task in a process of its own. The part that the scheduler's thread sees."""

from __future__ import annotations

from kindling.errors import RunError
from kindling.hooks.executor import Deliveries, ExecutorSpec, Outcome, TaskSpec
from kindling_plugin_process.limits import limits_of
from kindling_plugin_process.supervisor import LAST_S, Supervisor

WORKS = "kindling.run.child:ChildRunner"
"""What runs a task in its process; a name, because this process never imports it for that."""


class ProcessExecutor(Deliveries):
    """An executor of processes; the first one starts with the first task.

    Args:
        spec: Slots and settings; its runner is not used, each process makes its own.
        works: What runs tasks, as `module:name`, importable in the processes.

    Raises:
        ConfigError: KDL-RUN-300 and KDL-RUN-301, as `limits_of`.
    """

    def __init__(self, spec: ExecutorSpec, works: str = WORKS) -> None:
        super().__init__()
        self._slots = spec.slots
        self._limits = limits_of(spec.settings)
        self._works = works
        self._open: dict[str, TaskSpec] = {}
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
