"""A process that interrupts itself (SIGINT) while an executor works, and prints what came out.

    python -m kindling.testing.interrupted module:factory

The factory takes an `ExecutorSpec`. The output is one JSON line: keys submitted, outcomes, interrupts.
"""

from __future__ import annotations

import json
import os
import signal
import sys
import threading
import time
from importlib import import_module

from kindling.hooks.executor import Executor, ExecutorSpec
from kindling.testing.scripted_runner import ScriptedRunner, scripted_task


def interrupted_run(executor: Executor, runner: ScriptedRunner) -> dict[str, object]:
    """Submit tasks, be interrupted while waiting for them, and go on waiting."""
    submitted: list[str] = []
    outcomes: list[str] = []
    interrupts = 0
    for number in range(executor.slots):
        executor.submit(scripted_task(f"sleep_{number}"))
        submitted.append(f"sleep_{number}")

    def press() -> None:
        runner.wait_started(1, 2.0)
        time.sleep(0.05)
        os.kill(os.getpid(), signal.SIGINT)

    threading.Thread(target=press, daemon=True).start()
    deadline = time.monotonic() + 5
    while time.monotonic() < deadline and (len(outcomes) < len(submitted) or not interrupts):
        try:
            for outcome in executor.completed(1.0):
                outcomes.append(outcome.key)  # noqa: PERF401  # an interrupt must not lose what was taken
            time.sleep(0.01)
        except KeyboardInterrupt:
            interrupts += 1
    return {"submitted": submitted, "outcomes": outcomes, "interrupts": interrupts}


def main(reference: str) -> None:
    """Print what an executor does when its caller is interrupted."""
    module, _, name = reference.partition(":")
    runner = ScriptedRunner()
    executor: Executor = getattr(import_module(module), name)(ExecutorSpec(slots=2, runner=runner))
    found = interrupted_run(executor, runner)
    sys.stdout.write(json.dumps(found) + "\n")
    executor.close()


if __name__ == "__main__":
    main(sys.argv[1])
