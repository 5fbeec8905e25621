"""Time what lies between two tasks of a chain: record, events, scheduling, the next spec.

    python task_probe.py RESULT.json

Runs `kindling run --workers 1` of the folder it is started in, and notes when the worker begins and ends
each task and how often the state is written meanwhile.
"""

from __future__ import annotations

import json
import sys
import time
from pathlib import Path
from typing import TYPE_CHECKING

from kindling.run.database import Database
from kindling.run.worker import Worker

if TYPE_CHECKING:
    from collections.abc import Callable

    from kindling.hooks.executor import Outcome, TaskSpec

Moment = tuple[float, float, int]


class Watch:
    """Begins and ends of tasks: wall clock, CPU clock and writes of the state so far."""

    def __init__(self) -> None:
        self.begins: list[Moment] = []
        self.ends: list[Moment] = []
        self.writes = 0

    def now(self) -> Moment:
        """Return the present."""
        return time.perf_counter(), time.process_time(), self.writes

    def between(self) -> list[tuple[float, float, int]]:
        """Return wall seconds, CPU seconds and writes from each end to the next begin."""
        pairs = zip(self.ends, self.begins[1:], strict=False)
        return [(new[0] - old[0], new[1] - old[1], new[2] - old[2]) for old, new in pairs]

    def install(self) -> None:
        """Watch this process.

        Effects: replaces methods of the kernel's worker and state in this process.
        """
        execute: Callable[[Worker, TaskSpec], Outcome] = Worker.execute
        write = Database.write

        def watched(worker: Worker, spec: TaskSpec) -> Outcome:
            self.begins.append(self.now())
            try:
                return execute(worker, spec)
            finally:
                self.ends.append(self.now())

        def counted(database: Database, work: Callable[..., object]) -> object:
            self.writes += 1
            return write(database, work)

        Worker.execute = watched  # type: ignore[method-assign]  # this probe's purpose
        Database.write = counted  # type: ignore[method-assign,assignment]  # the same


def main() -> None:
    """Run the project's app and write what was seen."""
    watch = Watch()
    watch.install()
    from kindling.__main__ import main as kindling

    target = sys.argv[1]
    sys.argv = ["kindling", "run", "--workers", "1"]
    try:
        kindling()
    except SystemExit as end:
        if end.code:
            raise
    Path(target).write_text(json.dumps(watch.between()), encoding="utf-8")


if __name__ == "__main__":
    main()
