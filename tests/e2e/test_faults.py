"""Bad input and faults: each gets a clear error, and nothing is lost."""

from __future__ import annotations

import os
import signal
import sqlite3
import subprocess
import sys
import time
from pathlib import Path

import pytest
from shell import Shell, make_project, rows

pytestmark = pytest.mark.timeout(300)
CSV = """
events = app.source("raw.events", k.csv("events.csv"{options}), schema="id bigint, at timestamp, v double")


@app.pipe(events, name="bronze.events")
def bronze(df: k.DataFrame) -> k.DataFrame:
    return df
"""
BAD = """id,at,v
1,2024-01-01T00:00:00Z,1.5
two,2024-01-01T00:00:00Z,2
3,yesterday,3
4,2024-01-04T00:00:00Z
5,2024-01-05T00:00:00Z,5
"""


def csv_project(folder: Path, text: str, options: str = "") -> Path:
    project = make_project(folder, CSV.replace("{options}", options))
    (project / "events.csv").write_text(text)
    return project


@pytest.mark.parametrize("platform", ["sail", "duckdb"])
def test_unreadable_csv_rows_fail_the_task_with_their_places(tmp_path: Path, platform: str) -> None:
    project = csv_project(tmp_path, BAD)
    done = Shell(project, platform)("run", code=1)
    for text in ("events.csv:3", "'two'", "events.csv:4", "events.csv:5"):
        assert text in done.stderr
    assert not (project / "lake").exists()


@pytest.mark.parametrize("policy", ["skip", "quarantine"])
def test_unreadable_csv_rows_are_counted_and_never_become_null(tmp_path: Path, policy: str) -> None:
    project = csv_project(tmp_path, BAD, f", on_bad_row='{policy}'")
    found = Shell(project, "duckdb").json("run")
    task = found["tasks"][0]
    assert task["metrics"]["rows_unreadable"] == 3
    assert [row["id"] for row in rows(project, "bronze.events")] == [1, 5]
    kept = list((project / ".kindling" / "runs").glob("*/bad_rows/raw.events.jsonl"))
    assert len(kept) == (policy == "quarantine")


def test_a_file_of_a_header_alone_and_an_empty_one_make_an_empty_table(tmp_path: Path) -> None:
    for name, text in (("header", "id,at,v\n"), ("empty", "")):
        project = csv_project(tmp_path / name, text)
        Shell(project, "duckdb")("run")
        assert rows(project, "bronze.events") == []


def test_an_empty_file_without_a_declared_schema_is_said(tmp_path: Path) -> None:
    project = csv_project(tmp_path, "")
    code = (project / "shop.py").read_text()
    (project / "shop.py").write_text(code.replace(', schema="id bigint, at timestamp, v double"', ""))
    assert "events.csv" in Shell(project, "duckdb")("run", code=1).stderr


def test_a_missing_source_is_said_before_anything_runs(tmp_path: Path) -> None:
    project = csv_project(tmp_path, BAD)
    (project / "events.csv").rename(project / "event.csv")
    done = Shell(project, "duckdb")("run", code=2)
    assert "KDL-PLAN-020: 'raw.events', which 'bronze.events' reads, does not exist" in done.stderr
    assert "events.csv" in done.stderr


def test_names_may_be_unicode_and_have_three_parts(tmp_path: Path) -> None:
    code = """
@app.pipe(name="größe.日本.straße", context=True)
def wide(context: k.Context) -> k.DataFrame:
    return context.frame([(1, "ü")], "`naïve col` bigint, `日本` string")


copied = app.sql("größe.copy", "SELECT `naïve col`, `日本` FROM {wide}", inputs={"wide": wide})
"""
    project = make_project(tmp_path, code)
    for platform in ("duckdb", "sail"):
        Shell(project, platform)("run", "--full-refresh")
        assert rows(project, "größe.copy") == [{"naïve col": 1, "日本": "ü"}]


def test_a_missing_column_a_wrong_type_and_a_doubled_column_are_named(tmp_path: Path) -> None:
    code = """
@app.pipe(name="a.one", context=True)
def one(context: k.Context) -> k.DataFrame:
    return context.frame([(1, "x")], "id bigint, name string")


@app.pipe(one, name="b.missing", schema="id bigint, nam string")
def missing(df: k.DataFrame) -> k.DataFrame:
    return df


@app.pipe(one, name="b.type", schema="id bigint, name date")
def type_(df: k.DataFrame) -> k.DataFrame:
    return df


@app.pipe(one, one, name="b.double")
def double(left: k.DataFrame, right: k.DataFrame) -> k.DataFrame:
    return left.join(right.withColumnRenamed("id", "other"), k.F.expr("id = other"))


@app.pipe(one, name="b.garbage")
def garbage(df: k.DataFrame) -> k.DataFrame:
    return df.count()
"""
    project = make_project(tmp_path, code)
    done = Shell(project, "duckdb")("run", code=1)
    assert (
        "'b.missing' lacks columns that its schema declares: nam\n  why: did you mean 'name'?" in done.stderr
    )
    assert "'b.double' has columns named twice" in done.stderr
    assert "the pipe 'b.garbage' returned a int, not a frame" in done.stderr
    assert "b.type" in done.stderr
    assert "failed: 1 done, 4 failed" in done.stderr


def test_a_second_run_is_refused_and_told_who_works(tmp_path: Path) -> None:
    code = """
@app.pipe(name="a.slow", context=True)
def slow(context: k.Context) -> k.DataFrame:
    while not os.path.exists("go"):
        time.sleep(0.05)
    return context.frame([(1,)], "id bigint")
"""
    project = make_project(tmp_path, code)
    command = [sys.executable, "-m", "kindling", "run", "--set", "platform.default=duckdb"]
    first = subprocess.Popen(command, cwd=project, stderr=subprocess.PIPE, text=True)
    assert first.stderr is not None
    while "start    a.slow" not in first.stderr.readline():
        pass
    refused = Shell(project, "duckdb")("run", code=4)
    assert "KDL-INFRA-001" in refused.stderr
    assert str(first.pid) in refused.stderr
    assert os.uname().nodename in refused.stderr
    (project / "go").touch()
    assert first.wait(90) == 0
    first.stderr.close()


def test_a_run_is_cancelled_from_another_shell(tmp_path: Path) -> None:
    code = """
@app.pipe(name="a.slow", context=True)
def slow(context: k.Context) -> k.DataFrame:
    time.sleep(60)
    return context.frame([(1,)], "id bigint")
"""
    project = make_project(tmp_path, code, "run.grace_s = 1\n")
    command = [sys.executable, "-m", "kindling", "run", "--set", "platform.default=duckdb"]
    process = subprocess.Popen(command, cwd=project, stderr=subprocess.PIPE, text=True)
    assert process.stderr is not None
    head = process.stderr.readline()
    while "start    a.slow" not in process.stderr.readline():
        pass
    Shell(project, "duckdb")("runs", "cancel", head.split()[1].rstrip(":"))
    process.communicate(timeout=90)
    assert process.returncode == 130


def test_a_corrupt_state_file_is_said_and_kept(tmp_path: Path) -> None:
    project = csv_project(tmp_path, "id,at,v\n1,2024-01-01T00:00:00Z,1\n")
    kindling = Shell(project, "duckdb")
    kindling("run")
    state = project / ".kindling" / "state.db"
    for extra in ("state.db-wal", "state.db-shm"):
        (state.parent / extra).unlink(missing_ok=True)
    state.write_bytes(b"not a database" * 500)
    refused = kindling("run", code=4)
    assert "KDL-STATE-001" in refused.stderr
    assert state.read_bytes().startswith(b"not a database")


def test_a_lost_state_file_loses_no_data_and_does_no_work_again(tmp_path: Path) -> None:
    project = csv_project(tmp_path, "id,at,v\n1,2024-01-01T00:00:00Z,1\n")
    kindling = Shell(project, "duckdb")
    kindling("run")
    for path in (project / ".kindling").glob("state.db*"):
        path.unlink()
    assert "nothing changed" in kindling("run").stderr  # the commit itself says what it was made from
    assert "nothing changed" in kindling("run").stderr


def test_a_locked_state_file_is_said(tmp_path: Path) -> None:
    project = csv_project(tmp_path, "id,at,v\n1,2024-01-01T00:00:00Z,1\n")
    kindling = Shell(project, "duckdb")
    kindling("plan")
    kindling("run")
    (project / "events.csv").write_text("id,at,v\n2,2024-01-01T00:00:00Z,1\n")
    lock = sqlite3.connect(project / ".kindling" / "state.db", isolation_level=None)
    lock.execute("BEGIN EXCLUSIVE")
    try:
        assert "KDL-STATE-002" in kindling("run", code=4).stderr
    finally:
        lock.close()
    kindling("run")


def test_an_engine_that_dies_is_said_and_the_task_is_retried(tmp_path: Path) -> None:
    code = """
@app.pipe(name="a.one", context=True)
def one(context: k.Context) -> k.DataFrame:
    return context.frame([(1,)], "id bigint")


@app.pipe(one, name="b.victim")
def victim(df: k.DataFrame) -> k.DataFrame:
    if not os.path.exists("killed"):
        open("killed", "w").close()
        os.system("pkill -9 -P %d" % os.getpid())
        time.sleep(0.2)
    return df
"""
    project = make_project(tmp_path, code)
    done = Shell(project, "sail")("run")
    assert "retry    b.victim" in done.stderr
    assert rows(project, "b.victim") == [{"id": 1}]


CANARY = "s3cr3t-canary-8c1f"


@pytest.mark.parametrize("platform", ["sail", "duckdb"])
def test_a_secret_in_an_exception_is_nowhere_to_be_found(tmp_path: Path, platform: str) -> None:
    code = """
@app.pipe(name="a.leaky", context=True)
def leaky(context: k.Context) -> k.DataFrame:
    value = context.secret("secret://env/SHOP_TOKEN").reveal()
    context.log.info("logging in", token=value)
    print("token", context.secret("secret://env/SHOP_TOKEN"))
    raise ValueError(f"login with {value} failed; control-7d2e")
"""
    project = make_project(tmp_path, code)
    kindling = Shell(project, platform)
    done = kindling("run", code=1, SHOP_TOKEN=CANARY)
    shown = done.stdout + done.stderr + kindling("runs", "list", SHOP_TOKEN=CANARY).stdout
    files = [path for path in project.rglob("*") if path.is_file() and path.name != "shop.py"]
    everything = shown.encode() + b"".join(path.read_bytes() for path in files)
    assert b"control-7d2e" in everything  # what was looked through is where an exception's text goes
    assert CANARY.encode() not in everything
    assert "***" in done.stderr


def test_a_killed_run_is_told_as_interrupted(tmp_path: Path) -> None:
    code = """
@app.pipe(name="a.slow", context=True)
def slow(context: k.Context) -> k.DataFrame:
    time.sleep(60)
    return context.frame([(1,)], "id bigint")
"""
    project = make_project(tmp_path, code)
    command = [sys.executable, "-m", "kindling", "run", "--set", "platform.default=duckdb"]
    process = subprocess.Popen(command, cwd=project, stderr=subprocess.PIPE, text=True)
    assert process.stderr is not None
    while "start    a.slow" not in process.stderr.readline():
        pass
    process.send_signal(signal.SIGKILL)
    process.communicate()
    time.sleep(0.1)
    assert "interrupted" in Shell(project, "duckdb")("runs", "list").stdout


def test_a_full_disk_is_said_and_the_old_version_stays(tmp_path: Path) -> None:
    if os.geteuid() != 0:
        pytest.fail("this test mounts a small file system and needs root")
    code = """
events = app.source("raw.events", k.csv("events.csv"))


@app.pipe(events, name="bronze.events")
def bronze(df: k.DataFrame) -> k.DataFrame:
    many = 1000000 if os.path.exists("large") else 1
    numbers = df.select(k.F.explode(k.F.expr(f"sequence(1, {many})")).alias("n"))
    return df.crossJoin(numbers).select("id", k.F.expr("sha2(cast(n as string), 256)").alias("text"))
"""
    project = make_project(tmp_path / "project", code)
    (project / "events.csv").write_text("id\n1\n")
    lake = project / "lake"
    lake.mkdir()
    subprocess.run(["mount", "-t", "tmpfs", "-o", "size=2m", "tmpfs", str(lake)], check=True)
    try:
        kindling = Shell(project, "duckdb")
        kindling("run")
        (project / "large").touch()
        (project / "events.csv").write_text("id\n2\n")
        done = kindling("run", code=1)
        assert "No space left on device" in done.stderr
        assert [row["id"] for row in rows(project, "bronze.events")] == [1]
        (project / "large").unlink()
        kindling("run")
        assert [row["id"] for row in rows(project, "bronze.events")] == [2]
    finally:
        subprocess.run(["umount", str(lake)], check=True)
