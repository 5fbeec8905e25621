from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path

HEAD = """
import os, subprocess, sys
from kindling.hooks.executor import TaskSpec
from kindling.run.log import open_log
from kindling.run import printed

spec = TaskSpec("r1", "", "", "dev", "gold.a", "*", {}, "sail", (), "f")
log = open_log(".", lambda text: text.replace("hunter2", "***"), spec)
taken = printed.Printed()
"""


def run_script(text: str, folder: Path) -> tuple[subprocess.CompletedProcess[str], list[dict[str, object]]]:
    done = subprocess.run(
        [sys.executable, "-c", HEAD + text], cwd=folder, capture_output=True, text=True, check=False
    )
    log = folder / "log.jsonl"
    lines = log.read_text(encoding="utf-8").splitlines() if log.exists() else []
    return done, [json.loads(line) for line in lines]


def test_what_python_prints_is_logged_with_the_tasks_name_and_without_secrets(tmp_path: Path) -> None:
    done, lines = run_script(
        "taken.begin(); taken.begin(); print('early'); taken.log_to(log)\n"
        "print('one hunter2\\ntwo'); print('no end', end=''); sys.stderr.write('oh\\n'); taken.close()\n"
        "print('late'); taken.close()",
        tmp_path,
    )
    assert (done.returncode, done.stdout, done.stderr) == (0, "", "")
    assert {(line["event"], line["task"]) for line in lines} == {("printed", "gold.a")}
    assert [(line["stream"], line["text"]) for line in lines] == [
        ("stdout", "early"),
        ("stdout", "one ***"),
        ("stdout", "two"),
        ("stderr", "oh"),
        ("stdout", "no end"),
    ]


def test_what_foreign_code_and_started_processes_print_is_logged_too(tmp_path: Path) -> None:
    _, lines = run_script(
        "taken.begin(); taken.log_to(log)\n"
        "os.write(1, b'raw \\xff\\n')\n"
        "subprocess.run(['echo', 'hunter2'], stdout=sys.stdout, check=True)\n"
        "taken.close()",
        tmp_path,
    )
    assert [(line["stream"], line["text"]) for line in lines] == [("output", "raw \\xff"), ("output", "***")]


def test_the_last_line_before_a_crash_is_kept(tmp_path: Path) -> None:
    done, lines = run_script(
        "taken.begin(); taken.log_to(log); print('last words'); os.kill(os.getpid(), 9)", tmp_path
    )
    assert done.returncode == -9
    assert [line["text"] for line in lines] == ["last words"]


def test_a_pipe_that_prints_in_a_loop_does_not_fill_the_disk(tmp_path: Path) -> None:
    _, lines = run_script(
        "printed.MOST_LINES = 20; taken.begin(); taken.log_to(log)\n"
        "print('x' * 20_000)\n"
        "for number in range(100): print(number)\n"
        "taken.close()",
        tmp_path,
    )
    assert [len(str(line["text"])) for line in lines[:3]] == [8192, 8192, 3616]
    assert len(lines) == 21
    assert (lines[-1]["event"], lines[-1]["lines"]) == ("printed lines were left out", 83)


def test_what_a_task_prints_that_reads_classified_columns_is_left_out(tmp_path: Path) -> None:
    _, lines = run_script(
        "taken.begin(); taken.log_to(printed.Withheld(log)); print('canary'); print('more'); taken.close()",
        tmp_path,
    )
    assert [(line["event"], line["why"]) for line in lines] == [
        ("printed lines are left out", "the task reads classified columns")
    ]
    assert "canary" not in (tmp_path / "log.jsonl").read_text(encoding="utf-8")
