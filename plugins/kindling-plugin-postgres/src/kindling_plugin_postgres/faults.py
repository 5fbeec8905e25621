"""What an error of PostgreSQL means: passing or not, and its text without rows and without logins."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager

import psycopg

from kindling.errors import CommitConflictError, InfrastructureError, KindlingError, StoreError

_LOST = ("08", "57P", "53300", "58")
_CONFLICTS = {"40001", "40P01", "55P03", "23505", "42P07", "42P06", "42710"}
"""Serialization, deadlock, lock not available; and what two writers that make one table at once see."""


class DatabaseLostError(InfrastructureError):
    """The database did not answer, or the connection broke; nothing half was written (transient)."""

    transient = True


def lost(shown: str, text: str) -> DatabaseLostError:
    """Return the error for a server that went away or is not there."""
    return DatabaseLostError(
        "KDL-STORE-310",
        f"the connection to {shown} was lost",
        why=text,
        hint="the task is retried; see that the server runs and can be reached",
        uri=shown,
    )


def is_lost(error: psycopg.Error) -> bool:
    """Tell whether the connection is gone, or the server is on its way down or up."""
    state = error.sqlstate
    if state is None:
        return isinstance(error, (psycopg.OperationalError, psycopg.InterfaceError))
    return state.startswith(_LOST)


def is_conflict(error: psycopg.Error) -> bool:
    """Tell whether another transaction was in the way: the same work may succeed later."""
    return error.sqlstate in _CONFLICTS


def said(error: psycopg.Error) -> str:
    """Return the first line of what the server said: its details would show rows."""
    text = error.diag.message_primary or str(error).strip().partition("\n")[0]
    return f"{text} ({error.sqlstate})" if error.sqlstate else text


@contextmanager
def translated(entity: str, shown: str, *, writes: bool = True) -> Iterator[None]:
    """Turn the errors of PostgreSQL into Kindling's; others pass.

    Raises:
        DatabaseLostError: KDL-STORE-310, the connection broke (transient).
        CommitConflictError: KDL-STORE-311, another transaction was in the way (transient).
        StoreError: KDL-STORE-304, missing rights; KDL-STORE-305, other objects depend on the columns;
            KDL-STORE-306, anything else that the server refuses.
    """
    try:
        yield
    except KindlingError:
        raise
    except psycopg.Error as error:
        raise fault(error, entity, shown, writes=writes) from error


def fault(error: psycopg.Error, entity: str, shown: str, *, writes: bool = True) -> KindlingError:
    """Return Kindling's error for one of PostgreSQL."""
    if is_lost(error):
        return lost(shown, said(error))
    if is_conflict(error) and not (error.sqlstate == "23505" and error.diag.schema_name not in _OWN):
        return CommitConflictError(
            "KDL-STORE-311",
            f"another transaction is in the way of {entity!r}",
            why=said(error),
            hint="the task is planned again and retried",
            uri=shown,
        )
    if error.sqlstate == "42501":
        return StoreError(
            "KDL-STORE-304",
            f"{entity!r} may not be {'written' if writes else 'read'}",
            why=said(error),
            hint="grant the login the rights that the plugin's README lists",
            uri=shown,
        )
    if error.sqlstate == "2BP01" or "used by a view" in str(error.diag.message_primary):
        return StoreError(
            "KDL-STORE-305",
            f"the columns of {entity!r} cannot change",
            why=f"{said(error)}: a view or another object depends on them",
            hint="drop what depends on the table, run again, and create it anew",
            uri=shown,
        )
    return StoreError(
        "KDL-STORE-306",
        f"{entity!r} refuses {'the write' if writes else 'to be read'}",
        why=said(error),
        uri=shown,
    )


_OWN = ("kindling", "pg_catalog")
"""Schemas whose unique keys only two writers at once can break; in others a row breaks its table's own."""
