"""Kindling's own tables beside the data: commits, and which transactions changed a table. Not the data.

They stand in the schema `kindling` of the same database, so that data and commit are one transaction.
"""

from __future__ import annotations

import json

import psycopg

from kindling.errors import PolicyError, StoreError
from kindling.hooks.storage import Commit, CommitInfo, WriteRequest
from kindling.schemas import Schema
from kindling_plugin_postgres.probe import look, newest_commit, token
from kindling_plugin_postgres.servers import Place
from kindling_plugin_postgres.tables import Table

KEPT_COMMITS = 1000
"""Commits that are remembered of each table."""
LOCK = 0x6B696E64
"""First half of the keys of Kindling's advisory locks: the letters `kind`."""

_EXISTS = """
SELECT to_regprocedure('kindling.kindling_changed()') IS NOT NULL
  AND to_regclass('kindling.kindling_commits') IS NOT NULL
"""
_MAKE = """
CREATE SCHEMA IF NOT EXISTS kindling;
CREATE TABLE IF NOT EXISTS kindling.kindling_commits (
  relid oid NOT NULL, number bigint NOT NULL, version text NOT NULL,
  schema_name text NOT NULL, table_name text NOT NULL,
  app text NOT NULL, environment text NOT NULL, entity text NOT NULL, slice text NOT NULL,
  run_id text NOT NULL, fingerprint text NOT NULL, info text NOT NULL, types text NOT NULL,
  rows bigint, metrics text NOT NULL, committed timestamptz NOT NULL DEFAULT clock_timestamp(),
  PRIMARY KEY (relid, number)
);
CREATE INDEX IF NOT EXISTS kindling_commits_by_run ON kindling.kindling_commits (relid, run_id);
CREATE TABLE IF NOT EXISTS kindling.kindling_changes (
  relid oid NOT NULL, xid xid8 NOT NULL, PRIMARY KEY (relid, xid)
);
CREATE OR REPLACE FUNCTION kindling.kindling_changed() RETURNS trigger
LANGUAGE plpgsql SECURITY DEFINER SET search_path = pg_catalog, pg_temp AS $$
BEGIN
  INSERT INTO kindling.kindling_changes VALUES (TG_RELID, pg_current_xact_id()) ON CONFLICT DO NOTHING;
  RETURN NULL;
END $$;
"""
_TRIGGER = """
CREATE TRIGGER kindling_changed AFTER INSERT OR UPDATE OR DELETE OR TRUNCATE ON {table}
  FOR EACH STATEMENT EXECUTE FUNCTION kindling.kindling_changed();
ALTER TABLE {table} ENABLE ALWAYS TRIGGER kindling_changed;
"""
_FORGET = """
DELETE FROM kindling.kindling_commits c WHERE c.relid = %s
  OR (c.schema_name, c.table_name) = (%s, %s)
"""
_EARLIER = """
SELECT version, rows, metrics FROM kindling.kindling_commits
WHERE relid = %s AND run_id = %s AND fingerprint = %s AND slice = %s ORDER BY number DESC LIMIT 1
"""
_RECORD = """
INSERT INTO kindling.kindling_commits (relid, number, version, schema_name, table_name, app, environment,
  entity, slice, run_id, fingerprint, info, types, rows, metrics)
VALUES (%s, %s, %s, %s, %s, %s, %s, %s, %s, %s, %s, %s, %s, %s, %s)
"""
_SAY = "UPDATE kindling.kindling_commits SET version = %s WHERE relid = %s AND number = %s"
_PRUNE = "DELETE FROM kindling.kindling_commits WHERE relid = %s AND number <= %s"
_FOLD = "DELETE FROM kindling.kindling_changes WHERE relid = %s"

_UNNOTE = "DELETE FROM kindling.kindling_changes WHERE relid = %s AND xid = pg_current_xact_id()"


def prepare(connection: psycopg.Connection) -> None:
    """Make Kindling's own tables where they are missing; two that do so at once make them once."""
    if connection.execute(_EXISTS).fetchone() == (True,):
        return
    lock(connection, "bookkeeping")
    connection.execute(_MAKE)


def lock(connection: psycopg.Connection, name: str) -> None:
    """Wait until no other transaction of Kindling holds the lock of a name; it ends with the transaction."""
    connection.execute("SELECT pg_advisory_xact_lock(%s, hashtext(%s))", (LOCK, name))


def watch(connection: psycopg.Connection, table: Table) -> None:
    """Let a trigger note foreign changes of a table."""
    connection.execute(_TRIGGER.format(table=table.sql).encode())


def forget(connection: psycopg.Connection, relid: int, place: Place) -> None:
    """Forget commits of a dropped table whose name or id a new one has."""
    connection.execute(_FORGET, (relid, place.schema, place.table))
    connection.execute(_FOLD, (relid,))


def earlier_commit(connection: psycopg.Connection, table: Table, request: WriteRequest) -> Commit | None:
    """Refuse a foreign owner; return the commit that this very request has made before, if any.

    Raises:
        PolicyError: KDL-POL-001, another app or environment owns the table.
        StoreError: KDL-STORE-315, the table is another entity's: their names lead to one table.
    """
    place = table.place
    found, newest = look(connection, place), newest_commit(connection, place)
    if found is None or newest is None:
        return None
    wanted = request.info
    _refuse_foreign(table, place, CommitInfo.from_json(newest[1]), wanted)
    key = (found.oid, wanted.run_id, wanted.fingerprint, wanted.slice)
    row = connection.execute(_EARLIER, key).fetchone()
    if row is None:
        return None
    version, rows, metrics = row
    return Commit(version, rows, json.loads(metrics))


def _refuse_foreign(table: Table, place: Place, found: CommitInfo, wanted: CommitInfo) -> None:
    if (found.app, found.environment) != (wanted.app, wanted.environment):
        raise PolicyError(
            "KDL-POL-001",
            f"{table.name!r} belongs to the app {found.app!r} in {found.environment!r}",
            why=f"this run is app {wanted.app!r} in {wanted.environment!r}",
            where=place.shown,
            hint="give the entity another location, or read it with app.ref()",
            owner=found.app,
            owner_environment=found.environment,
        )
    if place.joined and found.entity != wanted.entity:
        raise StoreError(
            "KDL-STORE-315",
            f"the table of {wanted.entity!r} is that of {found.entity!r}",
            why=f"the names of both become {place.schema}.{place.table}",
            hint="rename one of them, or choose another naming.template",
            uri=place.shown,
        )


def record(
    connection: psycopg.Connection,
    table: Table,
    request: WriteRequest,
    stored: Schema,
    metrics: dict[str, int],
) -> Commit:
    """Store a commit in the transaction that wrote its rows; what others changed before is folded in."""
    place, info = table.place, request.info
    found = look(connection, place)
    if found is None:  # the table is locked: it cannot go
        raise AssertionError(place.shown)
    number = found.number + 1
    connection.execute(_FOLD, (found.oid,))
    types = json.dumps({field.name: field.type for field in stored.fields})
    rows = metrics.get("rows_inserted", 0) + metrics.get("rows_updated", 0)
    connection.execute(
        _RECORD,
        (
            *(found.oid, number, "", place.schema, place.table, info.app, info.environment),
            *(info.entity, info.slice, info.run_id, info.fingerprint, info.to_json(), types, rows),
            json.dumps(metrics),
        ),
    )
    connection.execute(_PRUNE, (found.oid, number - KEPT_COMMITS))
    version = token(connection, place) or ""
    connection.execute(_SAY, (version, found.oid, number))
    return Commit(version, rows, metrics)


def moves_cursors(connection: psycopg.Connection, table: Table, request: WriteRequest) -> bool:
    """Tell whether a commit without rows is needed: the first one, or one whose cursors moved on."""
    newest = newest_commit(connection, table.place)
    return newest is None or dict(CommitInfo.from_json(newest[1]).cursors) != dict(request.info.cursors)


def current(connection: psycopg.Connection, table: Table) -> Commit:
    """Return a commit that changed nothing: the version stays, what the trigger noted is dropped."""
    place = table.place
    found = look(connection, place)
    connection.execute(_UNNOTE, (found.oid if found else 0,))
    return Commit(token(connection, place) or "", 0, {"rows_inserted": 0, "rows_updated": 0})
