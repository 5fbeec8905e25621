"""The intents `overwrite` and `append`, and the one transaction in which each write happens.

Its order: stage the rows, lock, look at the table again, change columns, change rows, note the commit, ask
the guard, commit. An overwrite deletes the rows and does not truncate: a reader with an older snapshot
would see an empty table, and each reader would have to wait.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, replace

import psycopg

from kindling.errors import CommitConflictError, StoreError
from kindling.hooks import Frame
from kindling.hooks.storage import Commit, WriteRequest
from kindling.schemas import Field
from kindling_plugin_postgres import bookkeeping, drift
from kindling_plugin_postgres.drift import Fit
from kindling_plugin_postgres.kinds import stored_type
from kindling_plugin_postgres.layout import Layout, check_names, layout_of
from kindling_plugin_postgres.probe import look
from kindling_plugin_postgres.servers import quoted
from kindling_plugin_postgres.staging import NAME, stage
from kindling_plugin_postgres.tables import Table


@dataclass(frozen=True, slots=True)
class Turn:
    """One write inside of its transaction, once the table is locked.

    Attributes:
        connection: The transaction.
        table: The table; it exists, with its new columns.
        request: What is asked.
        how: How the frame enters the table.
        layout: The table before; None where this write made it.
    """

    connection: psycopg.Connection
    table: Table
    request: WriteRequest
    how: Fit
    layout: Layout | None

    def run(self, statement: str) -> int:
        """Run a statement; return the number of rows that it touched."""
        return self.connection.execute(statement.encode()).rowcount

    def cast(self, column: Field) -> str:
        """Return the expression of a staged column, cast to the type in which the table has it."""
        own, name = f"s.{quoted(column.name)}", column.name
        old = self.layout.schema.field(name) if self.layout else None
        if self.layout is None or old is None or old.type != column.type or old.name != name:
            return own
        target = self.layout.column(name).takes
        return f"CAST({own} AS {target})" if target and target != stored_type(column.type) else own

    def insert(self, condition: str = "") -> int:
        """Insert the staged rows for which a condition holds."""
        names = ", ".join(quoted(field.name) for field in self.how.given.fields)
        values = ", ".join(self.cast(field) for field in self.how.given.fields)
        return self.run(f"INSERT INTO {self.table.sql} ({names}) SELECT {values} FROM {NAME} s{condition}")  # noqa: S608  # quoted names


Rows = Callable[[Turn], dict[str, int] | None]


def write(table: Table, frame: Frame, request: WriteRequest) -> Commit:
    """Overwrite or append in one transaction."""
    return transacted(table, frame, request, _append if request.intent.name == "append" else _overwrite)


def _append(turn: Turn) -> dict[str, int]:
    return {"rows_inserted": turn.insert(), "rows_updated": 0}


def _overwrite(turn: Turn) -> dict[str, int]:
    deleted = turn.run(f"DELETE FROM {turn.table.sql}") if turn.layout else 0  # noqa: S608  # a quoted name
    if turn.layout is not None:
        change_columns(turn, empties=True)
    return {"rows_inserted": turn.insert(), "rows_updated": 0, "rows_deleted": deleted}


def transacted(table: Table, frame: Frame, request: WriteRequest, change: Rows) -> Commit:
    """Carry out a write.

    Args:
        table: The table.
        frame: Exactly the columns of the request.
        request: What is asked.
        change: Changes rows once the table is locked and has its columns; returns counts, or None where
            nothing changed. An overwrite changes columns itself.

    Raises:
        CommitConflictError: KDL-STORE-311, the table changed while the rows were computed (transient).
    """
    check_names(table.name, table.place, request.schema)
    with table.connected(writes=True) as connection:
        bookkeeping.prepare(connection)
        connection.commit()
        earlier = bookkeeping.earlier_commit(connection, table, request)
        layout = _writable(connection, table)
        connection.commit()
        if earlier is not None:
            return earlier
        how = fit_of(table, layout, request)
        rows = drift.fitted(table.session, frame, request, how)
        connection.execute(f"SET LOCAL lock_timeout = {int(table.lock_timeout_s * 1000)}".encode())
        stage(connection, table.session, rows, table.name, how.given)
        request.guard()
        earlier = _lock(connection, table, request, layout)
        if earlier is not None:
            return earlier
        commit = _changed(Turn(connection, table, request, how, layout), change)
        request.guard()
        return replace(commit, warnings=(*commit.warnings, *how.warnings))


def fit_of(table: Table, layout: Layout | None, request: WriteRequest) -> Fit:
    """Decide how the frame enters the table."""
    if layout is None:
        return drift.new_table(request.schema)
    if request.drift == "replace" and request.intent.name == "overwrite":
        return drift.replaced(layout.schema, request.schema)
    return drift.fit(table.name, layout.schema, request)


def _writable(connection: psycopg.Connection, table: Table) -> Layout | None:
    layout = layout_of(connection, table.place, table.name)
    if layout is not None and layout.look.kind != "r":
        raise StoreError(
            "KDL-STORE-316",
            f"{table.name!r} cannot be written",
            why=f"{table.place.shown} is a view, a partitioned or a foreign table",
            hint="give the entity another place",
            uri=table.place.shown,
        )
    return layout


def _lock(
    connection: psycopg.Connection, table: Table, request: WriteRequest, layout: Layout | None
) -> Commit | None:
    """Keep other writers out, readers not; see that nobody changed the columns in between."""
    bookkeeping.lock(connection, table.sql)
    if layout is not None:
        connection.execute(f"LOCK TABLE {table.sql} IN SHARE ROW EXCLUSIVE MODE".encode())
    found = look(connection, table.place)
    if (found.version if found else None) == (layout.look.version or "?" if layout else None):
        return None  # nothing at all happened since the first look
    earlier = bookkeeping.earlier_commit(connection, table, request)
    now = layout_of(connection, table.place, table.name)
    if earlier is None and _shape(now) != _shape(layout):
        raise CommitConflictError(
            "KDL-STORE-311",
            f"another transaction is in the way of {table.name!r}",
            why="its columns changed, or it was made, while the rows were computed",
            hint="the task is planned again and retried",
            uri=table.place.shown,
        )
    return earlier


def _shape(layout: Layout | None) -> tuple[object, ...]:
    return (layout.look.oid, layout.columns) if layout else ()


def _changed(turn: Turn, change: Rows) -> Commit:
    warnings = _made(turn) if turn.layout is None else ()
    if turn.layout is not None and turn.request.intent.name != "overwrite":
        change_columns(turn, empties=False)
    if turn.layout is not None and not turn.layout.look.watched:
        bookkeeping.watch(turn.connection, turn.table)
    metrics = change(turn)
    if metrics is None:
        return bookkeeping.current(turn.connection, turn.table)
    commit = bookkeeping.record(turn.connection, turn.table, turn.request, turn.how.schema, metrics)
    return replace(commit, warnings=warnings)


def _made(turn: Turn) -> tuple[str, ...]:
    """Make the table, and its schema where it is missing."""
    place, columns = turn.table.place, turn.how.schema.fields
    connection = turn.connection
    if connection.execute("SELECT FROM pg_namespace WHERE nspname = %s", (place.schema,)).fetchone() is None:
        bookkeeping.lock(connection, f"schema {place.schema}")
        connection.execute(f"CREATE SCHEMA IF NOT EXISTS {quoted(place.schema)}".encode())
    connection.execute(f"CREATE TABLE {turn.table.sql} ({', '.join(map(_column, columns))})".encode())
    (relid,) = connection.execute("SELECT %s::regclass::oid::bigint", (turn.table.sql,)).fetchone() or (0,)
    bookkeeping.forget(connection, int(relid), place)
    bookkeeping.watch(connection, turn.table)
    if turn.request.partition_by:
        return (f"{turn.table.name!r} is not partitioned: PostgreSQL would need a table for each value",)
    return ()


def _column(field: Field) -> str:
    return f"{quoted(field.name)} {stored_type(field.type)}" + ("" if field.nullable else " NOT NULL")


def change_columns(turn: Turn, *, empties: bool) -> None:
    """Give the table its new columns: rights on it stay, and views where PostgreSQL lets them.

    Args:
        turn: The write.
        empties: Whether no row is left: types may become any other.
    """
    how = turn.how
    parts = [f"DROP COLUMN {quoted(name)}" for name in how.dropped]
    parts += [f"ADD COLUMN {_column(field)}" for field in how.added]
    for field in how.retyped:
        kind = stored_type(field.type)
        if kind == _stored_as(turn, field.name):
            continue  # only the neutral type changes
        using = f" USING NULL::{kind}" if empties else ""
        parts.append(f"ALTER COLUMN {quoted(field.name)} TYPE {kind}{using}")
    parts += [f"ALTER COLUMN {quoted(name)} DROP NOT NULL" for name in how.relaxed]
    parts += [f"ALTER COLUMN {quoted(name)} SET NOT NULL" for name in how.strict]
    if parts:
        turn.run(f"ALTER TABLE {turn.table.sql} {', '.join(parts)}")


def _stored_as(turn: Turn, name: str) -> str:
    return turn.layout.column(name).type if turn.layout else ""
