"""Which database an address means, and how to log in. No table is touched here.

A password is never part of a text: places are shown as host, port and database.
"""

from __future__ import annotations

import json
import re

from kindling.errors import StoreError

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable

    import psycopg

    from kindling.addresses import Address

LONGEST_NAME = 63
"""Bytes of an identifier; longer ones are cut without an error.

Source: PostgreSQL 15 manual, "Identifiers and Key Words", NAMEDATALEN.
"""
_SETTINGS = (
    "SET TIME ZONE 'UTC'; SET datestyle TO ISO; SET intervalstyle TO postgres; SET extra_float_digits TO 1; "
    "SET client_min_messages TO error; SET standard_conforming_strings TO on; "
    # The server ends the session of a client that a cut network took away: it may hold locks.
    "SET tcp_keepalives_idle TO 10; SET tcp_keepalives_interval TO 5; SET tcp_keepalives_count TO 4; "
    "SET tcp_user_timeout TO 30000; "
    # A commit that a crash may take back would be told to readers that were already made from it.
    "SELECT set_config('synchronous_commit', 'on', false) WHERE current_setting('synchronous_commit') = 'off'"
)
_CONNECT_S = 10
_KEEPALIVE = {
    "keepalives_idle": 10,
    "keepalives_interval": 5,
    "keepalives_count": 4,
    "tcp_user_timeout": 30_000,
}
"""A silent server counts as lost after half a minute, not after the two hours of the operating system.

Source: PostgreSQL 15 manual, "Parameter Key Words".
"""
_FIXED = (
    "authentication failed",
    "pg_hba.conf",
    "does not exist",
    "no password supplied",
    "is not permitted to log in",
    "could not translate host name",
    "certificate",
)
"""Of a failed login: what no retry mends. Another server's language makes it look passing, no more."""


class Server:
    """One database and who logs in.

    Attributes:
        uri: `postgresql://...` of the database, without a table.
        credential: A `secret://` reference, or "".
    """

    __slots__ = ("credential", "uri")

    def __init__(self, uri: str, credential: str = "") -> None:
        self.uri = uri
        self.credential = credential

    @property
    def shown(self) -> str:
        """The place for people: no user, no password, no options."""
        return re.sub(r"//[^/@]*@", "//", self.uri.partition("?")[0])

    def parameters(self, secret: Callable[[str], str] | None) -> dict[str, object]:
        """Return what libpq needs; the credential is resolved here.

        Raises:
            StoreError: KDL-STORE-301, the place or the credential is malformed.
        """
        import psycopg
        from psycopg.conninfo import conninfo_to_dict

        try:
            known: dict[str, object] = dict(conninfo_to_dict(self.uri))
        except psycopg.Error:  # its text shows the place with the password that may stand in it
            raise self._malformed("libpq cannot read it") from None
        if not known.get("dbname"):
            raise self._malformed("it names no database")
        known.setdefault("connect_timeout", _CONNECT_S)
        for name, value in _KEEPALIVE.items():
            known.setdefault(name, value)
        known.setdefault("application_name", "kindling")
        return {**known, **self._login(str(known.get("user") or ""), secret)}

    def _login(self, user: str, secret: Callable[[str], str] | None) -> dict[str, object]:
        if not self.credential:
            return {}
        if secret is None:
            raise StoreError(
                "KDL-STORE-302",
                f"the credential of {self.shown} cannot be resolved here",
                why="nobody who knows the project's vaults asks",
                where=self.credential,
            )
        text = secret(self.credential)
        if text.startswith("{"):
            try:
                return {str(name): str(value) for name, value in json.loads(text).items()}
            except ValueError:  # its text may show a part of the secret
                raise self._malformed("its credential begins with { and is no JSON object") from None
        name, colon, password = text.partition(":")
        if user or not colon:
            return {"password": text}
        return {"user": name, "password": password}

    def connect(
        self, secret: Callable[[str], str] | None = None, *, autocommit: bool = False
    ) -> psycopg.Connection:
        """Return a new connection whose times are UTC.

        Raises:
            StoreError: KDL-STORE-301, the place is malformed; KDL-STORE-303, the login is refused.
            DatabaseLostError: KDL-STORE-310, the server does not answer (transient).
        """
        import psycopg

        from kindling_plugin_postgres.faults import lost

        parameters = self.parameters(secret)
        try:
            made = psycopg.connect(**parameters, autocommit=True)  # type: ignore[arg-type]  # libpq's keywords
            made.execute(_SETTINGS)
            made.autocommit = autocommit
        except psycopg.ProgrammingError:  # an unknown keyword; its text may show a part of the credential
            raise self._malformed("libpq does not know all of its options") from None
        except psycopg.Error as error:
            lines = str(error).strip().splitlines() or [type(error).__name__]
            text = next((line for line in lines if "failed: " in line), lines[0]).rpartition("failed: ")[2]
            if any(word in str(error) for word in _FIXED):
                raise StoreError(
                    "KDL-STORE-303",
                    f"{self.shown} refuses the login",
                    why=text,
                    hint='correct the uri, or set credential = "secret://..." of the location',
                ) from None
            raise lost(self.shown, text) from None
        return made

    def _malformed(self, why: str) -> StoreError:
        return StoreError(
            "KDL-STORE-301",
            f"{self.shown!r} is no place in PostgreSQL",
            why=why,
            hint='write uri = "postgresql://host:5432/database"',
        )


class Place:
    """One table of one database.

    Attributes:
        server: The database.
        schema: The table's schema.
        table: Its name.
        joined: Whether the schema is made of several name parts, so that other parts may give it too.
    """

    __slots__ = ("joined", "schema", "server", "table")

    def __init__(self, server: Server, schema: str, table: str, *, joined: bool = False) -> None:
        self.server = server
        self.schema = schema
        self.table = table
        self.joined = joined

    @property
    def shown(self) -> str:
        """The place for people."""
        return f"{self.server.shown}/{self.schema}/{self.table}"


def place_of(address: Address) -> Place:
    """Return the table of an address.

    In a location, the last name part is the table, those before it are the schema, joined by `_`; one
    part alone is a table in `public`. Elsewhere the URL's path is database, schema and table. The option
    `table` (`schema.table` or `table`) names another one.

    Raises:
        StoreError: KDL-STORE-301, it is no place in PostgreSQL.
    """
    option = address.option("table")
    base, pieces = _split(address)
    if option:
        pieces = tuple(str(option).split(".", 1))
    server = Server(base, address.credential)
    if not base.startswith(("postgresql://", "postgres://")) or not pieces:
        raise StoreError(
            "KDL-STORE-301",
            f"{server.shown!r} is no place in PostgreSQL",
            why="expected postgresql://host:port/database",
            hint='write uri = "postgresql://host:5432/database"',
        )
    schema = "_".join(pieces[:-1]) or "public"
    return Place(server, schema, pieces[-1], joined=len(pieces) > 2)  # noqa: PLR2004  # schema and table


def _split(address: Address) -> tuple[str, tuple[str, ...]]:
    """Return the database's URI, and the name parts of schema and table."""
    if address.location:
        for start in range(len(address.parts)):
            tail = "/" + "/".join(address.parts[start:])
            if address.uri.endswith(tail):
                return address.uri[: -len(tail)], address.parts
        return address.uri, address.parts
    from urllib.parse import unquote, urlsplit, urlunsplit

    found = urlsplit(address.uri)
    database, *pieces = found.path.strip("/").split("/")
    return urlunsplit(found._replace(path=f"/{database}")), tuple(unquote(piece) for piece in pieces)


def quoted(name: str) -> str:
    """Return an identifier in quotes."""
    return '"' + name.replace('"', '""') + '"'
