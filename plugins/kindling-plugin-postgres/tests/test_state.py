from __future__ import annotations

import os
import signal
import socket
import subprocess
import sys
import threading
from collections.abc import Callable, Iterator
from contextlib import closing

import psycopg
import pytest
from kindling_plugin_postgres.ledgers import Ledgers
from kindling_plugin_postgres.runs import KEPT_RUNS
from kindling_plugin_postgres.servers import Server
from kindling_plugin_postgres.state import PostgresState
from server import PASSWORD, USER, PostgresServer

from kindling.errors import KindlingError, LeaseHeldError
from kindling.hooks import Plain
from kindling.hooks.state import StateSpec
from kindling.polling import poll
from kindling.records import RunRecord, TaskRecord

Open = Callable[[], PostgresState]
Run = Callable[..., list[tuple[object, ...]]]
KEY = "shop/dev"
OWNER: dict[str, Plain] = {"pid": 4711, "host": "elsewhere", "run_id": "run-1"}
OTHER: dict[str, Plain] = {"pid": 4712, "host": "elsewhere", "run_id": "run-2"}
RECORD = TaskRecord("gold.a", "*", "f", (("code", "\0\ud800"),), "7")


@pytest.fixture
def open_state(server: PostgresServer, schema: str) -> Iterator[Open]:
    opened: list[PostgresState] = []

    def opens() -> PostgresState:
        opened.append(PostgresState.of(StateSpec("/p", {"uri": server.uri, "schema": f"State {schema}"})))
        return opened[-1]

    yield opens
    for state in opened:
        state.close()


@pytest.fixture
def state(open_state: Open) -> PostgresState:
    return open_state()


CONTENDER = """
import sys
from kindling.errors import LeaseHeldError
from kindling.hooks.state import StateSpec
from kindling_plugin_postgres.state import PostgresState

state = PostgresState.of(StateSpec("/p", {"uri": sys.argv[1], "schema": sys.argv[2]}))
state.tasks("shop", "dev")
print("ready", flush=True)
sys.stdin.readline()
try:
    lease = state.acquire("shop/dev", {"pid": 0, "host": "h" + sys.argv[3], "run_id": sys.argv[3]}, 600)
    print("won", lease.token, flush=True)
except LeaseHeldError:
    print("lost", flush=True)
state.close()
"""


def test_of_processes_that_take_a_lease_at_once_exactly_one_gets_it(
    server: PostgresServer, state: PostgresState, schema: str
) -> None:
    arguments = [sys.executable, "-c", CONTENDER, server.uri, f"State {schema}"]
    processes = [
        subprocess.Popen([*arguments, str(n)], stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True)
        for n in range(3)
    ]
    for process in processes:
        assert process.stdout is not None
        assert process.stdout.readline() == "ready\n"
    for process in processes:
        assert process.stdin is not None
        process.stdin.write("go\n")
        process.stdin.flush()
    said = sorted(process.communicate(timeout=60)[0].strip() for process in processes)
    assert said == ["lost", "lost", "won 1"]
    assert state.is_valid(KEY, 1) is True


def test_a_stale_token_stores_nothing_once_another_run_has_the_lease(open_state: Open) -> None:
    old, new = open_state(), open_state()
    lease = old.acquire(KEY, OWNER, 0.05)
    assert poll(lambda: not old.is_valid(KEY, lease.token), timeout_s=30)
    old.put_task(
        "shop", "dev", RECORD
    )  # expired, but nobody has taken it: no other run was planned meanwhile
    taken = new.acquire(KEY, OTHER, 600)
    with pytest.raises(LeaseHeldError) as caught:
        old.put_task("shop", "dev", RECORD.replace(fingerprint="late"))
    assert str(caught.value) == (
        "KDL-STATE-305: the lease of 'shop/dev' was lost before its record could be stored\n"
        "  why: run 'run-2' has taken it; nothing was stored\n"
        "  do: kindling runs list, then run again"
    )
    assert dict(new.tasks("shop", "dev")) == {("gold.a", "*"): RECORD}
    assert old.renew(lease, 600) is False
    old.put_task("crm", "dev", RECORD)
    new.put_task("shop", "dev", RECORD.replace(fingerprint="new"))
    new.release(taken)
    new.put_task("shop", "dev", RECORD)


def test_the_lease_is_kept_from_others_while_a_record_is_stored(
    open_state: Open, server: PostgresServer, schema: str
) -> None:
    holder, other = open_state(), open_state()
    holder.acquire(KEY, OWNER, 0.01)
    with psycopg.connect(server.uri) as blocker:
        blocker.execute(f'LOCK TABLE "State {schema}".kindling_tasks IN ACCESS EXCLUSIVE MODE')
        storing = threading.Thread(target=holder.put_task, args=("shop", "dev", RECORD))
        storing.start()
        waits = "SELECT 1 FROM pg_stat_activity WHERE wait_event_type = 'Lock' AND query LIKE %s"
        with psycopg.connect(server.uri, autocommit=True) as watcher:
            assert poll(lambda: watcher.execute(waits, ("%kindling_tasks%",)).fetchone(), timeout_s=30)
            taking = threading.Thread(target=other.acquire, args=(KEY, OTHER, 600))
            taking.start()
            assert poll(lambda: watcher.execute(waits, ("%kindling_leases%",)).fetchone(), timeout_s=30)
        blocker.rollback()
    storing.join(60)
    taking.join(60)
    assert dict(other.tasks("shop", "dev")) == {("gold.a", "*"): RECORD}
    assert other.is_valid(KEY, 2) is True


def test_a_held_lease_names_its_owner(state: PostgresState, open_state: Open) -> None:
    state.acquire(KEY, OWNER, 600)
    with pytest.raises(LeaseHeldError) as caught:
        open_state().acquire(KEY, OTHER, 600)
    since = str(caught.value.facts["since"])
    lines = str(caught.value).splitlines()
    assert lines[0] == "KDL-INFRA-001: 'shop/dev' is held by run 'run-1'"
    assert lines[1].startswith(
        f"  why: process 4711 on host 'elsewhere' has it since {since}; it is free at "
    )
    assert lines[2] == "  do: wait for that run, or stop it: kindling runs cancel run-1"


def test_a_dead_process_of_this_host_holds_nothing(state: PostgresState, open_state: Open) -> None:
    with subprocess.Popen([sys.executable, "-c", "input()"], stdin=subprocess.PIPE) as process:
        owner: dict[str, Plain] = {"pid": process.pid, "host": socket.gethostname(), "run_id": "r"}
        state.acquire(KEY, owner, 600)
        started = RunRecord("r", "shop", "dev", "running", "{}", process.pid, socket.gethostname(), "")
        state.start_run(started)
        with pytest.raises(LeaseHeldError):
            open_state().acquire(KEY, OTHER, 600)
        assert state.run("r") == started
        process.kill()
    assert open_state().acquire(KEY, OTHER, 600).token == 2
    found = state.run("r")
    assert (found.status if found else "") == "interrupted"


def test_a_repeated_question_has_its_effect_once(state: PostgresState, open_state: Open) -> None:
    from kindling_plugin_postgres import leases, runs

    ledgers = state._ledgers
    first = ledgers.run(lambda run: leases.acquire(run, KEY, OWNER, 600, "nonce"))
    assert ledgers.run(lambda run: leases.acquire(run, KEY, OWNER, 600, "nonce")) == first
    for _ in range(2):
        ledgers.run(lambda run: runs.put_outcomes(run, "r", [{"key": "a"}, {"key": "b"}], "call"))
    assert list(state.outcomes("r")) == [{"key": "a"}, {"key": "b"}]


def test_a_state_survives_the_restart_of_its_server(state: PostgresState, server: PostgresServer) -> None:
    lease = state.acquire(KEY, OWNER, 600)
    server.stop(signal.SIGQUIT)
    starting = threading.Timer(0.5, server.start)
    starting.start()
    state.put_task("shop", "dev", RECORD)
    starting.join(90)
    assert dict(state.tasks("shop", "dev")) == {("gold.a", "*"): RECORD}
    assert state.is_valid(KEY, lease.token) is True


def test_a_client_that_is_killed_leaves_no_half_record(
    server: PostgresServer, state: PostgresState, schema: str
) -> None:
    state.put_task("shop", "dev", RECORD)
    code = (
        "import sys, os; from kindling.hooks.state import StateSpec\n"
        "from kindling_plugin_postgres.state import PostgresState\n"
        "s = PostgresState.of(StateSpec('/p', {'uri': sys.argv[1], 'schema': sys.argv[2]}))\n"
        "def work(run):\n"
        "    run.change('DELETE FROM {s}.kindling_tasks')\n"
        "    os.kill(os.getpid(), 9)\n"
        "s._ledgers.run(work)\n"
    )
    done = subprocess.run([sys.executable, "-c", code, server.uri, f"State {schema}"], check=False)
    assert done.returncode == -signal.SIGKILL
    assert dict(state.tasks("shop", "dev")) == {("gold.a", "*"): RECORD}


def test_the_newest_runs_and_those_that_still_run_are_kept(state: PostgresState) -> None:
    pid, host = os.getpid(), socket.gethostname()
    state.start_run(RunRecord("active", "shop", "dev", "running", "{}", pid, host, ""))
    state.start_run(RunRecord("old", "shop", "dev", "done", "{}", 1, "h", ""))
    state.put_outcomes("old", [{"key": "a"}])

    def fill(run: object) -> None:
        run.change(  # type: ignore[attr-defined]  # a transaction
            "INSERT INTO {s}.kindling_runs (run_id, app, environment, status, request, pid, host, "
            "started, ended, exit_code, counts, born) "
            "SELECT 'r' || n, 'shop', 'dev', 'done', '', 0, '', '', '', NULL, '[]', '' "
            "FROM generate_series(1, %s) n",
            KEPT_RUNS - 1,
        )

    state._ledgers.run(fill)
    state.start_run(RunRecord("newest", "shop", "dev", "done", "{}", 1, "h", ""))
    kept = [run.run_id for run in state.runs("shop", "dev", 1000)]
    assert (kept[0], kept[-1], len(kept)) == ("newest", "active", KEPT_RUNS + 1)
    assert (state.run("old"), list(state.outcomes("old"))) == (None, [])


def test_the_clock_of_the_client_does_not_matter(state: PostgresState, sql: Run) -> None:
    lease = state.acquire(KEY, OWNER, 600)
    ((now,),) = sql("SELECT extract(epoch FROM clock_timestamp())::float8")
    assert 500 < lease.expires - float(str(now)) <= 600


def refused(spec: StateSpec) -> KindlingError:
    def ask() -> None:
        with closing(PostgresState.of(spec)) as state:
            state.tasks("shop", "dev")

    with pytest.raises(KindlingError) as caught:
        ask()
    return caught.value


def test_a_state_without_a_place_or_with_a_long_schema_is_refused() -> None:
    assert str(refused(StateSpec("/p"))) == (
        "KDL-STATE-303: the state 'postgres' says no place\n"
        '  do: add uri = "postgresql://host:5432/database" to [state.postgres]'
    )
    assert str(refused(StateSpec("/p", {"uri": "postgresql://h/d", "schema": "s" * 64}))) == (
        f"KDL-STATE-304: {'s' * 64!r} is no name of a schema\n"
        "  why: PostgreSQL keeps 63 bytes\n"
        "  do: correct schema in [state.postgres]"
    )


def test_a_login_that_is_refused_shows_no_password(server: PostgresServer) -> None:
    settings: dict[str, Plain] = {"uri": server.tcp_uri, "credential": "secret://v/x"}
    error = refused(StateSpec("/p", settings, lambda _: f"{USER}:hunter2-hunter2"))
    assert str(error) == (
        f"KDL-STATE-302: the state at {server.tcp_uri} refuses\n"
        f"  why: {server.tcp_uri} refuses the login: "
        'FATAL:  password authentication failed for user "kindling"\n'
        '  do: correct the uri, or set credential = "secret://..." of the location'
    )
    assert error.exit_code == 4
    state = PostgresState.of(StateSpec("/p", settings, lambda _: f"{USER}:{PASSWORD}"))
    assert dict(state.tasks("shop", "none")) == {}
    state.close()


def test_a_database_that_is_away_is_told_after_some_patience() -> None:
    ledgers = Ledgers(Server("postgresql:///db?host=/nowhere&port=1"), None, "s", patience_s=0.1)
    with pytest.raises(KindlingError) as caught:
        ledgers.run(lambda run: run.rows("SELECT 1"))
    lines = str(caught.value).splitlines()
    assert lines[0] == "KDL-STATE-301: the state at postgresql:///db cannot be reached"
    assert lines[-1] == "  do: see that the server runs; [state.postgres] in kindling.toml says where it is"


def test_what_the_database_refuses_is_told(state: PostgresState) -> None:
    with pytest.raises(KindlingError) as caught:
        state._ledgers.run(lambda run: run.rows("SELECT 1 / 0"))
    assert str(caught.value) == (
        "KDL-STATE-302: the state at postgresql:///kindling refuses\n"
        "  why: division by zero (22012)\n"
        "  do: see the login's rights in the plugin's README"
    )
