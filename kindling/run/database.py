"""The state's SQLite file: opened, migrated, locked, and its faults explained. Not what is kept in it."""

from __future__ import annotations

import os
import sqlite3
import time
from _thread import allocate_lock

from kindling.errors import InfrastructureError
from kindling.polling import poll

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable, Sequence
    from typing import TypeVar

    T = TypeVar("T")
    Cell = str | int | float | None

FILE = "state.db"
BUSY_S = 10.0
"""How long a write waits for other processes; a write takes well under a millisecond."""

MIGRATIONS: tuple[tuple[str, ...], ...] = (
    (
        """CREATE TABLE tasks (
            app TEXT, environment TEXT, entity TEXT, slice TEXT, fingerprint TEXT, parts TEXT, version TEXT,
            cursors TEXT, run_id TEXT, finished TEXT, seconds REAL, rows INTEGER,
            PRIMARY KEY (app, environment, entity, slice)) WITHOUT ROWID""",
        """CREATE TABLE runs (
            seq INTEGER PRIMARY KEY AUTOINCREMENT, run_id TEXT UNIQUE, app TEXT, environment TEXT,
            status TEXT, request TEXT, pid INTEGER, host TEXT, started TEXT, ended TEXT, exit_code INTEGER,
            counts TEXT, born TEXT, cancel INTEGER DEFAULT 0)""",
        "CREATE INDEX runs_of_app ON runs (app, environment, seq)",
        "CREATE TABLE outcomes (seq INTEGER PRIMARY KEY AUTOINCREMENT, run_id TEXT, body TEXT)",
        "CREATE INDEX outcomes_of_run ON outcomes (run_id, seq)",
        """CREATE TABLE leases (
            key TEXT PRIMARY KEY, token INTEGER, held INTEGER, expires REAL, since REAL, pid INTEGER,
            host TEXT, run TEXT, born TEXT) WITHOUT ROWID""",
    ),
)
"""Statements that lead from one `user_version` to the next; what was released is never changed."""

_CORRUPT = (sqlite3.SQLITE_CORRUPT, sqlite3.SQLITE_NOTADB)
_BUSY = (sqlite3.SQLITE_BUSY, sqlite3.SQLITE_LOCKED)


class Database:
    """One connection, used by one thread at a time; other processes may have theirs.

    WAL with `synchronous=NORMAL`: a killed process loses nothing that was committed, a power failure at
    most the last commits, and neither damages the file. Source: sqlite.org/pragma.html, "synchronous".
    Do not carry it across a fork.
    """

    def __init__(self, folder: str, *, busy_s: float = BUSY_S) -> None:
        self.path = os.path.join(folder, FILE)
        self._busy_s = busy_s
        self._lock = allocate_lock()
        self._connection: sqlite3.Connection | None = None
        try:
            self._connection = sqlite3.connect(
                self.path, timeout=busy_s, isolation_level=None, check_same_thread=False
            )
            self._prepare(self._connection)
        except (sqlite3.Error, UnicodeDecodeError) as error:
            self.close()
            raise self._explained(error) from error
        except BaseException:
            self.close()
            raise

    def _prepare(self, connection: sqlite3.Connection) -> None:
        connection.execute("PRAGMA synchronous=NORMAL")
        if self._version(connection) < len(MIGRATIONS):
            # Turning WAL on fails at once, without waiting, while another process does the same.
            poll(lambda: self._wal(connection), timeout_s=self._busy_s)
            connection.execute("BEGIN IMMEDIATE")
            for number in range(self._version(connection), len(MIGRATIONS)):
                for statement in MIGRATIONS[number]:
                    connection.execute(statement)
                connection.execute(f"PRAGMA user_version={number + 1:d}")
            connection.execute("COMMIT")

    def _version(self, connection: sqlite3.Connection) -> int:
        found = int(connection.execute("PRAGMA user_version").fetchone()[0])
        if found > len(MIGRATIONS):
            raise InfrastructureError(
                "KDL-STATE-003",
                f"the state '{self.path}' was written by a newer Kindling",
                why=f"it has schema {found}, this Kindling knows up to {len(MIGRATIONS)}",
                hint="pip install --upgrade kindling-core",
                path=self.path,
            )
        return found

    @staticmethod
    def _wal(connection: sqlite3.Connection) -> bool:
        try:
            return connection.execute("PRAGMA journal_mode=WAL").fetchone() is not None
        except sqlite3.OperationalError as error:
            if error.sqlite_errorcode & 0xFF in _BUSY:
                return False
            raise

    def read(self, query: str, *values: Cell) -> list[tuple[Cell, ...]]:
        """Return the rows of one query; it waits for no writer.

        Raises:
            InfrastructureError: As for `write`.
        """
        return self._guarded(lambda connection: connection.execute(query, values).fetchall())

    def write(self, work: Callable[[sqlite3.Connection], T]) -> T:
        """Do work in one transaction, which is undone if the work raises.

        Raises:
            InfrastructureError: KDL-STATE-001 damaged, -002 locked by others, -004 not usable, -005 closed.
        """

        def transact(connection: sqlite3.Connection) -> T:
            connection.execute("BEGIN IMMEDIATE")
            made = work(connection)
            connection.execute("COMMIT")
            return made

        return self._guarded(transact)

    def _guarded(self, work: Callable[[sqlite3.Connection], T]) -> T:
        with self._lock:
            connection = self._connection
            if connection is None:
                raise InfrastructureError(
                    "KDL-STATE-005", f"the state '{self.path}' is closed", path=self.path
                )
            try:
                return work(connection)
            except (sqlite3.Error, UnicodeDecodeError) as error:
                self._undo(connection)
                raise self._explained(error) from error
            except BaseException:
                self._undo(connection)
                raise

    def understood(self, convert: Callable[[Sequence[Cell]], T], row: Sequence[Cell]) -> T:
        """Return what a row means; where it means nothing, another program wrote it.

        Raises:
            InfrastructureError: KDL-STATE-001, the row is not one that Kindling wrote.
        """
        try:
            return convert(row)
        except (ValueError, TypeError, KeyError, OverflowError) as error:
            raise self._damaged(f"a row has a value that Kindling did not write ({error})") from None

    @staticmethod
    def _undo(connection: sqlite3.Connection) -> None:
        if connection.in_transaction:
            connection.execute("ROLLBACK")

    def _explained(self, error: sqlite3.Error | UnicodeDecodeError) -> InfrastructureError:
        if isinstance(error, UnicodeDecodeError):  # SQLite tells of what it read, and that is no text
            return self._damaged("its names are no text")
        code = getattr(error, "sqlite_errorcode", 0) & 0xFF
        if code in _CORRUPT:
            return self._damaged(str(error))
        if code in _BUSY:
            return InfrastructureError(
                "KDL-STATE-002",
                f"the state '{self.path}' is locked by another process",
                why=f"it was not free within {self._busy_s:g} s",
                hint="end the program that holds it open (for example an SQLite browser) and run again",
                path=self.path,
            )
        return InfrastructureError(
            "KDL-STATE-004",
            f"the state '{self.path}' cannot be used",
            why=str(error),
            hint="check that its folder exists, is writable and has free space",
            path=self.path,
        )

    def _damaged(self, why: str) -> InfrastructureError:
        return InfrastructureError(
            "KDL-STATE-001",
            f"the state '{self.path}' is damaged",
            why=f"{why}; nothing was changed, and no table of yours is affected",
            hint="kindling doctor --set-state-aside (the file is kept under another name)",
            path=self.path,
        )

    def close(self) -> None:
        """Close the connection. Idempotent."""
        with self._lock:
            if self._connection is not None:
                self._connection.close()
                self._connection = None


def set_aside(folder: str) -> str:
    """Rename a project's state file and what belongs to it; return the new path, or "" without a file.

    Nothing is deleted. The next opening makes a new state, in which all tasks count as never run.
    """
    path = os.path.join(folder, FILE)
    if not os.path.exists(path):
        return ""
    target = f"{path}.aside-{time.strftime('%Y%m%dT%H%M%SZ', time.gmtime())}"
    for suffix in ("", "-wal", "-shm"):
        if os.path.exists(path + suffix):
            os.rename(path + suffix, target + suffix)
    return target
