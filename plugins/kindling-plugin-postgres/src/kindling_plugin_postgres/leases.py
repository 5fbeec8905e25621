"""Leases with fencing tokens, by the database's clock. Each function works in a transaction that it is given.

A row is locked before it is judged, so of several that take a lease at once exactly one gets it.
"""

from __future__ import annotations

import time
from collections.abc import Mapping

from kindling.errors import LeaseHeldError
from kindling.hooks import Plain
from kindling.records import Lease
from kindling_plugin_postgres.ledgers import Transaction
from kindling_plugin_postgres.liveness import birth, lives

# The row must be there to be locked: two that take a new key at once would both find none.
_ENSURE = (
    "INSERT INTO {s}.kindling_leases VALUES (%s, 0, false, 0, 0, 0, '', '', '', '') ON CONFLICT DO NOTHING"
)
_LOCKED = """
SELECT token, held, expires, since, pid, host, run, born, nonce, extract(epoch FROM clock_timestamp())
FROM {s}.kindling_leases WHERE key = %s FOR UPDATE
"""
_TAKE = """
UPDATE {s}.kindling_leases SET token = token + 1, held = true,
  expires = extract(epoch FROM clock_timestamp()) + %s, since = extract(epoch FROM clock_timestamp()),
  pid = %s, host = %s, run = %s, born = %s, nonce = %s
WHERE key = %s RETURNING token, expires
"""
_RENEW = """
UPDATE {s}.kindling_leases SET expires = extract(epoch FROM clock_timestamp()) + %s
WHERE key = %s AND token = %s AND held
"""
_VALID = """
SELECT 1 FROM {s}.kindling_leases
WHERE key = %s AND token = %s AND held AND expires > extract(epoch FROM clock_timestamp())
"""
_RELEASE = "UPDATE {s}.kindling_leases SET held = false WHERE key = %s AND token = %s"


def acquire(run: Transaction, key: str, owner: Mapping[str, Plain], ttl_s: float, nonce: str) -> Lease:
    """Take a lease.

    Raises:
        LeaseHeldError: KDL-INFRA-001, somebody holds it.
    """
    run.change(_ENSURE, key)
    ((token, held, expires, since, pid, host, holder, born, known, now),) = run.rows(_LOCKED, key)
    if held and known == nonce:
        return Lease(key, int(str(token)), float(str(expires)))
    runs_on = held and float(str(expires)) > float(str(now))
    if runs_on and lives(int(str(pid)), str(host), str(born)):
        raise _held(key, (since, expires), (pid, host, holder))
    own_pid, own_host = int(str(owner.get("pid") or 0)), str(owner.get("host", ""))
    who = (own_pid, own_host, str(owner.get("run_id", "")), birth(own_pid, own_host), nonce)
    ((taken, ends),) = run.rows(_TAKE, ttl_s, *who, key)
    return Lease(key, int(str(taken)), float(str(ends)))


def renew(run: Transaction, lease: Lease, ttl_s: float) -> bool:
    """Prolong a lease; False if it was lost."""
    return run.change(_RENEW, ttl_s, lease.key, lease.token) == 1


def is_valid(run: Transaction, key: str, token: int) -> bool:
    """Tell whether a token is the newest of its key and its lease has not expired."""
    return bool(run.rows(_VALID, key, token))


def release(run: Transaction, lease: Lease) -> None:
    """Give a lease back."""
    run.change(_RELEASE, lease.key, lease.token)


def check(run: Transaction, key: str, token: int) -> None:
    """Refuse a token that is not the newest; the row stays locked until the transaction ends.

    One that expired while nobody took it passes, as it does when it is renewed.

    Raises:
        LeaseHeldError: KDL-STATE-305, another run has taken the lease.
    """
    rows = run.rows(_LOCKED, key)
    if rows and int(str(rows[0][0])) == token and rows[0][1]:
        return
    run_id = str(rows[0][6]) if rows else ""
    raise LeaseHeldError(
        "KDL-STATE-305",
        f"the lease of {key!r} was lost before its record could be stored",
        why=f"run {run_id!r} has taken it; nothing was stored",
        hint="kindling runs list, then run again",
        key=key,
        run_id=run_id,
    )


def _held(key: str, times: tuple[object, object], owner: tuple[object, object, object]) -> LeaseHeldError:
    since, ends = (time.strftime("%Y-%m-%dT%H:%M:%SZ", time.gmtime(float(str(at)))) for at in times)
    pid, host, run_id = owner
    return LeaseHeldError(
        "KDL-INFRA-001",
        f"{key!r} is held by run {run_id!r}",
        why=f"process {pid} on host {host!r} has it since {since}; it is free at {ends} unless prolonged",
        hint=f"wait for that run, or stop it: kindling runs cancel {run_id}",
        key=key,
        pid=pid,
        host=host,
        run_id=run_id,
        since=since,
    )
