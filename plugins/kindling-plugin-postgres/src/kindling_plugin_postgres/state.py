"""The state of runs in a PostgreSQL database, shared by several machines. Not the commits of tables.

Equal to the kernel's own SQLite state. Times of leases are the database's, so machines whose clocks differ
agree. A state that holds the lease of an app and environment stores task records only while its token is
the newest: that is looked at, and the row kept, in the transaction that stores the record.
"""

from __future__ import annotations

import json
import threading
from collections.abc import Mapping, Sequence
from uuid import uuid4

from kindling.errors import ConfigError
from kindling.hooks import Plain
from kindling.hooks.state import StateSpec
from kindling.records import Lease, RunRecord, TaskRecord
from kindling_plugin_postgres import leases, runs
from kindling_plugin_postgres.ledgers import Ledgers, Transaction
from kindling_plugin_postgres.servers import LONGEST_NAME, Server

_TASKS = """
SELECT entity, slice, fingerprint, parts, version, cursors, run_id, finished, seconds, rows
FROM {s}.kindling_tasks WHERE app = %s AND environment = %s ORDER BY entity COLLATE "C", slice COLLATE "C"
"""
_PUT_TASK = """
INSERT INTO {s}.kindling_tasks VALUES (%s, %s, %s, %s, %s, %s, %s, %s, %s, %s, %s, %s)
ON CONFLICT (app, environment, entity, slice) DO UPDATE SET fingerprint = excluded.fingerprint,
  parts = excluded.parts, version = excluded.version, cursors = excluded.cursors, run_id = excluded.run_id,
  finished = excluded.finished, seconds = excluded.seconds, rows = excluded.rows
"""
_FORGET = "DELETE FROM {s}.kindling_tasks WHERE app = %s AND environment = %s AND entity = ANY(%s)"


class PostgresState:
    """Implements `kindling.hooks.state.State`; safe for several threads, processes and machines."""

    def __init__(self, ledgers: Ledgers) -> None:
        self._ledgers = ledgers
        self._lock = threading.Lock()
        self._tokens: dict[str, int] = {}

    @classmethod
    def of(cls, spec: StateSpec) -> PostgresState:
        """Return the state that settings describe; connects when it is first used.

        Raises:
            ConfigError: KDL-STATE-303, no place is set; KDL-STATE-304, the schema's name is no name.
        """
        uri = str(spec.settings.get("uri") or "")
        if not uri:
            raise ConfigError(
                "KDL-STATE-303",
                "the state 'postgres' says no place",
                hint='add uri = "postgresql://host:5432/database" to [state.postgres]',
            )
        schema = str(spec.settings.get("schema") or "kindling")
        if len(schema.encode()) > LONGEST_NAME or "\0" in schema:
            raise ConfigError(
                "KDL-STATE-304",
                f"{schema!r} is no name of a schema",
                why=f"PostgreSQL keeps {LONGEST_NAME} bytes",
                hint="correct schema in [state.postgres]",
            )
        server = Server(uri, str(spec.settings.get("credential") or ""))
        return cls(Ledgers(server, spec.secret, schema))

    def tasks(self, app: str, environment: str) -> Mapping[tuple[str, str], TaskRecord]:
        """Return the newest successful record of each task, by (entity, slice text)."""
        rows = self._ledgers.run(lambda run: run.rows(_TASKS, app, environment))
        return {(str(row[0]), str(row[1])): _task(row) for row in rows}

    def put_task(self, app: str, environment: str, record: TaskRecord) -> None:
        """Store a successful task; replaces the older record.

        Raises:
            LeaseHeldError: KDL-STATE-305, this state's lease of the app and environment was taken by another.
        """
        key = f"{app}/{environment}"
        values = (
            *(app, environment, record.entity, record.slice, record.fingerprint, json.dumps(record.parts)),
            *(record.version, json.dumps(record.cursors), record.run_id, record.finished),
            *(record.seconds, record.rows),
        )

        def put(run: Transaction) -> None:
            with self._lock:
                token = self._tokens.get(key)
            if token is not None:
                leases.check(run, key, token)
            run.change(_PUT_TASK, *values)

        self._ledgers.run(put)

    def forget(self, app: str, environment: str, entities: Sequence[str]) -> None:
        """Drop the records of entities, all slices: they count as never run."""
        self._ledgers.run(lambda run: run.change(_FORGET, app, environment, list(entities)))

    def start_run(self, record: RunRecord) -> RunRecord:
        """Store a new run; returns the stored one where the id exists. Prunes runs beyond the newest 200."""
        return self._ledgers.run(lambda run: runs.start(run, record))

    def update_run(self, record: RunRecord) -> None:
        """Replace a run's record."""
        self._ledgers.run(lambda run: runs.update(run, record))

    def put_outcomes(self, run_id: str, outcomes: Sequence[Mapping[str, Plain]]) -> None:
        """Add outcomes to a run."""
        call = uuid4().hex  # a repetition after a lost answer adds none twice
        self._ledgers.run(lambda run: runs.put_outcomes(run, run_id, outcomes, call))

    def run(self, run_id: str) -> RunRecord | None:
        """Return one run; a unique prefix of its id is enough."""
        return self._ledgers.run(lambda run: runs.found(run, run_id))

    def runs(self, app: str, environment: str, limit: int) -> Sequence[RunRecord]:
        """Return the newest runs first; "" stands for every app or environment."""
        return self._ledgers.run(lambda run: runs.listed(run, app, environment, limit))

    def outcomes(self, run_id: str) -> Sequence[Mapping[str, Plain]]:
        """Return a run's outcomes in the order in which they ended."""
        return self._ledgers.run(lambda run: runs.outcomes(run, run_id))

    def ask_to_cancel(self, run_id: str) -> bool:
        """Ask the process that executes a run to cancel it; False if the run is not active."""
        return self._ledgers.run(lambda run: runs.ask_to_cancel(run, run_id))

    def is_cancelled(self, run_id: str) -> bool:
        """Tell whether `ask_to_cancel` was called for the run."""
        return self._ledgers.run(lambda run: runs.is_cancelled(run, run_id))

    def acquire(self, key: str, owner: Mapping[str, Plain], ttl_s: float) -> Lease:
        """Take a lease, with a fencing token greater than any given for this key before.

        A lease whose owner is a dead process of this host is free at once.

        Raises:
            LeaseHeldError: KDL-INFRA-001, somebody holds it; names the owner's pid, host and run.
        """
        nonce = uuid4().hex  # a repetition after a lost answer finds its own lease
        lease = self._ledgers.run(lambda run: leases.acquire(run, key, owner, ttl_s, nonce))
        with self._lock:
            self._tokens[key] = lease.token
        return lease

    def renew(self, lease: Lease, ttl_s: float) -> bool:
        """Prolong a lease; False if it was lost. One that expired while nobody took it is not lost."""
        return self._ledgers.run(lambda run: leases.renew(run, lease, ttl_s))

    def is_valid(self, key: str, token: int) -> bool:
        """Tell whether a fencing token is the newest of its key and its lease has not expired."""
        return self._ledgers.run(lambda run: leases.is_valid(run, key, token))

    def release(self, lease: Lease) -> None:
        """Give a lease back; its row stays, so that tokens only grow. Idempotent."""
        self._ledgers.run(lambda run: leases.release(run, lease))
        with self._lock:
            if self._tokens.get(lease.key) == lease.token:
                del self._tokens[lease.key]

    def close(self) -> None:
        """Close the connection. Idempotent."""
        self._ledgers.close()


def _task(row: Sequence[object]) -> TaskRecord:
    entity, part, fingerprint, parts, version, cursors, run_id, finished, seconds, rows = row
    return TaskRecord(
        entity=str(entity),
        slice=str(part),
        fingerprint=str(fingerprint),
        parts=_pairs(parts),
        version=str(version),
        cursors=_pairs(cursors),
        run_id=str(run_id),
        finished=str(finished),
        seconds=float(str(seconds)),
        rows=None if rows is None else int(str(rows)),
    )


def _pairs(told: object) -> tuple[tuple[str, str], ...]:
    return tuple((str(name), str(text)) for name, text in json.loads(str(told)))
