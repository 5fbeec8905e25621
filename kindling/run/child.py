"""`python -m kindling.run.child`: read one TaskSpec as JSON, run it, write its Outcome as JSON.

This is how executors run a task in a process of its own. Effects: those of `worker.execute`; standard
output carries the outcome alone, whatever the pipe prints goes to standard error. Executors that talk to
their processes use `ChildRunner` there.
"""

from __future__ import annotations

import sys
import time
from contextlib import ExitStack, suppress
from typing import TYPE_CHECKING

from kindling.hooks.executor import Outcome, TaskSpec
from kindling.run.failures import unopened
from kindling.run.printed import Printed, Withheld
from kindling.run.request import decoded, encoded
from kindling.run.worker import execute, open_worker

if TYPE_CHECKING:
    from kindling.context import Log
    from kindling.run.worker import Worker


class ChildRunner:
    """The `Runner` of a process that an executor started; opens the app with its first task, or before.

    Effects: from the first `prepare` or `execute` on, what is printed in this process, by Python, by
    foreign code or by processes that it starts, goes to the run's log, with the task's name.
    """

    def __init__(self) -> None:
        self._stack = ExitStack()
        self._worker: Worker | None = None
        self._opened_for: tuple[object, ...] = ()
        self._printed = Printed()

    def prepare(self, spec: TaskSpec) -> None:
        """Open the app, and start the engine, for tasks like this one, which is not run.

        Never raises: what cannot be opened is opened again by the task itself, which then tells.
        """
        self._printed.begin()
        try:
            self._open(spec).start_engine(spec.platform)
        except BaseException:  # noqa: BLE001  # the app is foreign code; the task itself will raise it again
            self._drop()

    def execute(self, spec: TaskSpec) -> Outcome:
        """Run one task in the calling thread. Never raises: every error becomes an outcome."""
        began = time.monotonic()
        self._printed.begin()
        try:
            worker = self._open(spec)
        except BaseException as error:  # noqa: BLE001  # the process boundary: an outcome for every error
            return unopened(spec, error, time.monotonic() - began)
        log: Log = worker.log(spec)
        self._printed.log_to(Withheld(log) if any(planned.classes for planned in spec.inputs) else log)
        return worker.execute(spec)

    def interrupt(self, key: str, grace_s: float, reason: str) -> bool:
        """Stop a running task from another thread; False while the app is still being opened."""
        worker = self._worker
        return worker is not None and worker.interrupt(key, grace_s, reason)

    def close(self) -> None:
        """Close what was opened, and write what was printed. Idempotent.

        Raises:
            Exception: What the first engine or state raised that could not be closed.
        """
        try:
            self._drop_loudly()
        finally:
            self._printed.close()

    def _open(self, spec: TaskSpec) -> Worker:
        wanted = (spec.project, spec.app, spec.environment, spec.run_id, spec.overrides)
        if self._worker is None or self._opened_for != wanted:
            self._drop()
            self._worker = open_worker(spec, self._stack)
            self._opened_for = wanted
        return self._worker

    def _drop_loudly(self) -> None:
        stack, self._stack, self._worker = self._stack, ExitStack(), None
        stack.close()

    def _drop(self) -> None:
        with suppress(Exception):  # engines are foreign code, and another one is opened now
            self._drop_loudly()


def main() -> None:
    """Run the task that stands on standard input."""
    out, sys.stdout = sys.stdout, sys.stderr
    spec: TaskSpec = decoded(TaskSpec, sys.stdin.buffer.read(), "a task")
    out.write(encoded(execute(spec)))
    out.flush()


if __name__ == "__main__":
    main()
