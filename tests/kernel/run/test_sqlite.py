from __future__ import annotations

import os
import random
import signal
import sqlite3
import subprocess
import sys
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import closing
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from kindling.errors import InfrastructureError, LeaseHeldError
from kindling.hooks import Plain
from kindling.hooks.state import State, StateSpec
from kindling.records import RunRecord, TaskRecord
from kindling.run.database import MIGRATIONS, set_aside
from kindling.run.liveness import birth, is_alive, this_host
from kindling.run.sqlite import KEPT_RUNS, SqliteState, _packed, _unpacked, open_state
from kindling.run.sqlite_plugin import kindling_state_offers

TASK = TaskRecord(
    "silver.a",
    "*",
    "f1",
    (("code", "c1"), ("input:bronze.a", "v1")),
    "7",
    cursors=(("bronze.a", '{"version": 7}'),),
    run_id="r1",
    finished="2026-01-01T00:00:00Z",
    seconds=1.5,
    rows=3,
)


@pytest.fixture
def state(tmp_path: Path) -> Iterator[SqliteState]:
    opened = open_state(str(tmp_path))
    yield opened
    opened.close()


def a_run(run_id: str = "r1", **changes: object) -> RunRecord:
    record = RunRecord(
        *(run_id, "flights", "dev", "running", "{}", os.getpid(), this_host(), "2026-01-01T00:00:00Z")
    )
    return record.replace(**changes)


def owner(pid: int | None = None, host: str | None = None, run_id: str = "r1") -> dict[str, Plain]:
    return {"pid": os.getpid() if pid is None else pid, "host": host or this_host(), "run_id": run_id}


def python(program: str, *args: str) -> subprocess.Popen[str]:
    return subprocess.Popen(
        [sys.executable, "-c", program, *args],
        stdout=subprocess.PIPE,
        stdin=subprocess.PIPE,
        text=True,
        cwd=Path(__file__).parents[3],
    )


def dead_pid() -> int:
    process = python("pass")
    process.communicate()
    return process.pid


def test_it_is_a_state_and_is_offered_under_its_name(tmp_path: Path) -> None:
    (offer,) = kindling_state_offers()
    opened = offer.factory(StateSpec(str(tmp_path)))
    assert offer.name == "sqlite"
    assert isinstance(opened, State)
    opened.close()
    opened.close()


def test_a_task_is_read_as_it_was_stored_and_replaced_by_the_next(state: SqliteState) -> None:
    state.put_task("flights", "dev", TASK)
    state.put_task("flights", "prod", TASK.replace(fingerprint="other"))
    state.put_task("flights", "dev", TASK.replace(slice="key:x", rows=None, cursors=()))
    assert state.tasks("flights", "dev")[("silver.a", "*")] == TASK
    state.put_task("flights", "dev", TASK.replace(fingerprint="f2"))
    records = state.tasks("flights", "dev")
    assert {key: record.fingerprint for key, record in records.items()} == {
        ("silver.a", "*"): "f2",
        ("silver.a", "key:x"): "f1",
    }
    assert state.tasks("other", "dev") == {}


@given(st.lists(st.tuples(st.text(max_size=8), st.text(alphabet="\\ur\x1e\x1fa", max_size=8)), max_size=4))
def test_any_texts_survive_packing(pairs: list[tuple[str, str]]) -> None:
    assert _unpacked(_packed(pairs)) == tuple(pairs)


def test_forgotten_entities_count_as_never_run_with_all_their_slices(state: SqliteState) -> None:
    for entity, part in (("a", "*"), ("a", "key:1"), ("b", "*")):
        state.put_task("flights", "dev", TASK.replace(entity=entity, slice=part))
    state.forget("flights", "dev", ["a", "unknown"])
    assert list(state.tasks("flights", "dev")) == [("b", "*")]


def test_submitting_a_run_twice_gives_the_stored_one(state: SqliteState) -> None:
    assert state.start_run(a_run()) == a_run()
    state.update_run(a_run(status="done", exit_code=0, counts=(("done", 2),), ended="2026-01-01T00:00:09Z"))
    stored = state.start_run(a_run(request='{"other": 1}'))
    assert (stored.status, stored.exit_code, stored.counts, stored.request) == (
        "done",
        0,
        (("done", 2),),
        "{}",
    )


def test_an_unknown_run_is_stored_by_its_update(state: SqliteState) -> None:
    state.update_run(a_run(status="failed"))
    assert state.run("r1") == a_run(status="failed")


def test_a_unique_prefix_names_a_run_and_an_exact_id_wins(state: SqliteState) -> None:
    for run_id in ("ab", "abc", "abd", "x%"):
        state.start_run(a_run(run_id))
    found = [state.run(text) for text in ("ab", "abc", "abd", "x", "a", "%", "")]
    assert [run and run.run_id for run in found] == ["ab", "abc", "abd", "x%", None, None, None]


def test_runs_come_newest_first_and_may_be_narrowed(state: SqliteState) -> None:
    state.start_run(a_run("r1"))
    state.start_run(a_run("r2", environment="prod"))
    state.start_run(a_run("r3", app="shop"))
    assert [run.run_id for run in state.runs("", "", 10)] == ["r3", "r2", "r1"]
    assert [run.run_id for run in state.runs("flights", "", 10)] == ["r2", "r1"]
    assert [run.run_id for run in state.runs("", "dev", 1)] == ["r3"]


def test_outcomes_keep_their_order_and_their_types(state: SqliteState) -> None:
    state.put_outcomes("r1", [{"entity": "a", "rows": 1, "error": {}}, {"entity": "é", "rows": None}])
    state.put_outcomes("r1", [{"entity": "c", "seconds": 0.5}])
    state.put_outcomes("r2", [{"entity": "z"}])
    assert state.outcomes("r1") == [
        {"entity": "a", "rows": 1, "error": {}},
        {"entity": "é", "rows": None},
        {"entity": "c", "seconds": 0.5},
    ]


def test_only_an_active_run_can_be_asked_to_cancel(state: SqliteState) -> None:
    state.start_run(a_run("r1"))
    state.start_run(a_run("r2", status="done"))
    assert (state.is_cancelled("r1"), state.ask_to_cancel("r1"), state.is_cancelled("r1")) == (
        False,
        True,
        True,
    )
    assert (state.ask_to_cancel("r2"), state.ask_to_cancel("unknown"), state.is_cancelled("r2")) == (
        *(False, False, False),
    )
    state.update_run(a_run("r1", counts=(("done", 1),)))
    assert state.is_cancelled("r1")


def test_a_run_whose_process_died_reads_as_interrupted(state: SqliteState) -> None:
    pid = dead_pid()
    state.start_run(a_run("r1", pid=pid))
    state.start_run(a_run("r2", pid=pid, host="elsewhere"))
    state.start_run(a_run("r3"))
    assert [run.status for run in state.runs("", "", 10)] == ["running", "running", "interrupted"]
    assert not state.ask_to_cancel("r1")


def test_runs_beyond_the_newest_are_pruned_with_their_outcomes_but_running_ones_stay(
    state: SqliteState,
) -> None:
    state.start_run(a_run("alive"))
    state.start_run(a_run("lost", pid=dead_pid()))
    state.start_run(a_run("elsewhere", app="shop", status="done"))
    state.start_run(a_run("old", status="done"))
    state.put_outcomes("old", [{"entity": "a"}])
    state.put_task("flights", "dev", TASK.replace(run_id="old"))
    for number in range(KEPT_RUNS):
        state.start_run(a_run(f"new{number}", status="done"))
    kept = {run.run_id for run in state.runs("", "", 1000)}
    assert kept == {"alive", "elsewhere", *(f"new{number}" for number in range(KEPT_RUNS))}
    assert state.outcomes("old") == []
    assert len(state.tasks("flights", "dev")) == 1


def test_a_lease_excludes_others_until_it_is_given_back_and_tokens_only_grow(state: SqliteState) -> None:
    first = state.acquire("flights/dev", owner(), 60)
    assert state.acquire("flights/prod", owner(), 60).token == 1
    with pytest.raises(LeaseHeldError):
        state.acquire("flights/dev", owner(run_id="r2"), 60)
    assert state.is_valid("flights/dev", first.token)
    state.release(first)
    state.release(first)
    assert not state.is_valid("flights/dev", first.token)
    assert not state.renew(first, 60)
    second = state.acquire("flights/dev", owner(run_id="r2"), 60)
    state.release(first)
    assert second.token > first.token
    assert (state.is_valid("flights/dev", second.token), state.is_valid("flights/dev", first.token)) == (
        True,
        False,
    )


def test_a_held_lease_says_who_has_it_since_when_and_what_to_do(state: SqliteState) -> None:
    state.acquire("flights/dev", owner(os.getpid(), run_id="r1"), 60)
    with pytest.raises(LeaseHeldError) as caught:
        state.acquire("flights/dev", owner(run_id="r2"), 60)
    since = caught.value.facts["since"]
    ends = caught.value.why.partition("free at ")[2].partition(" ")[0]
    assert str(caught.value) == (
        "KDL-INFRA-001: 'flights/dev' is held by run 'r1'\n"
        f"  why: process {os.getpid()} on host '{this_host()}' has it since {since}; "
        f"it is free at {ends} unless prolonged\n"
        "  do: wait for that run, or stop it: kindling runs cancel r1"
    )


def test_an_expired_lease_is_free_and_may_be_renewed_until_somebody_takes_it(state: SqliteState) -> None:
    first = state.acquire("flights/dev", owner(host="elsewhere"), 0.05)
    time.sleep(0.06)
    assert not state.is_valid("flights/dev", first.token)
    assert state.renew(first, 0.05)
    assert state.is_valid("flights/dev", first.token)
    time.sleep(0.06)
    second = state.acquire("flights/dev", owner(), 60)
    assert second.token == first.token + 1
    assert not state.renew(first, 60)


def test_the_lease_of_a_dead_process_of_this_host_is_free_at_once_and_of_another_host_not(
    state: SqliteState,
) -> None:
    pid = dead_pid()
    state.acquire("here", owner(pid), 60)
    state.acquire("there", owner(pid, "elsewhere"), 60)
    assert state.acquire("here", owner(), 60).token == 2
    with pytest.raises(LeaseHeldError):
        state.acquire("there", owner(), 60)


def test_the_lease_of_a_killed_process_is_taken_over(state: SqliteState, tmp_path: Path) -> None:
    program = (
        "import os, sys; from kindling.run.sqlite import open_state\n"
        "from kindling.run.liveness import this_host\n"
        "state = open_state(sys.argv[1])\n"
        "state.acquire('k', {'pid': os.getpid(), 'host': this_host(), 'run_id': 'r0'}, 600)\n"
        "print('held', flush=True); sys.stdin.read()"
    )
    with python(program, str(tmp_path)) as process:
        assert process.stdout is not None
        assert process.stdout.readline() == "held\n"
        with pytest.raises(LeaseHeldError):
            state.acquire("k", owner(), 60)
        process.kill()  # not waited for: it is a zombie now
        until = time.monotonic() + 10
        while birth(process.pid) and time.monotonic() < until:
            time.sleep(0.01)
        assert state.acquire("k", owner(), 60).token == 2


def test_processes_that_race_for_a_lease_never_hold_it_together(tmp_path: Path) -> None:
    program = """
import os, sys
from kindling.errors import LeaseHeldError
from kindling.run.sqlite import open_state
from kindling.run.liveness import this_host
state = open_state(sys.argv[1])
owner = {"pid": os.getpid(), "host": this_host(), "run_id": "r"}
tokens = []
sys.stdin.readline()
while len(tokens) < 40:
    try:
        lease = state.acquire("k", owner, 60)
    except LeaseHeldError:
        continue
    with open(sys.argv[1] + "/inside", "x"):  # fails if another process is inside
        pass
    os.unlink(sys.argv[1] + "/inside")
    tokens.append(lease.token)
    state.release(lease)
print(*tokens)
"""
    racers = [python(program, str(tmp_path)) for _ in range(2)]
    tokens = [[int(word) for word in racer.communicate("\n")[0].split()] for racer in racers]
    assert all(mine == sorted(mine) for mine in tokens)
    assert sorted(tokens[0] + tokens[1]) == list(range(1, 81))


def test_an_id_that_another_process_got_later_is_not_taken_for_the_first(state: SqliteState) -> None:
    assert is_alive(os.getpid(), birth(os.getpid()))
    assert not is_alive(os.getpid(), "1")
    assert is_alive(0)
    assert is_alive(1)
    assert not is_alive(2**40)


WRITER = """
import sys
from kindling.records import TaskRecord
from kindling.run.sqlite import open_state
state = open_state(sys.argv[1])
for number in range(10**6):
    parts = (("code", "x" * 500),)
    state.put_task(sys.argv[2], "dev", TaskRecord(f"e{number % 50}", "*", str(number), parts, "1"))
    state.put_outcomes(sys.argv[2], [{"number": number}])
    print(number, flush=True)
"""


@pytest.mark.parametrize("attempt", range(4))
def test_a_kill_during_writes_loses_nothing_that_was_committed(tmp_path: Path, attempt: int) -> None:
    chance = random.Random(attempt)  # noqa: S311  # when to kill is no secret
    for app in ("one", "two", "three"):
        process = python(WRITER, str(tmp_path), app)
        assert process.stdout is not None
        process.stdout.readline()
        time.sleep(chance.random() * 0.05)
        os.kill(process.pid, signal.SIGKILL)
        told = max([int(line) for line in process.communicate()[0].split()], default=0)
        with sqlite3.connect(tmp_path / "state.db") as file:
            assert file.execute("PRAGMA integrity_check").fetchone() == ("ok",)
        file.close()
        state = open_state(str(tmp_path))
        newest = max(int(record.fingerprint) for record in state.tasks(app, "dev").values())
        assert newest >= told
        assert [outcome["number"] for outcome in state.outcomes(app)][: told + 1] == list(range(told + 1))
        state.close()


def test_processes_that_open_a_new_state_at_once_all_get_one(tmp_path: Path) -> None:
    program = (
        "import sys; from kindling.run.sqlite import open_state; from kindling.records import TaskRecord\n"
        "sys.stdin.readline(); state = open_state(sys.argv[1])\n"
        "state.put_task('a', 'e', TaskRecord(sys.argv[2], '*', 'f', (), '')); state.close()"
    )
    openers = [python(program, str(tmp_path), f"e{number}") for number in range(4)]
    time.sleep(0.2)
    for opener in openers:
        assert opener.stdin is not None
        opener.stdin.write("\n")
        opener.stdin.flush()
    for opener in openers:
        opener.communicate()
    assert [opener.returncode for opener in openers] == [0] * 4
    state = open_state(str(tmp_path))
    assert len(state.tasks("a", "e")) == 4
    state.close()


def test_threads_share_a_state(state: SqliteState) -> None:
    def work(name: str) -> None:
        for number in range(50):
            state.put_task("flights", "dev", TASK.replace(entity=f"{name}{number}"))
            state.tasks("flights", "dev")

    threads = [threading.Thread(target=work, args=(name,)) for name in "abcd"]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert len(state.tasks("flights", "dev")) == 200


def test_a_damaged_file_is_explained_kept_and_set_aside_only_on_demand(tmp_path: Path) -> None:
    path = tmp_path / "state.db"
    path.write_bytes(b"this is no database, " * 100)
    with pytest.raises(InfrastructureError) as caught:
        open_state(str(tmp_path))
    assert str(caught.value) == (
        f"KDL-STATE-001: the state '{path}' is damaged\n"
        "  why: file is not a database; nothing was changed, and no table of yours is affected\n"
        "  do: kindling doctor --set-state-aside (the file is kept under another name)"
    )
    assert path.read_bytes() == b"this is no database, " * 100
    kept = Path(set_aside(str(tmp_path)))
    assert kept.read_bytes() == b"this is no database, " * 100
    state = open_state(str(tmp_path))
    assert state.tasks("flights", "dev") == {}
    state.close()
    assert set_aside(str(tmp_path / "nowhere")) == ""


def test_damage_that_shows_later_is_explained_too(tmp_path: Path) -> None:
    state = open_state(str(tmp_path))
    for number in range(300):
        state.put_task("flights", "dev", TASK.replace(entity=f"e{number}"))
    state.close()
    path = tmp_path / "state.db"
    whole = path.read_bytes()
    path.write_bytes(whole[:8192] + os.urandom(len(whole) - 8192))
    state = open_state(str(tmp_path))
    with pytest.raises(InfrastructureError, match=r"KDL-STATE-001: the state '.*' is damaged"):
        state.tasks("flights", "dev")
    state.close()


def test_a_locked_file_is_explained_and_loses_nothing(tmp_path: Path) -> None:
    state = SqliteState(str(tmp_path), busy_s=0.05)
    state.put_task("flights", "dev", TASK)
    other = sqlite3.connect(tmp_path / "state.db", isolation_level=None)
    other.execute("BEGIN IMMEDIATE")
    with pytest.raises(InfrastructureError) as caught:
        state.put_task("flights", "dev", TASK.replace(fingerprint="f2"))
    assert str(caught.value) == (
        f"KDL-STATE-002: the state '{tmp_path / 'state.db'}' is locked by another process\n"
        "  why: it was not free within 0.05 s\n"
        "  do: end the program that holds it open (for example an SQLite browser) and run again"
    )
    assert state.tasks("flights", "dev")[("silver.a", "*")] == TASK
    other.execute("ROLLBACK")
    other.close()
    state.put_task("flights", "dev", TASK.replace(fingerprint="f2"))
    assert state.tasks("flights", "dev")[("silver.a", "*")].fingerprint == "f2"
    state.close()


def test_a_newer_schema_is_refused(tmp_path: Path) -> None:
    file = sqlite3.connect(tmp_path / "state.db")
    file.execute("PRAGMA user_version=99")
    file.close()
    with pytest.raises(InfrastructureError) as caught:
        open_state(str(tmp_path))
    assert str(caught.value) == (
        f"KDL-STATE-003: the state '{tmp_path / 'state.db'}' was written by a newer Kindling\n"
        f"  why: it has schema 99, this Kindling knows up to {len(MIGRATIONS)}\n"
        "  do: pip install --upgrade kindling-core"
    )


def test_a_missing_folder_is_explained(tmp_path: Path) -> None:
    with pytest.raises(InfrastructureError) as caught:
        open_state(str(tmp_path / "missing"))
    assert str(caught.value) == (
        f"KDL-STATE-004: the state '{tmp_path / 'missing' / 'state.db'}' cannot be used\n"
        "  why: unable to open database file\n"
        "  do: check that its folder exists, is writable and has free space"
    )


def test_a_closed_state_says_so(tmp_path: Path) -> None:
    state = open_state(str(tmp_path))
    state.close()
    with pytest.raises(InfrastructureError) as caught:
        state.tasks("flights", "dev")
    assert str(caught.value) == f"KDL-STATE-005: the state '{tmp_path / 'state.db'}' is closed"


def test_an_error_inside_a_transaction_undoes_it(state: SqliteState) -> None:
    def work(run: sqlite3.Connection) -> None:
        run.execute("DELETE FROM tasks")
        raise KeyError

    state.put_task("flights", "dev", TASK)
    with pytest.raises(KeyError):
        state._file.write(work)
    assert len(state.tasks("flights", "dev")) == 1


def test_a_task_is_stored_in_a_few_milliseconds(state: SqliteState) -> None:
    started = time.process_time()
    for number in range(200):
        state.put_task("flights", "dev", TASK.replace(entity=f"e{number}"))
    assert (time.process_time() - started) / 200 < 0.02


def test_the_import_is_light() -> None:
    heavy = (
        "dataclasses typing inspect json logging pathlib tomllib pluggy msgspec importlib.metadata threading"
    )
    program = f"import sys, kindling.run.sqlite; print([m for m in {heavy.split()} if m in sys.modules])"
    done = subprocess.run(
        [sys.executable, "-S", "-c", f"import sys; sys.path.insert(0, {os.getcwd()!r}); {program}"],  # noqa: PTH109
        capture_output=True,
        text=True,
        check=True,
    )
    assert done.stdout == "[]\n"


@pytest.mark.parametrize(
    ("change", "ask"),
    [
        ("UPDATE tasks SET seconds = 'soon'", lambda state: state.tasks("shop", "dev")),
        ("UPDATE runs SET started = 'yesterday'", lambda state: state.runs("", "", 9)),
        ("UPDATE runs SET counts = 'x'", lambda state: state.run("r1")),
        ("UPDATE outcomes SET body = 'null'", lambda state: state.outcomes("r1")),
    ],
)
def test_values_that_kindling_did_not_write_are_told_as_damage(
    tmp_path: Path, change: str, ask: Callable[[SqliteState], object]
) -> None:
    state = SqliteState(str(tmp_path))
    state.put_task("shop", "dev", TaskRecord("a", "*", "f", (), "1", (), "r1", "now", 1.0, 2))
    state.start_run(RunRecord("r1", "shop", "dev", "done", "{}", 1, "h", "2026-01-01T00:00:00Z"))
    state.put_outcomes("r1", [{"key": "a", "status": "done"}])
    with closing(sqlite3.connect(tmp_path / "state.db")) as connection:
        connection.execute(change)
        connection.commit()
    with pytest.raises(InfrastructureError) as caught:
        ask(state)
    state.close()
    assert str(caught.value).startswith(
        f"KDL-STATE-001: the state '{tmp_path}/state.db' is damaged\n"
        "  why: a row has a value that Kindling did not write ("
    )


def test_a_file_whose_names_are_no_text_is_told_as_damage(tmp_path: Path) -> None:
    SqliteState(str(tmp_path)).close()
    file = tmp_path / "state.db"
    data = file.read_bytes()
    assert data.count(b"CREATE INDEX runs_of_app") == 1
    file.write_bytes(data.replace(b"CREATE INDEX runs_of_app", b"CREATE INDEX \xe9uns_\xe9f_ap("))
    with pytest.raises(InfrastructureError) as caught:
        SqliteState(str(tmp_path)).tasks("shop", "dev")
    assert caught.value.code == "KDL-STATE-001"
