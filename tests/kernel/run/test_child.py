from __future__ import annotations

import json
import subprocess
import sys

import pytest
from scratch_site import Site, answer
from workbench import Bench

from kindling.hooks.executor import InputSpec, Outcome, TaskSpec
from kindling.run.request import decoded, encoded

CANARY = "canary-7f3a9c5e"


@pytest.fixture
def bench_there(installed: Site) -> Bench:
    """Look at the tables of the installed project."""
    return Bench(installed.project)


def spec(bench: Bench, entity: str, reads: str, **changes: object) -> TaskSpec:
    told: dict[str, object] = {
        "run_id": "r1",
        "app": "shop_files:app",
        "project": str(bench.path),
        "environment": "dev",
        "entity": entity,
        "slice": "*",
        "address": bench.address(entity).to_plain(),
        "platform": "scratch",
        "inputs": (InputSpec(reads, bench.address(reads).to_plain()),),
        "fingerprint": "f",
        **changes,
    }
    return TaskSpec(**told)  # type: ignore[arg-type]  # a test's own


def run_child(site: Site, text: str, **variables: str) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [sys.executable, "-m", "kindling.run.child"],
        input=text,
        env=site.environ(**variables),
        cwd=site.project.parent,
        capture_output=True,
        text=True,
        check=False,
    )


def test_a_task_runs_in_a_process_of_its_own(installed: Site, bench_there: Bench) -> None:
    done = run_child(installed, encoded(spec(bench_there, "first", "raw")))
    assert done.returncode == 0, done.stderr
    outcome = decoded(Outcome, done.stdout, "an outcome")
    assert (outcome.status, outcome.rows, outcome.version) == ("done", 1, "0")
    assert "a pipe may print" in done.stderr
    assert bench_there.rows("first") == [(21,)]


def test_an_error_is_an_outcome_without_secrets(installed: Site, bench_there: Bench) -> None:
    bench_there.put("first", "n bigint", (1,), app="shop")
    (installed.project / "fail").touch()
    task = spec(bench_there, "second", "first", project=str(installed.project))
    done = subprocess.run(
        [sys.executable, "-m", "kindling.run.child"],
        input=encoded(task),
        env=installed.environ(TOKEN=CANARY),
        cwd=installed.project,
        capture_output=True,
        text=True,
        check=True,
    )
    outcome = decoded(Outcome, done.stdout, "an outcome")
    assert (outcome.status, outcome.error["why"]) == ("failed", "no luck with ***")
    assert outcome.secrets_read == ()
    assert CANARY not in done.stdout + done.stderr
    assert CANARY not in (installed.project / ".kindling/runs/r1/log.jsonl").read_text()


def test_a_project_that_cannot_be_opened_is_an_outcome_too(installed: Site, bench_there: Bench) -> None:
    (installed.project / "shop_files.py").write_text("raise ValueError('broken')\n")
    done = run_child(installed, encoded(spec(bench_there, "first", "raw", attempt=2)))
    assert done.returncode == 0, done.stderr
    outcome = decoded(Outcome, done.stdout, "an outcome")
    assert (outcome.key, outcome.status, outcome.attempt, outcome.exit_code) == ("first", "failed", 2, 2)
    assert (outcome.error["code"], outcome.error["where"]) == ("KDL-DECL-051", "shop_files.py:1")


def test_what_is_no_task_ends_the_process_with_an_error(installed: Site) -> None:
    done = run_child(installed, json.dumps({"run_id": "r1"}))
    assert done.returncode != 0
    assert done.stdout == ""
    assert "KDL-USE-020: this is not a task" in done.stderr


def test_a_lease_is_checked_across_processes(installed: Site, bench_there: Bench) -> None:
    task = spec(bench_there, "first", "raw", lease={"key": "shop/dev", "token": 7})
    done = run_child(installed, encoded(task))
    outcome = decoded(Outcome, done.stdout, "an outcome")
    assert (outcome.error["code"], outcome.exit_code) == ("KDL-INFRA-002", 4)
    assert bench_there.commits("first") == []


def test_a_whole_run_in_processes_has_the_same_tables(installed: Site, bench_there: Bench) -> None:
    asked = {"select": ("first", "second")}
    found = answer(installed.run("r1", overrides={"executor.default": "child"}, **asked))
    assert found["outcomes"] == {"first": "done", "second": "done"}, found
    assert bench_there.rows("second") == [(42,)]


RUNNER = """
import json, sys, threading, time
from kindling.hooks.executor import Outcome, TaskSpec
from kindling.run.child import ChildRunner
from kindling.run.request import decoded, encoded

spec = decoded(TaskSpec, sys.argv[1], "a task")
out = open("answer", "w")
runner = ChildRunner()
"""


def run_runner(site: Site, task: TaskSpec, code: str) -> str:
    done = subprocess.run(
        [sys.executable, "-c", RUNNER + code, encoded(task)],
        env=site.environ(),
        cwd=site.project,
        capture_output=True,
        text=True,
        timeout=60,
        check=False,
    )
    assert (done.returncode, done.stdout, done.stderr) == (0, "", "")
    return (site.project / "answer").read_text()


def test_a_prepared_runner_runs_its_task_and_logs_what_was_printed(
    installed: Site, bench_there: Bench
) -> None:
    code = "runner.prepare(spec); out.write(encoded(runner.execute(spec))); runner.close(); runner.close()"
    outcome = decoded(Outcome, run_runner(installed, spec(bench_there, "first", "raw"), code), "an outcome")
    assert (outcome.status, outcome.rows) == ("done", 1)
    lines = (installed.project / ".kindling/runs/r1/log.jsonl").read_text().splitlines()
    printed = [line for line in map(json.loads, lines) if line["event"] == "printed"]
    assert [(line["task"], line["stream"], line["text"]) for line in printed] == [
        ("first", "stdout", "a pipe may print")
    ]


def test_what_is_printed_beside_classified_columns_is_not_logged(installed: Site, bench_there: Bench) -> None:
    read = InputSpec("raw", bench_there.address("raw").to_plain(), classes={"n": ("pii.number",)})
    task = spec(bench_there, "first", "raw", inputs=(read,))
    code = "out.write(encoded(runner.execute(spec))); runner.close()"
    outcome = decoded(Outcome, run_runner(installed, task, code), "an outcome")
    assert (outcome.status, outcome.classes) == ("done", {"n": ("pii.number",)})
    text = (installed.project / ".kindling/runs/r1/log.jsonl").read_text()
    assert "a pipe may print" not in text
    assert "printed lines are left out" in text


def test_what_cannot_be_prepared_is_told_by_the_task(installed: Site, bench_there: Bench) -> None:
    (installed.project / "shop_files.py").write_text("raise ValueError('broken')\n")
    code = "runner.prepare(spec); out.write(encoded(runner.execute(spec))); runner.close()"
    outcome = decoded(Outcome, run_runner(installed, spec(bench_there, "first", "raw"), code), "an outcome")
    assert (outcome.status, outcome.error["code"]) == ("failed", "KDL-DECL-051")


def test_a_runner_can_be_interrupted_once_its_app_is_open(installed: Site, bench_there: Bench) -> None:
    bench_there.put("first", "n bigint", (1,), app="shop")
    (installed.project / "hold").touch()
    code = """
from pathlib import Path
first = runner.interrupt(spec.key, 1, "cancelled")
def stop():
    while not Path("second_began").exists():
        time.sleep(0.01)
    runner.interrupt(spec.key, 1, "cancelled")
    Path("hold").unlink()
threading.Thread(target=stop).start()
outcome = runner.execute(spec)
out.write(json.dumps([first, outcome.status])); out.close(); runner.close()
"""
    task = spec(bench_there, "second", "first", project=str(installed.project))
    assert json.loads(run_runner(installed, task, code)) == [False, "cancelled"]
