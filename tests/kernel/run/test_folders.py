from __future__ import annotations

import os
from pathlib import Path

from kindling.records import RunRecord
from kindling.run.folders import prune
from kindling.run.sqlite import SqliteState


def record(run_id: str) -> RunRecord:
    return RunRecord(run_id, "shop", "dev", "done", "{}", 1, "here", "2026-01-01T00:00:00.000Z")


def test_folders_of_runs_that_the_state_forgot_are_removed_beyond_the_newest(tmp_path: Path) -> None:
    state = SqliteState(str(tmp_path))
    runs = tmp_path / "runs"
    for number in range(6):
        folder = runs / f"r{number}"
        folder.mkdir(parents=True)
        (folder / "events.jsonl").write_text("{}\n")
        os.utime(folder, (number, number))
    state.start_run(record("r1"))
    state.start_run(record("r0-and-more"))  # a prefix of an id is no id
    prune(state, str(runs), keep=3)
    assert sorted(path.name for path in runs.iterdir()) == ["r1", "r3", "r4", "r5"]
    state.close()
