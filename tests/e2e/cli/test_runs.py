from __future__ import annotations

import json
import re
import signal
import time
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    import subprocess
    from pathlib import Path

    from terminal import Terminal


def wait_for(process: subprocess.Popen[str], path: Path, text: str, seconds: float = 60.0) -> None:
    """Wait until an event has this text, as long as the process lives."""
    end = time.monotonic() + seconds
    while time.monotonic() < end and process.poll() is None:
        if path.is_dir() and any(text in file.read_text() for file in path.glob("*/events.jsonl")):
            return
        time.sleep(0.05)
    process.kill()
    raise AssertionError(f"{text!r} never came\n{process.communicate()}")


def slow_run(project: Terminal) -> subprocess.Popen[str]:
    """Start the slow project's run and wait until its second task works."""
    process = project.start("run")
    wait_for(process, project.path / ".kindling/runs", '"type": "TaskStarted", "run_id": "')
    wait_for(process, project.path / ".kindling/runs", '"key": "silver.slow", "attempt": 1')
    return process


def test_runs_are_listed_and_shown(made_shop: Terminal) -> None:
    lines = made_shop("runs", "list").out.splitlines()
    assert re.split(r"\s{2,}", lines[0]) == ["run", "status", "environment", "started", "seconds", "tasks"]
    found = re.split(r"\s{2,}", lines[1])
    assert (found[1], found[2], found[5]) == ("done", "dev", "3 done")
    shown = made_shop("runs", "show", found[0][:-2])
    assert shown.code == 0
    assert shown.out.startswith(f"run {found[0]}: done, exit code 0\nshop in dev, started ")
    assert re.search(r"^gold\.daily +2 +\d+\.\d\d +0 +done$", shown.out, re.MULTILINE)


def test_json_of_lists_and_of_one_run(made_shop: Terminal) -> None:
    (run,) = made_shop("runs", "list", "--json").json("runs")["runs"]
    document = made_shop("runs", "show", "last", "--json").json("run-story")
    assert document["run_id"] == run["run_id"]
    assert document["request"]["schema"] == "kindling.run-request/1"
    assert {task["key"]: task["rows"] for task in document["tasks"]} == {
        "silver.orders": 3,
        "gold.daily": 2,
        "gold.customers": 2,
    }


def test_a_failed_run_shows_its_error_and_what_it_kept_from_running(shop: Terminal) -> None:
    text = (shop.path / "shop/app.py").read_text()
    shop.write("shop/app.py", text.replace('df.where("id IS NOT NULL")', "1 / 0"))
    failed = shop("run")
    assert failed.code == 1
    shown = shop("runs", "show", "last")
    assert "KDL-RUN-001: 'silver.orders' raised ZeroDivisionError\n  why: division by zero\n" in shown.out
    assert re.search(r"^gold\.daily +skipped: silver\.orders failed$", shown.out, re.MULTILINE)
    assert re.search(r"^next: kindling run --resume \S+$", shown.out, re.MULTILINE)
    shop("runs", "show", "last", "--json").json("run-story")


def test_a_run_that_was_killed_is_told_from_its_events(slow: Terminal) -> None:
    process = slow_run(slow)
    process.kill()
    process.communicate(timeout=60)
    shown = slow("runs", "show", "last")
    assert shown.code == 0
    assert shown.out.splitlines()[0].endswith(": interrupted")
    assert re.search(r"^silver\.fast +4 .* done$", shown.out, re.MULTILINE)
    assert re.search(r"^silver\.slow +interrupted$", shown.out, re.MULTILINE)
    tasks = slow("runs", "show", "last", "--json").json("run-story")["tasks"]
    assert [task["status"] for task in tasks] == ["done", "interrupted"]


def test_a_run_is_cancelled_from_another_process(slow: Terminal) -> None:
    process = slow_run(slow)
    active = slow("runs", "list")
    assert "running" in active.out
    done = slow("runs", "cancel", "last")
    assert (done.code, done.err) == (0, "")
    assert done.out.startswith("asked run ")
    process.communicate(timeout=90)
    assert process.returncode == 130
    assert slow("runs", "list", "--json").json("runs")["runs"][0]["status"] == "cancelled"


def test_ctrl_c_cancels_and_exits_with_130(slow: Terminal) -> None:
    process = slow_run(slow)
    process.send_signal(signal.SIGINT)
    process.communicate(timeout=90)
    assert process.returncode == 130
    assert slow("runs", "list", "--json").json("runs")["runs"][0]["status"] == "cancelled"


def test_a_finished_run_cannot_be_cancelled(made_shop: Terminal) -> None:
    run_id = json.loads(made_shop("runs", "list", "--json").out)["runs"][0]["run_id"]
    done = made_shop("runs", "cancel", run_id)
    assert done.code == 2
    assert done.err == (
        f"KDL-USE-022: the run '{run_id}' cannot be cancelled\n"
        "  why: it is not going on: done\n"
        "  do: kindling runs list\n"
    )
