"""The connection of a state and the tables in it: one transaction for each question. No meaning of rows.

A question is asked again where the connection broke or another transaction was in the way: each of them
has the same effect when it is done twice.
"""

from __future__ import annotations

import threading
import time
from collections.abc import Callable
from typing import TypeVar

import psycopg
from psycopg import sql

from kindling.errors import InfrastructureError, KindlingError
from kindling_plugin_postgres.faults import DatabaseLostError, is_conflict, is_lost, said
from kindling_plugin_postgres.servers import Server

T = TypeVar("T")
PATIENCE_S = 20.0
"""For how long a question is asked again: a server needs some seconds for a restart."""
_MAKE = """
CREATE SCHEMA IF NOT EXISTS {schema};
CREATE TABLE IF NOT EXISTS {schema}.kindling_tasks (
  app text, environment text, entity text, slice text, fingerprint text NOT NULL, parts text NOT NULL,
  version text NOT NULL, cursors text NOT NULL, run_id text NOT NULL, finished text NOT NULL,
  seconds double precision NOT NULL, rows bigint, PRIMARY KEY (app, environment, entity, slice)
);
CREATE TABLE IF NOT EXISTS {schema}.kindling_runs (
  run_id text PRIMARY KEY, seq bigint GENERATED ALWAYS AS IDENTITY, app text NOT NULL,
  environment text NOT NULL, status text NOT NULL, request text NOT NULL, pid bigint NOT NULL,
  host text NOT NULL, started text NOT NULL, ended text NOT NULL, exit_code int, counts text NOT NULL,
  born text NOT NULL, cancel boolean NOT NULL DEFAULT false
);
CREATE TABLE IF NOT EXISTS {schema}.kindling_outcomes (
  seq bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY, run_id text NOT NULL, call text NOT NULL,
  place int NOT NULL, body text NOT NULL, UNIQUE (call, place)
);
CREATE INDEX IF NOT EXISTS kindling_outcomes_by_run ON {schema}.kindling_outcomes (run_id, seq);
CREATE TABLE IF NOT EXISTS {schema}.kindling_leases (
  key text PRIMARY KEY, token bigint NOT NULL, held boolean NOT NULL, expires double precision NOT NULL,
  since double precision NOT NULL, pid bigint NOT NULL, host text NOT NULL, run text NOT NULL,
  born text NOT NULL, nonce text NOT NULL
);
"""
_KEY = 0x6B696E64


class Ledgers:
    """The tables of a state in one schema; safe for several threads, which take turns.

    Args:
        server: The database.
        secret: Resolves its credential.
        schema: The schema of the tables, made if it is missing.
        patience_s: For how long a lost connection is made again.
    """

    def __init__(
        self,
        server: Server,
        secret: Callable[[str], str] | None,
        schema: str,
        *,
        patience_s: float = PATIENCE_S,
    ) -> None:
        self._server = server
        self._secret = secret
        self._schema = schema
        self._patience_s = patience_s
        self._lock = threading.RLock()
        self._connection: psycopg.Connection | None = None

    def run(self, work: Callable[[Transaction], T]) -> T:
        """Do a piece of work in a transaction; on any error it has done nothing.

        Raises:
            InfrastructureError: KDL-STATE-301, the database cannot be reached; KDL-STATE-302, it refuses.
        """
        deadline = time.monotonic() + self._patience_s
        pause = 0.02
        with self._lock:
            while True:
                try:
                    return self._once(work)
                except DatabaseLostError as error:
                    known = self._lost(f"{error.why}")
                except psycopg.Error as error:
                    if not (is_lost(error) or is_conflict(error)):
                        raise self._refused(said(error)) from error
                    known = self._lost(said(error))
                if time.monotonic() >= deadline:
                    raise known
                time.sleep(pause)
                pause = min(pause * 2, 1.0)

    def _once(self, work: Callable[[Transaction], T]) -> T:
        connection = self._open()
        try:
            with connection.transaction():
                return work(Transaction(connection, self._schema))
        except psycopg.Error as error:
            if is_lost(error):
                self.close()
            raise

    def _open(self) -> psycopg.Connection:
        if self._connection is None:
            try:
                made = self._server.connect(self._secret, autocommit=True)
            except DatabaseLostError:
                raise
            except KindlingError as error:
                raise self._refused(f"{error.what}: {error.why}", error.hint) from None
            try:
                self._prepare(made)
            except BaseException:
                made.close()
                raise
            self._connection = made
        return self._connection

    def _prepare(self, connection: psycopg.Connection) -> None:
        table = f"{sql.Identifier(self._schema).as_string(connection)}.kindling_leases"
        if connection.execute("SELECT to_regclass(%s) IS NOT NULL", (table,)).fetchone() == (True,):
            return
        with connection.transaction():
            connection.execute("SELECT pg_advisory_xact_lock(%s, hashtext(%s))", (_KEY, f"state {table}"))
            connection.execute(sql.SQL(_MAKE).format(schema=sql.Identifier(self._schema)))

    def _lost(self, text: str) -> InfrastructureError:
        return InfrastructureError(
            "KDL-STATE-301",
            f"the state at {self._server.shown} cannot be reached",
            why=text,
            hint="see that the server runs; [state.postgres] in kindling.toml says where it is",
        )

    def _refused(self, text: str, hint: str = "") -> InfrastructureError:
        return InfrastructureError(
            "KDL-STATE-302",
            f"the state at {self._server.shown} refuses",
            why=text,
            hint=hint or "see the login's rights in the plugin's README",
        )

    def close(self) -> None:
        """Close the connection. Idempotent."""
        with self._lock:
            if self._connection is not None:
                self._connection.close()
                self._connection = None


class Transaction:
    """Statements of one transaction; `{s}` in them is the schema of the tables."""

    def __init__(self, connection: psycopg.Connection, schema: str) -> None:
        self._connection = connection
        self._schema = sql.Identifier(schema)

    def rows(self, text: str, *values: object) -> list[tuple[object, ...]]:
        """Return the rows of a query."""
        return self._execute(text, values).fetchall()

    def change(self, text: str, *values: object) -> int:
        """Run a statement; return how many rows it touched."""
        return self._execute(text, values).rowcount

    def _execute(self, text: str, values: tuple[object, ...]) -> psycopg.Cursor[tuple[object, ...]]:
        query = sql.SQL(text).format(s=self._schema)
        return self._connection.execute(query, values)
