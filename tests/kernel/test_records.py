from __future__ import annotations

import pickle

from kindling.records import Lease, RunRecord, TaskRecord


def test_records_are_values_that_survive_pickling() -> None:
    records = [
        TaskRecord("a", "*", "f1", (("code", "c1"),), "7", cursors=(("b", "3"),), rows=2),
        RunRecord("r1", "app", "dev", "running", "{}", 12, "host", "2026-01-01T00:00:00Z"),
        Lease("app/dev", 3, 12.5),
    ]
    assert [pickle.loads(pickle.dumps(record)) for record in records] == records  # noqa: S301  # its own bytes


def test_what_is_not_known_yet_has_a_neutral_default() -> None:
    task = TaskRecord("a", "*", "f1", (), "")
    run = RunRecord("r1", "app", "dev", "running", "{}", 12, "host", "2026-01-01T00:00:00Z")
    assert (task.cursors, task.run_id, task.finished, task.seconds, task.rows) == ((), "", "", 0.0, None)
    assert (run.ended, run.exit_code, run.counts) == ("", None, ())
