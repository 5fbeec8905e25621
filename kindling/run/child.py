"""`python -m kindling.run.child`: read one TaskSpec as JSON, run it, write its Outcome as JSON.

This is how executors run a task in a process of its own. Effects: those of `worker.execute`; standard
output carries the outcome alone, whatever the pipe prints goes to standard error.
"""

from __future__ import annotations

import sys

from kindling.hooks.executor import TaskSpec
from kindling.run.request import decoded, encoded
from kindling.run.worker import execute


def main() -> None:
    """Run the task that stands on standard input."""
    out, sys.stdout = sys.stdout, sys.stderr
    spec: TaskSpec = decoded(TaskSpec, sys.stdin.buffer.read(), "a task")
    out.write(encoded(execute(spec)))
    out.flush()


if __name__ == "__main__":
    main()
