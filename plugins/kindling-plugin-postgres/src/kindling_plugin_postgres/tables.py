"""One table at its address, through one session: where everything else starts from. Not an intent."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass

import psycopg

from kindling.addresses import Address
from kindling.hooks.platform import Session
from kindling_plugin_postgres.faults import translated
from kindling_plugin_postgres.servers import Place, place_of, quoted


@dataclass(frozen=True, slots=True)
class Table:
    """One table.

    Attributes:
        address: Where it is.
        session: The task's session.
        secret: Resolves the address's credential.
        lock_timeout_s: Seconds to wait for another writer.
    """

    address: Address
    session: Session
    secret: Callable[[str], str] | None = None
    lock_timeout_s: int = 60

    @property
    def name(self) -> str:
        """The name to show to people."""
        return ".".join(self.address.parts) or self.address.uri

    @property
    def place(self) -> Place:
        """The database, schema and table.

        Raises:
            StoreError: KDL-STORE-301, the address is no place in PostgreSQL.
        """
        return place_of(self.address)

    @property
    def sql(self) -> str:
        """The table's qualified name in SQL."""
        place = self.place
        return f"{quoted(place.schema)}.{quoted(place.table)}"

    @contextmanager
    def connected(self, *, writes: bool = False) -> Iterator[psycopg.Connection]:
        """Open a connection for one piece of work; its errors become Kindling's.

        A writing one is a transaction: committed at the end, rolled back on any error.
        """
        place = self.place
        with translated(self.name, place.shown, writes=writes):
            connection = place.server.connect(self.secret, autocommit=not writes)
            try:
                yield connection
                connection.commit()
            finally:
                connection.close()
