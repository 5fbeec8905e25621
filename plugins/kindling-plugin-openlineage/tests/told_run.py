"""A process that tells a run until it is killed: `told_run.py PROJECT RUN URL FILE TASKS`."""

from __future__ import annotations

import sys
from pathlib import Path

from kindling_plugin_openlineage.settings import OpenLineageSettings
from kindling_plugin_openlineage.sink import OpenLineageSink

from kindling.events import RunStarted, TaskFinished, TaskStarted
from kindling.hooks.sink import SinkSpec

AT = "2026-01-02T03:04:05.000Z"


def main() -> None:
    """Tell a run that never ends."""
    project, run, url, file, tasks = sys.argv[1:]
    settings = OpenLineageSettings.of({"url": url, "file": file, "timeout_s": 60.0})
    sink = OpenLineageSink(SinkSpec(run, f"{project}/{run}", {}, project), settings)
    sink.record(
        [
            RunStarted(
                run_id=run,
                seq=1,
                at=AT,
                app="shop",
                environment="dev",
                platform="p",
                tasks=(),
                unchanged=0,
                submitter="s",
                principal="w",
                slots=1,
            )
        ]
    )
    for number in range(int(tasks)):
        key = f"silver.t{number:04d}"
        sink.record([TaskStarted(run_id=run, seq=2, at=AT, key=key, attempt=1, why="x" * 100)])
        if number:
            sink.record(
                [TaskFinished(run_id=run, seq=3, at=AT, key=key, status="done", attempt=1, seconds=1.0)]
            )
    Path(project, f"{run}.told").touch()
    sys.stdin.read()


if __name__ == "__main__":
    main()
