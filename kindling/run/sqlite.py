"""The state of a project in one local SQLite file. Not for several machines.

It is on the path of an unchanged run, so it imports neither pluggy nor json until they are needed; the
hook implementation stands in `kindling.run.sqlite_plugin`.
"""

from __future__ import annotations

import time

from kindling.errors import LeaseHeldError
from kindling.records import Lease, RunRecord, TaskRecord
from kindling.run.database import BUSY_S, Database
from kindling.run.liveness import birth, is_alive, this_host

TYPE_CHECKING = False
if TYPE_CHECKING:
    import sqlite3
    from collections.abc import Mapping, Sequence

    from kindling.hooks import Plain
    from kindling.run.database import Cell

KEPT_RUNS = 200
"""How many runs, with their outcomes, are kept of each app and environment."""

_SELECT_RUNS = (
    "SELECT run_id, app, environment, status, request, pid, host, started, ended, exit_code, counts, born "
    "FROM runs "
)
_INSERT_RUN = (
    "INSERT INTO runs (run_id, app, environment, status, request, pid, host, started, ended, exit_code, "
    "counts, born) VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?)"
)
_UPDATE_RUN = (
    "UPDATE runs SET run_id=?, app=?, environment=?, status=?, request=?, pid=?, host=?, started=?, ended=?, "
    "exit_code=?, counts=?, born=? WHERE run_id=?"
)
_PUT_TASK = "REPLACE INTO tasks VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?)"


def open_state(path: str) -> SqliteState:
    """Open the state in a project's `.kindling` folder, which exists."""
    return SqliteState(path)


class SqliteState:
    """Implements `kindling.hooks.state.State`; safe for several threads and processes."""

    def __init__(self, path: str, *, busy_s: float = BUSY_S) -> None:
        self._file = Database(path, busy_s=busy_s)

    def tasks(self, app: str, environment: str) -> Mapping[tuple[str, str], TaskRecord]:
        """Return the newest successful record of each task, by (entity, slice text)."""
        rows = self._file.read(
            "SELECT entity, slice, fingerprint, parts, version, cursors, run_id, finished, seconds, rows "
            "FROM tasks WHERE app=? AND environment=? ORDER BY entity, slice",
            app,
            environment,
        )
        return {(str(row[0]), str(row[1])): self._file.understood(_task, row) for row in rows}

    def put_task(self, app: str, environment: str, record: TaskRecord) -> None:
        """Store a successful task in one local write; replaces the older record."""
        values = (
            *(app, environment, record.entity, record.slice, record.fingerprint, _packed(record.parts)),
            *(record.version, _packed(record.cursors), record.run_id, record.finished),
            *(record.seconds, record.rows),
        )
        self._file.write(lambda run: run.execute(_PUT_TASK, values))

    def forget(self, app: str, environment: str, entities: Sequence[str]) -> None:
        """Drop the records of entities, all slices: they count as never run."""
        keys = [(app, environment, entity) for entity in entities]
        self._file.write(
            lambda run: run.executemany("DELETE FROM tasks WHERE app=? AND environment=? AND entity=?", keys)
        )

    def start_run(self, record: RunRecord) -> RunRecord:
        """Store a new run; returns the stored one where the id exists. Prunes runs beyond the newest 200."""

        def start(run: sqlite3.Connection) -> RunRecord:
            stored = run.execute(_SELECT_RUNS + "WHERE run_id=?", (record.run_id,)).fetchone()
            if stored is not None:
                return self._file.understood(_run, stored)
            _insert(run, record)
            _prune(run, record.app, record.environment)
            return record

        return self._file.write(start)

    def update_run(self, record: RunRecord) -> None:
        """Replace a run's record."""

        def update(run: sqlite3.Connection) -> None:
            done = run.execute(_UPDATE_RUN, (*_run_values(record), record.run_id))
            if not done.rowcount:
                _insert(run, record)

        self._file.write(update)

    def put_outcomes(self, run_id: str, outcomes: Sequence[Mapping[str, Plain]]) -> None:
        """Add outcomes to a run."""
        import json

        rows = [(run_id, json.dumps(dict(outcome), ensure_ascii=False)) for outcome in outcomes]
        self._file.write(
            lambda run: run.executemany("INSERT INTO outcomes (run_id, body) VALUES (?, ?)", rows)
        )

    def run(self, run_id: str) -> RunRecord | None:
        """Return one run; a unique prefix of its id is enough."""
        rows = self._file.read(
            _SELECT_RUNS + "WHERE substr(run_id, 1, length(?1))=?1 ORDER BY run_id=?1 DESC LIMIT 2",
            run_id,
        )
        if not run_id or not rows or (len(rows) > 1 and rows[0][0] != run_id):
            return None
        return self._file.understood(_run, rows[0])

    def runs(self, app: str, environment: str, limit: int) -> Sequence[RunRecord]:
        """Return the newest runs first; "" stands for every app or environment."""
        rows = self._file.read(
            _SELECT_RUNS + "WHERE (?1='' OR app=?1) AND (?2='' OR environment=?2) ORDER BY seq DESC LIMIT ?3",
            *(app, environment, limit),
        )
        return [self._file.understood(_run, row) for row in rows]

    def outcomes(self, run_id: str) -> Sequence[Mapping[str, Plain]]:
        """Return a run's outcomes in the order in which they ended."""
        rows = self._file.read("SELECT body FROM outcomes WHERE run_id=? ORDER BY seq", run_id)
        return [self._file.understood(_outcome, row) for row in rows]

    def ask_to_cancel(self, run_id: str) -> bool:
        """Ask the process that executes a run to cancel it; False if the run is not active."""
        found = self.run(run_id)
        if found is None or found.status != "running":
            return False
        query = "UPDATE runs SET cancel=1 WHERE run_id=? AND status='running'"
        return self._file.write(lambda run: run.execute(query, (found.run_id,)).rowcount) == 1

    def is_cancelled(self, run_id: str) -> bool:
        """Tell whether `ask_to_cancel` was called for the run."""
        return bool(self._file.read("SELECT 1 FROM runs WHERE run_id=? AND cancel", run_id))

    def acquire(self, key: str, owner: Mapping[str, Plain], ttl_s: float) -> Lease:
        """Take a lease, with a fencing token greater than any given for this key before.

        A lease whose owner is a dead process of this host is free at once.

        Args:
            key: What is held, for example `flights/dev`.
            owner: `pid`, `host` and `run_id` of the run that takes it.
            ttl_s: Seconds after which it expires unless it is renewed.

        Raises:
            LeaseHeldError: KDL-INFRA-001, somebody holds it; names the owner's pid, host and run.
        """
        pid, host = int(str(owner.get("pid") or 0)), str(owner.get("host", ""))
        who = (pid, host, str(owner.get("run_id", "")), _born(pid, host))

        def take(run: sqlite3.Connection) -> Lease:
            now = time.time()
            query = "SELECT token, held, expires, since, pid, host, run, born FROM leases WHERE key=?"
            row = run.execute(query, (key,)).fetchone()
            if row is not None and row[1] and row[2] > now and _lives(row[4], row[5], row[7]):
                raise _held(key, row)
            lease = Lease(key, row[0] + 1 if row else 1, now + ttl_s)
            values = (key, lease.token, 1, lease.expires, now, *who)
            run.execute("REPLACE INTO leases VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?)", values)
            return lease

        return self._file.write(take)

    def renew(self, lease: Lease, ttl_s: float) -> bool:
        """Prolong a lease; False if it was lost. One that expired while nobody took it is not lost."""
        values = (time.time() + ttl_s, lease.key, lease.token)
        query = "UPDATE leases SET expires=? WHERE key=? AND token=? AND held"
        return self._file.write(lambda run: run.execute(query, values).rowcount) == 1

    def is_valid(self, key: str, token: int) -> bool:
        """Tell whether a fencing token is the newest of its key and its lease has not expired."""
        query = "SELECT 1 FROM leases WHERE key=? AND token=? AND held AND expires>?"
        return bool(self._file.read(query, key, token, time.time()))

    def release(self, lease: Lease) -> None:
        """Give a lease back; its row stays, so that tokens only grow. Idempotent."""
        values = (lease.key, lease.token)
        self._file.write(lambda run: run.execute("UPDATE leases SET held=0 WHERE key=? AND token=?", values))

    def close(self) -> None:
        """Release the file. Idempotent."""
        self._file.close()


def _insert(run: sqlite3.Connection, record: RunRecord) -> None:
    run.execute(_INSERT_RUN, _run_values(record))


def _prune(run: sqlite3.Connection, app: str, environment: str) -> None:
    """Drop all but the newest runs of an app and environment; what still runs stays."""
    query = _SELECT_RUNS + "WHERE app=? AND environment=? ORDER BY seq DESC LIMIT -1 OFFSET ?"
    old = [_run(row) for row in run.execute(query, (app, environment, KEPT_RUNS)).fetchall()]
    gone = [(record.run_id,) for record in old if record.status != "running"]
    run.executemany("DELETE FROM outcomes WHERE run_id=?", gone)
    run.executemany("DELETE FROM runs WHERE run_id=?", gone)


def _run_values(record: RunRecord) -> tuple[Cell, ...]:
    return (
        *(record.run_id, record.app, record.environment, record.status, record.request, record.pid),
        *(record.host, record.started, record.ended, record.exit_code),
        _packed([(name, str(count)) for name, count in record.counts]),
        _born(record.pid, record.host),
    )


def _run(row: Sequence[Cell]) -> RunRecord:
    """Return a run as stored, but `interrupted` where its process died without a word."""
    run_id, app, environment, status, request, pid, host, started, ended, exit_code, counts, born = row
    for moment in (started, ended or started):
        _check_moment(str(moment))
    if status == "running" and not _lives(pid, host, born):
        status = "interrupted"
    return RunRecord(
        run_id=str(run_id),
        app=str(app),
        environment=str(environment),
        status=str(status),
        request=str(request),
        pid=int(pid or 0),
        host=str(host),
        started=str(started),
        ended=str(ended),
        exit_code=None if exit_code is None else int(exit_code),
        counts=tuple((name, int(count)) for name, count in _unpacked(str(counts))),
    )


def _check_moment(text: str) -> None:
    """Raise ValueError where a text is no instant."""
    from datetime import datetime

    datetime.fromisoformat(text)


def _task(row: Sequence[Cell]) -> TaskRecord:
    entity, part, fingerprint, parts, version, cursors, run_id, finished, seconds, rows = row
    return TaskRecord(
        entity=str(entity),
        slice=str(part),
        fingerprint=str(fingerprint),
        parts=_unpacked(str(parts)),
        version=str(version),
        cursors=_unpacked(str(cursors)),
        run_id=str(run_id),
        finished=str(finished),
        seconds=float(seconds or 0),
        rows=None if rows is None else int(rows),
    )


def _outcome(row: Sequence[Cell]) -> Mapping[str, Plain]:
    import json

    found: Mapping[str, Plain] = json.loads(str(row[0]))
    if not isinstance(found, dict):
        raise TypeError("an outcome is an object")
    return found


def _born(pid: int, host: str) -> str:
    return birth(pid) if host == this_host() else ""


def _lives(pid: Cell, host: Cell, born: Cell) -> bool:
    """Tell whether an owner lives; one on another host counts as alive until its lease expires."""
    return host != this_host() or is_alive(int(pid or 0), str(born))


def _held(key: str, row: Sequence[Cell]) -> LeaseHeldError:
    since, ends = (time.strftime("%Y-%m-%dT%H:%M:%SZ", time.gmtime(float(str(row[at])))) for at in (3, 2))
    pid, host, run = row[4:7]
    return LeaseHeldError(
        "KDL-INFRA-001",
        f"{key!r} is held by run {run!r}",
        why=f"process {pid} on host {host!r} has it since {since}; it is free at {ends} unless prolonged",
        hint=f"wait for that run, or stop it: kindling runs cancel {run}",
        key=key,
        pid=pid,
        host=host,
        run_id=run,
        since=since,
    )


# Pairs of texts as one text: json costs 11 ms to import, half of what an unchanged run takes. Each text
# is followed by a separator, and the separators in texts are escaped.
_ESCAPES = (("\\", "\\\\"), ("\x1f", "\\u"), ("\x1e", "\\r"))


def _packed(pairs: Sequence[tuple[str, str]]) -> str:
    return "\x1e".join([f"{_escaped(name)}\x1f{_escaped(text)}" for name, text in pairs])


def _unpacked(text: str) -> tuple[tuple[str, str], ...]:
    if not text:
        return ()
    pairs = [pair.partition("\x1f") for pair in text.split("\x1e")]
    if "\\" not in text:
        return tuple([(name, value) for name, _, value in pairs])
    return tuple([(_plain(name), _plain(value)) for name, _, value in pairs])


def _escaped(text: str) -> str:
    if "\\" in text or "\x1f" in text or "\x1e" in text:
        for letter, escape in _ESCAPES:
            text = text.replace(letter, escape)
    return text


def _plain(text: str) -> str:
    parts = text.split("\\\\")
    return "\\".join([part.replace("\\u", "\x1f").replace("\\r", "\x1e") for part in parts])
