from __future__ import annotations

import json
from pathlib import Path

from kindling_plugin_openlineage.leftovers import aborts, encoded, end_file
from kindling_plugin_openlineage.outbox import RunFile
from published import faults
from run_events import told

AT = "2026-01-03T00:00:00.000Z"


def test_a_run_that_ended_lacks_nothing() -> None:
    assert aborts(map(encoded, told()), AT) == []


def test_what_began_and_did_not_end_is_aborted_tasks_first() -> None:
    events = told()[:4]  # the run, a task that ended, a task that did not
    missing = aborts(map(encoded, events), AT)
    assert [(event["eventType"], event["eventTime"], event["job"]) for event in missing] == [
        ("ABORT", AT, events[3]["job"]),
        ("ABORT", AT, events[0]["job"]),
    ]
    assert [event["run"]["runId"] for event in missing] == [  # type: ignore[index]  # JSON
        events[3]["run"]["runId"],  # type: ignore[index]  # JSON
        events[0]["run"]["runId"],  # type: ignore[index]  # JSON
    ]
    assert [fault for event in missing for fault in faults(event)] == []


def test_damaged_lines_end_nothing() -> None:
    lines = [encoded(told()[0]), b"{", b"[]", b"\xff", b'{"eventType":"COMPLETE"}']
    assert len(aborts(lines, AT)) == 1


def test_a_start_without_facets_is_ended_as_it_began() -> None:
    bare = json.dumps({"eventType": "START", "job": {"name": "x"}, "run": {"runId": "1"}})
    (missing,) = aborts([bare.encode()], AT)
    assert (missing["run"], missing["job"]) == ({"runId": "1", "facets": {}}, {"name": "x"})


def test_nothing_is_added_to_a_file_whose_run_ended(tmp_path: Path) -> None:
    file = RunFile.create(tmp_path, "r")
    events = told()
    file.append([encoded(events[0]), encoded(events[1]), encoded(events[-1])])
    end_file(file, AT)
    assert len(list(file.lines())) == 3  # a task without an end is the run's own doing
    file.remove()


def test_a_file_is_ended_once(tmp_path: Path) -> None:
    file = RunFile.create(tmp_path, "r")
    file.append([encoded(told()[0])])
    for _ in range(2):
        end_file(file, AT)
    assert [json.loads(line)["eventType"] for line in file.lines()] == ["START", "ABORT"]
    file.remove()
