"""Runs and their outcomes. Each function works in a transaction that it is given."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence

from kindling.hooks import Plain
from kindling.records import RunRecord
from kindling_plugin_postgres.ledgers import Transaction
from kindling_plugin_postgres.liveness import birth, lives

KEPT_RUNS = 200
"""How many runs, with their outcomes, are kept of each app and environment."""
_SELECT = (
    "SELECT run_id, app, environment, status, request, pid, host, started, ended, exit_code, counts, born "
    "FROM {s}.kindling_runs "
)
_INSERT = (
    "INSERT INTO {s}.kindling_runs (run_id, app, environment, status, request, pid, host, started, ended, "
    "exit_code, counts, born) VALUES (%s, %s, %s, %s, %s, %s, %s, %s, %s, %s, %s, %s) "
    "ON CONFLICT (run_id) DO "
)
_UPDATE = (
    "UPDATE SET app = excluded.app, environment = excluded.environment, status = excluded.status, "
    "request = excluded.request, pid = excluded.pid, host = excluded.host, started = excluded.started, "
    "ended = excluded.ended, exit_code = excluded.exit_code, counts = excluded.counts, born = excluded.born"
)
_OLD = (
    "SELECT run_id FROM (SELECT run_id, status FROM {s}.kindling_runs WHERE app = %s AND environment = %s "
    "ORDER BY seq DESC OFFSET %s) old WHERE status <> 'running'"
)


def start(run: Transaction, record: RunRecord) -> RunRecord:
    """Store a new run; return the stored one where the id exists."""
    if run.change(_INSERT + "NOTHING", *_values(record)):
        _prune(run, record)
        return record
    return _run(run.rows(_SELECT + "WHERE run_id = %s", record.run_id)[0])


def update(run: Transaction, record: RunRecord) -> None:
    """Replace a run's record."""
    run.change(_INSERT + _UPDATE, *_values(record))


def put_outcomes(run: Transaction, run_id: str, outcomes: Sequence[Mapping[str, Plain]], call: str) -> None:
    """Add outcomes; a call that was made before adds none."""
    for place, outcome in enumerate(outcomes):
        run.change(
            "INSERT INTO {s}.kindling_outcomes (run_id, call, place, body) VALUES (%s, %s, %s, %s) "
            "ON CONFLICT (call, place) DO NOTHING",
            *(run_id, call, place, json.dumps(dict(outcome))),
        )


def found(run: Transaction, run_id: str) -> RunRecord | None:
    """Return one run by its id or a unique prefix."""
    query = _SELECT + "WHERE left(run_id, length(%s)) = %s ORDER BY run_id = %s DESC LIMIT 2"
    rows = run.rows(query, run_id, run_id, run_id) if run_id else []
    if not rows or (len(rows) > 1 and rows[0][0] != run_id):
        return None
    return _run(rows[0])


def listed(run: Transaction, app: str, environment: str, limit: int) -> list[RunRecord]:
    """Return the newest runs first."""
    query = _SELECT + (
        "WHERE (%s = '' OR app = %s) AND (%s = '' OR environment = %s) ORDER BY seq DESC LIMIT %s"
    )
    return [_run(row) for row in run.rows(query, app, app, environment, environment, limit)]


def outcomes(run: Transaction, run_id: str) -> list[Mapping[str, Plain]]:
    """Return a run's outcomes in the order in which they ended."""
    query = "SELECT body FROM {s}.kindling_outcomes WHERE run_id = %s ORDER BY seq"
    return [json.loads(str(body)) for (body,) in run.rows(query, run_id)]


def ask_to_cancel(run: Transaction, run_id: str) -> bool:
    """Mark an active run."""
    known = found(run, run_id)
    if known is None or known.status != "running":
        return False
    query = "UPDATE {s}.kindling_runs SET cancel = true WHERE run_id = %s AND status = 'running'"
    return run.change(query, known.run_id) == 1


def is_cancelled(run: Transaction, run_id: str) -> bool:
    """Tell whether a run was marked."""
    return bool(run.rows("SELECT 1 FROM {s}.kindling_runs WHERE run_id = %s AND cancel", run_id))


def _prune(run: Transaction, record: RunRecord) -> None:
    """Drop all but the newest runs of an app and environment; what still runs stays."""
    gone = [row[0] for row in run.rows(_OLD, record.app, record.environment, KEPT_RUNS)]
    if gone:
        run.change("DELETE FROM {s}.kindling_outcomes WHERE run_id = ANY(%s)", gone)
        run.change("DELETE FROM {s}.kindling_runs WHERE run_id = ANY(%s)", gone)


def _values(record: RunRecord) -> tuple[object, ...]:
    return (
        *(record.run_id, record.app, record.environment, record.status, record.request, record.pid),
        *(record.host, record.started, record.ended, record.exit_code, json.dumps(record.counts)),
        birth(record.pid, record.host),
    )


def _run(row: Sequence[object]) -> RunRecord:
    """Return a run as stored, but `interrupted` where its process on this host died without a word."""
    run_id, app, environment, status, request, pid, host, started, ended, exit_code, counts, born = row
    if status == "running" and not lives(int(str(pid)), str(host), str(born)):
        status = "interrupted"
    return RunRecord(
        run_id=str(run_id),
        app=str(app),
        environment=str(environment),
        status=str(status),
        request=str(request),
        pid=int(str(pid)),
        host=str(host),
        started=str(started),
        ended=str(ended),
        exit_code=None if exit_code is None else int(str(exit_code)),
        counts=tuple((str(name), int(str(count))) for name, count in json.loads(str(counts))),
    )
