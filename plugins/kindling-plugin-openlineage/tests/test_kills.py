"""Processes are killed while they tell a run; the next run delivers what they left, and ends it."""

from __future__ import annotations

import json
import subprocess
import sys
import time
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path

import pytest
from published import faults
from receiver import HANG, LIMIT_S, closed_port, receiver
from run_events import told
from sinks import OUTBOX, record, sink_of, waiting

SCRIPT = Path(__file__).with_name("told_run.py")
DEAD = "20260102T000000Z-dead"
Json = dict[str, object]


@contextmanager
def telling(project: Path, url: str, file: str = "", tasks: int = 3) -> Iterator[subprocess.Popen[bytes]]:
    """Give a process that tells a run; it is killed at the end."""
    command = [sys.executable, str(SCRIPT), str(project), DEAD, url, file, str(tasks)]
    with subprocess.Popen(command, stdin=subprocess.PIPE) as process:
        try:
            yield process
        finally:
            process.kill()


def wait_for(path: Path) -> None:
    end = time.monotonic() + LIMIT_S
    while not path.exists():
        assert time.monotonic() < end, path
        time.sleep(0.01)


def briefly(events: Sequence[Json]) -> list[tuple[object, object]]:
    return [(event["eventType"], event["job"]["name"]) for event in events]  # type: ignore[index]  # JSON


KILLED = [
    ("START", "shop"),
    ("START", "shop.silver.t0000"),
    ("START", "shop.silver.t0001"),
    ("COMPLETE", "shop.silver.t0001"),
    ("START", "shop.silver.t0002"),
    ("COMPLETE", "shop.silver.t0002"),
    ("ABORT", "shop.silver.t0000"),
    ("ABORT", "shop"),
]
"""What is told of a killed run in the end."""


def test_what_a_killed_run_left_is_delivered_in_order_and_ended(tmp_path: Path) -> None:
    with telling(tmp_path, f"http://127.0.0.1:{closed_port()}"):
        wait_for(tmp_path / f"{DEAD}.told")
    with receiver() as server:
        record(sink_of(tmp_path, url=server.url, drain_s=60))
        assert briefly(server.taken[: len(KILLED)]) == KILLED
        assert server.taken[len(KILLED) :] == told()
        assert [fault for event in server.taken for fault in faults(event)] == []
    assert waiting(tmp_path) == []


def test_an_event_whose_answer_never_came_is_sent_again_as_it_was(tmp_path: Path) -> None:
    seen: list[int] = []

    def answer(count: int) -> tuple[int, dict[str, str]]:
        seen.append(count)
        return (HANG, {}) if count == 3 else (201, {})

    with receiver(answer) as server:
        with telling(tmp_path, server.url):
            wait_for(tmp_path / f"{DEAD}.told")
            server.wait_for(lambda one: one.asked == 3)
        assert briefly(server.taken) == KILLED[:2]
        first = [json.dumps(event) for event in server.taken]
        record(sink_of(tmp_path, url=server.url, drain_s=60))
        after = [json.dumps(event) for event in server.taken[len(first) :]]
        once = list(dict.fromkeys([*first, *after]))
        assert briefly([json.loads(text) for text in once[: len(KILLED)]]) == KILLED
        assert set(first) & set(after) <= {first[-1]}  # at most what was under way is told twice
    assert waiting(tmp_path) == []


def test_a_run_that_lives_is_left_alone(tmp_path: Path) -> None:
    url = f"http://127.0.0.1:{closed_port()}"
    with telling(tmp_path, url), receiver() as server:
        wait_for(tmp_path / f"{DEAD}.told")
        record(sink_of(tmp_path, url=server.url, drain_s=60))
        assert server.taken == told()
        assert len(waiting(tmp_path)) == 1


@pytest.mark.parametrize("killed_after_s", [0.0, 0.02, 0.05])
def test_a_kill_at_any_moment_leaves_whole_lines(tmp_path: Path, killed_after_s: float) -> None:
    file = tmp_path / "out.jsonl"
    with telling(tmp_path, "", "out.jsonl", tasks=100_000):
        wait_for(file)
        time.sleep(killed_after_s)
    record(sink_of(tmp_path, file="out.jsonl"))
    lines = file.read_bytes()
    assert lines.endswith(b"\n")
    events = [json.loads(line) for line in lines.splitlines()]
    assert [fault for event in events[:3] for fault in faults(event)] == []
    begun = [event["run"]["runId"] for event in events if event["eventType"] == "START"]
    ended = {event["run"]["runId"] for event in events if event["eventType"] != "START"}
    assert set(begun) == ended
    assert events[-len(told()) :] == told()
    assert waiting(tmp_path) == []


def test_a_torn_line_is_cut_off(tmp_path: Path) -> None:
    file = tmp_path / "out.jsonl"
    file.write_bytes(b'{"eventType":"START"}\n{"eventTy')
    box = tmp_path / OUTBOX
    box.mkdir(parents=True)
    (box / "1-dead.jsonl").write_bytes(b'{"eventType":"OTHER"}\n{"torn')
    record(sink_of(tmp_path, file="out.jsonl"))
    lines = [json.loads(line) for line in file.read_text("utf-8").splitlines()]
    assert lines[:2] == [{"eventType": "START"}, {"eventType": "OTHER"}]
    assert lines[2:] == told()
