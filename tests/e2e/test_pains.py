"""Each pain of the framework before this one, as a test: what users must never meet again."""

from __future__ import annotations

import signal
import subprocess
import sys
import time
from pathlib import Path

import pytest
from shell import Shell, make_project, rows

pytestmark = pytest.mark.timeout(300)
ENGINES = pytest.mark.parametrize("platform", ["sail", "duckdb"])
ONE = """
@app.pipe(name="a.one", context=True)
def one(context: k.Context) -> k.DataFrame:
    return context.frame([(1, "x"), (2, "y")], "id bigint, name string")

"""


@ENGINES
def test_a_failing_pipe_fails_the_command_and_independent_branches_finish(
    tmp_path: Path, platform: str
) -> None:
    code = f"""{ONE}
@app.pipe(one, name="b.broken")
def broken(df: k.DataFrame) -> k.DataFrame:
    raise ValueError("no such thing")


@app.pipe(broken, name="c.behind")
def behind(df: k.DataFrame) -> k.DataFrame:
    return df


@app.pipe(one, name="b.fine")
def fine(df: k.DataFrame) -> k.DataFrame:
    return df
"""
    project = make_project(tmp_path, code)
    done = Shell(project, platform)("run", code=1)
    assert len(rows(project, "b.fine")) == 2
    assert (
        "KDL-RUN-001: 'b.broken' raised ValueError\n  why: no such thing\n  where: shop.py:15" in done.stderr
    )
    assert "skipped: b.broken failed" in done.stderr
    assert "failed: 2 done, 1 failed, 1 skipped" in done.stderr
    assert "next: kindling run --resume " in done.stderr
    assert "nothing changed" not in Shell(project, platform)("plan").stdout


@ENGINES
def test_a_timeout_stops_the_query_on_its_engine_and_the_next_pipe_runs(
    tmp_path: Path, platform: str
) -> None:
    code = f"""{ONE}
@app.pipe(one, name="b.endless", timeout_s=1)
def endless(df: k.DataFrame) -> k.DataFrame:
    many = df.select(k.F.explode(k.F.expr("sequence(1, 4000)")).alias("x"))
    pairs = many.crossJoin(many.select(k.F.col("x").alias("y")))
    triples = pairs.crossJoin(many.select(k.F.col("x").alias("z")))
    return triples.agg(k.F.sum(k.F.expr("x * y % 7 + z % 5")).alias("total"))


@app.pipe(one, name="b.next")
def next_one(df: k.DataFrame) -> k.DataFrame:
    return df
"""
    project = make_project(tmp_path, code, "run.workers = 1\nrun.retries = 0\n")
    found = Shell(project, platform).json("run", code=1)
    tasks = {task["key"]: task for task in found["tasks"]}
    assert tasks["b.endless"]["status"] == "timed_out"
    assert tasks["b.endless"]["seconds"] < 4
    assert tasks["b.endless"]["error"]["what"] == "'b.endless' took longer than 1 s"
    assert tasks["b.next"]["status"] == "done"


def test_a_type_error_inside_a_pipe_runs_the_pipe_once(tmp_path: Path) -> None:
    code = f"""{ONE}
@app.pipe(one, name="b.typo", retries=3)
def typo(df: k.DataFrame) -> k.DataFrame:
    with open("calls", "a") as file:
        file.write("called ")
    return len(5)
"""
    project = make_project(tmp_path, code)
    Shell(project, "duckdb")("run", code=1)
    assert (project / "calls").read_text() == "called "


def test_a_pipe_without_inputs_is_written(tmp_path: Path) -> None:
    project = make_project(tmp_path, ONE)
    Shell(project, "duckdb")("run")
    assert rows(project, "a.one") == [{"id": 1, "name": "x"}, {"id": 2, "name": "y"}]


def test_two_apps_run_in_one_process_without_a_reset(tmp_path: Path) -> None:
    script = tmp_path / "both.py"
    script.write_text("""
import kindling as k
from kindling.plan.project import open_project
from kindling.run.run import run_app
from kindling.run.states import open_state

def make(name, value):
    app = k.App(name)
    @app.pipe(name="a.same", context=True)
    def same(context):
        return context.frame([(value,)], "v bigint")
    return app

for name, value in (("first", 1), ("second", 2)):
    import os
    os.makedirs(name, exist_ok=True)
    project = open_project(name, app=make(name, value))
    state = open_state(project)
    assert run_app(project, state).status == "done"
    state.close()
""")
    environ = {"KINDLING_PLATFORM__DEFAULT": "duckdb"}
    import os

    subprocess.run([sys.executable, str(script)], cwd=tmp_path, check=True, env={**os.environ, **environ})
    assert [rows(tmp_path / name, "a.same") for name in ("first", "second")] == [[{"v": 1}], [{"v": 2}]]


@pytest.mark.parametrize(
    ("arguments", "settings", "code", "text"),
    [
        (
            ("run", "-s", "a.on"),
            "",
            2,
            "KDL-PLAN-050: no entity is called 'a.on'\n  why: did you mean 'a.one'?",
        ),
        (("why", "a.on"), "", 2, "did you mean 'a.one'?"),
        (("show", "a.on"), "", 2, "did you mean 'a.one'?"),
        (("plan",), "run.wrokers = 2\n", 2, "kindling.toml:2"),
        (("plan",), "run.wrokers = 2\n", 2, "did you mean 'workers'?"),
        (("plan",), 'storage.default = "dleta"\n', 2, "did you mean"),
        (("plan",), 'platform.default = "snowflake"\n', 2, "pip install kindling-plugin-snowflake"),
        (("rnu",), "", 2, "did you mean 'run'"),
        (("run", "--selct", "x"), "", 2, "--select"),
    ],
)
def test_an_unknown_name_is_answered_with_its_place_and_what_was_meant(  # one row each
    tmp_path: Path, arguments: tuple[str, ...], settings: str, code: int, text: str
) -> None:
    project = make_project(tmp_path, ONE, settings)
    command = [sys.executable, "-m", "kindling", *arguments]
    done = subprocess.run(command, cwd=project, capture_output=True, text=True, check=False)
    assert done.returncode == code
    assert text in done.stderr
    assert "Traceback" not in done.stderr


def test_a_file_in_the_tests_folder_never_shadows_real_data(tmp_path: Path) -> None:
    code = """
events = app.source("raw.events", k.csv("events.csv"))
copied = app.sql("bronze.events", "SELECT * FROM {events}", inputs={"events": events})
"""
    project = make_project(tmp_path, code)
    (project / "events.csv").write_text("id\n1\n")
    for shadow in ("tests/entities/raw/events.csv", "tests/raw.events.csv", "raw/events.csv"):
        path = project / shadow
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text("id\n666\n")
    Shell(project, "duckdb")("run")
    assert rows(project, "bronze.events") == [{"id": 1}]


def test_ctrl_c_cancels_cleanly_and_the_next_run_finishes(tmp_path: Path) -> None:
    code = f"""{ONE}
@app.pipe(one, name="b.slow")
def slow(df: k.DataFrame) -> k.DataFrame:
    while not os.path.exists("go"):
        time.sleep(0.05)
    return df
"""
    project = make_project(tmp_path, code, "run.grace_s = 1\n")
    command = [sys.executable, "-m", "kindling", "run", "--set", "platform.default=duckdb"]
    process = subprocess.Popen(command, cwd=project, stderr=subprocess.PIPE, text=True)
    assert process.stderr is not None
    for line in process.stderr:
        if "start    b.slow" in line:
            break
    time.sleep(0.3)
    process.send_signal(signal.SIGINT)
    rest = process.communicate(timeout=90)[1]
    assert process.returncode == 130
    assert "cancelled" in rest
    (project / "go").touch()
    assert "done: 1 done" in Shell(project, "duckdb")("run").stderr
