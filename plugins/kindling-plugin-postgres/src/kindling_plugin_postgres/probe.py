"""The state of a table without an engine: newest version and cursor. Not a reader of rows.

A version is `<oid>-<number>.<commit>-<shape>`, and `-<count>` more once somebody else has changed the table:
number and digest of Kindling's newest commit (a restored backup counts on from an older number), a digest of
the table's columns and of its file, and how many foreign transactions a trigger has noted since. A table
without that trigger has a digest over the identities of its rows instead: sound, at the price of a scan.

Source: PostgreSQL 15 manual, "System Columns" (ctid, xmin), "pg_class" (relfilenode), "CREATE TRIGGER".
"""

from __future__ import annotations

from kindling_plugin_postgres.servers import place_of, quoted

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable
    from typing import TypeVar

    import psycopg

    from kindling.addresses import Address
    from kindling_plugin_postgres.servers import Place

    T = TypeVar("T")

COMMIT_KEY = "kindling"
_TABLE = """
SELECT c.oid::bigint, c.relkind::text,
  EXISTS (SELECT FROM pg_trigger t JOIN pg_proc p ON p.oid = t.tgfoid
    WHERE t.tgrelid = c.oid AND t.tgenabled = 'A' AND p.proname = 'kindling_changed'),
  (SELECT substr(md5(coalesce(string_agg(
      attnum || ' ' || attname || ' ' || atttypid || ' ' || atttypmod || ' ' || attnotnull,
      ',' ORDER BY attnum
    ), '') || c.relfilenode), 1, 8)
    FROM pg_attribute WHERE attrelid = c.oid AND attnum > 0 AND NOT attisdropped)
"""
_FROM = (
    "FROM pg_class c JOIN pg_namespace n ON n.oid = c.relnamespace WHERE n.nspname = %s AND c.relname = %s"
)
_COUNTS = """,
  (SELECT number || '.' || substr(md5(run_id || fingerprint || committed), 1, 6)
    FROM kindling.kindling_commits WHERE relid = c.oid ORDER BY number DESC LIMIT 1),
  (SELECT count(*) FROM kindling.kindling_changes WHERE relid = c.oid)
"""
_ROWS = (
    "SELECT count(*) || '-' || coalesce(sum(hashtextextended("
    "ctid::text || ' ' || xmin::text || ' ' || tableoid::text, 0)), 0) FROM ONLY "
)
_SCANNED = "rpm"
"""Kinds of relations whose rows have identities: tables, partitioned ones, materialised views."""
_COMMITTED = """
SELECT k.version, k.info FROM kindling.kindling_commits k
JOIN pg_class c ON c.oid = k.relid JOIN pg_namespace n ON n.oid = c.relnamespace
WHERE n.nspname = %s AND c.relname = %s ORDER BY k.number DESC LIMIT 1
"""


class Look:
    """What a table is at the moment.

    Attributes:
        oid: Its object id.
        kind: `relkind`: `r` for a table.
        watched: Whether the trigger notes foreign changes.
        number: Number of Kindling's newest commit, 0 for none.
        version: The newest version's token; "" where it has to be computed by a scan.
    """

    __slots__ = ("kind", "number", "oid", "shape", "version", "watched")

    def __init__(self, row: tuple[object, ...]) -> None:
        self.oid = int(str(row[0]))
        self.kind = str(row[1])
        self.watched = bool(row[2])
        self.shape = str(row[3])
        commit, changes = str(row[4] or "0"), int(str(row[5]))
        self.number = int(commit.partition(".")[0])
        own = f"{self.oid}-{commit}-{self.shape}"
        self.version = "" if not self.watched else f"{own}-{changes}" if changes else own


def look(connection: psycopg.Connection, place: Place) -> Look | None:
    """Return what a table is; None if there is none. Without Kindling's own tables nothing is committed.

    Inside of a transaction those tables must exist: a failed statement would end it.
    """
    import psycopg

    names = (place.schema, place.table)
    try:
        row = connection.execute(_TABLE + _COUNTS + _FROM, names).fetchone()
    except (psycopg.errors.UndefinedTable, psycopg.errors.InvalidSchemaName):
        row = connection.execute(_TABLE + ", NULL, 0 " + _FROM, names).fetchone()
    return None if row is None else Look(row)


def token(connection: psycopg.Connection, place: Place) -> str | None:
    """Return the newest version; None if there is no table."""
    found = look(connection, place)
    if found is None or found.version:
        return found.version if found else None
    if found.kind not in _SCANNED:  # a view or a foreign table: nobody knows, so readers always run
        from uuid import uuid4

        return f"{found.oid}-{uuid4().hex}"
    name = f"{quoted(place.schema)}.{quoted(place.table)}"
    query = (_ROWS if found.kind != "p" else _ROWS.replace("ONLY ", "")) + name
    (rows,) = connection.execute(query.encode()).fetchone() or ("",)
    return f"{found.oid}-{found.shape}-{rows}"


def newest_commit(connection: psycopg.Connection, place: Place) -> tuple[str, str] | None:
    """Return (version right after it, text) of Kindling's newest commit, or None."""
    import psycopg

    try:
        row = connection.execute(_COMMITTED, (place.schema, place.table)).fetchone()
    except (psycopg.errors.UndefinedTable, psycopg.errors.InvalidSchemaName):
        return None
    return None if row is None else (str(row[0]), str(row[1]))


class _Connections:
    """One connection for each database, closed together."""

    def __init__(self, secret: Callable[[str], str] | None) -> None:
        self._secret = secret
        self._open: dict[tuple[str, str], psycopg.Connection] = {}

    def get(self, place: Place) -> psycopg.Connection:
        """Return the connection to a place's database."""
        key = (place.server.uri, place.server.credential)
        if key not in self._open:
            self._open[key] = place.server.connect(self._secret, autocommit=True)
        return self._open[key]

    def close(self) -> None:
        """Close all. Idempotent."""
        while self._open:
            self._open.popitem()[1].close()


class PostgresProbe:
    """A probe that may log in; its connections live as long as it does."""

    def __init__(self, secret: Callable[[str], str] | None) -> None:
        import weakref

        self._connections = _Connections(secret)
        weakref.finalize(self, self._connections.close)

    def version(self, address: Address) -> str | None:
        """Return the newest version's token, or None if there is no table."""
        return self._asked(address, token)

    def cursor(self, address: Address, key: str) -> str | None:
        """Return the text under `key` in the newest commit, or None."""
        found = self.committed(address, key)
        return None if found is None else found[1]

    def committed(self, address: Address, key: str) -> tuple[str, str] | None:
        """Return (version right after it, text) of Kindling's newest commit, or None."""
        return self._asked(address, newest_commit) if key == COMMIT_KEY else None

    def bounds(self, address: Address, column: str) -> tuple[str, str] | None:
        """Return the least and the greatest value of a time column, RFC 3339 UTC; None if empty.

        Raises:
            StoreError: KDL-STORE-001, there is no table; KDL-STORE-309, it is no time column.
        """
        from kindling_plugin_postgres.times import bounds_of

        entity = ".".join(address.parts)
        return self._asked(address, lambda connection, place: bounds_of(connection, place, entity, column))

    def close(self) -> None:
        """Close the connections. Idempotent."""
        self._connections.close()

    def _asked(self, address: Address, ask: Callable[[psycopg.Connection, Place], T]) -> T | None:
        """Ask; once more where a connection had been lost since the last question.

        Raises:
            ConnectionError: The database cannot be reached: planning says which entity needs it.
        """
        import psycopg

        from kindling_plugin_postgres.faults import DatabaseLostError, fault, is_lost

        place = place_of(address)
        for attempt in (1, 2):
            try:
                return ask(self._connections.get(place), place)
            except DatabaseLostError as error:
                raise ConnectionError(f"{error.what}: {error.why}") from None
            except psycopg.Error as error:
                self._connections.close()
                known = fault(error, ".".join(address.parts), place.shown, writes=False)
                if not is_lost(error):
                    raise known from error
                if attempt == 2:  # noqa: PLR2004  # the last one
                    raise ConnectionError(f"{known.what}: {known.why}") from None
        return None


def open_probe(secret: Callable[[str], str] | None) -> PostgresProbe:
    """Return a probe that resolves credentials; its connections end with it."""
    return PostgresProbe(secret)


def version(address: Address) -> str | None:
    """Return the newest version's token, or None if there is no table."""
    return _once(lambda probe: probe.version(address))


def cursor(address: Address, key: str) -> str | None:
    """Return the text under `key` in the newest commit, or None."""
    return _once(lambda probe: probe.cursor(address, key))


def committed(address: Address, key: str) -> tuple[str, str] | None:
    """Return (version right after it, text) of Kindling's newest commit, or None."""
    return _once(lambda probe: probe.committed(address, key))


def bounds(address: Address, column: str) -> tuple[str, str] | None:
    """Return the least and the greatest value of a time column, RFC 3339 UTC; None if empty."""
    return _once(lambda probe: probe.bounds(address, column))


def _once(ask: Callable[[PostgresProbe], T]) -> T:
    probe = open_probe(None)
    try:
        return ask(probe)
    finally:
        probe.close()
