"""The token of one vault: renewed when two thirds of its time are over, replaced when it cannot be.

Readers never wait for a renewal while the present token is valid.
"""

from __future__ import annotations

import math
import threading
import time
import weakref
from collections.abc import Callable, Iterator
from contextlib import contextmanager

from kindling.errors import KindlingError
from kindling_plugin_vault.logins import Grant, Login
from kindling_plugin_vault.refusals import UNREACHABLE, Refused
from kindling_plugin_vault.server import Server

PART = 2 / 3
SHORTEST_S = 1.0
"""The shortest time between two tries to prolong a token whose end cannot be moved."""
LONGEST_S = 3600.0


class Tokens:
    """Hands out the token; safe for several threads.

    Args:
        login: How to get a token.
        server: Where tokens are renewed.
        timeout_s: How long the renewal in the background may take.
        new_login: Called after each login that replaces a refused token.
    """

    def __init__(
        self, login: Login, server: Server, *, timeout_s: float, new_login: Callable[[], None]
    ) -> None:
        self._login = login
        self._server = server
        self._timeout_s = timeout_s
        self._new_login = new_login
        self._lock = threading.Lock()
        self._grant: Grant | None = None
        self._period_s = math.inf
        self._due = 0.0
        self._watch: threading.Thread | None = None
        self._stop = threading.Event()
        weakref.finalize(self, self._stop.set)

    def current(self, until: float) -> Grant:
        """Return a valid token.

        Raises:
            ConfigError, Refused: What a login raises.
        """
        grant = self._grant
        if grant is not None and time.monotonic() < self._due:
            return grant
        if grant is not None and time.monotonic() < grant.ends and self._lock.locked():
            return grant  # another thread renews it, and it still is valid
        with self._alone(until):
            return self._checked(until)

    def replace(self, refused: Grant, until: float) -> Grant:
        """Return a token in place of one that the server refused: log in again, unless somebody did.

        Raises:
            ConfigError, Refused: What a login raises.
        """
        with self._alone(until):
            if self._grant is not None and self._grant.secret is not refused.secret:
                return self._grant
            self._new_login()
            return self._keep(self._login.log_in(until))

    def prolong(self) -> float | None:
        """Renew the token if it is time; return the seconds until the next time, None if there is none."""
        with self._lock:
            grant = self._grant
            if grant is None or time.monotonic() >= grant.ends:
                return None  # nobody reads now; the next reader logs in
            if time.monotonic() >= self._due:
                self._prolonged(grant, time.monotonic() + self._timeout_s)
            return min(max(self._due - time.monotonic(), 0.0), LONGEST_S)

    @contextmanager
    def _alone(self, until: float) -> Iterator[None]:
        """Wait for other threads that log in, no longer than the question may take."""
        if not self._lock.acquire(timeout=max(until - time.monotonic(), 0.0)):
            raise Refused(UNREACHABLE, "no login within the time limit")
        try:
            yield
        finally:
            self._lock.release()

    def _checked(self, until: float) -> Grant:
        now, grant = time.monotonic(), self._grant
        if grant is None or now >= grant.ends:
            return self._keep(self._login.log_in(until))
        if now < self._due:
            return grant
        return self._prolonged(grant, until)

    def _prolonged(self, grant: Grant, until: float) -> Grant:
        """Renew; log in where the whole time is no longer granted: the token nears its greatest age."""
        renewed = self._renewed(grant, until)
        if renewed is not None and renewed.ttl_s >= PART * self._period_s:
            return self._keep(renewed, period_s=self._period_s)
        try:
            fresh = self._login.log_in(until)
        except (KindlingError, Refused):
            # The present token still is valid: this is no reader's error yet, and it is tried again.
            return self._keep(renewed or grant, period_s=self._period_s, is_last=True)
        if fresh.secret.reveal() == grant.secret.reveal():
            return self._keep(renewed or grant, period_s=self._period_s, is_last=True)
        return self._keep(fresh)

    def _renewed(self, grant: Grant, until: float) -> Grant | None:
        if not grant.is_renewable:
            return None
        began = time.monotonic()
        try:
            answer = self._server.request(
                "post", "auth/token/renew-self", until=until, token=grant.secret, body={}
            )
        except Refused:
            return None
        ttl, renewable = answer.part("auth", "lease_duration"), answer.part("auth", "renewable")
        return Grant.of(grant.secret, began, ttl, renewable=renewable)

    def _keep(self, grant: Grant, *, period_s: float = 0.0, is_last: bool = False) -> Grant:
        """Remember a grant and when it is to be prolonged."""
        now = time.monotonic()
        self._grant = grant
        self._period_s = period_s or grant.ttl_s
        self._due = grant.began + PART * grant.ttl_s
        if is_last:
            self._due = min(now + max((grant.ends - now) / 2, SHORTEST_S), grant.ends)
        self._start_watch()
        return grant

    def _start_watch(self) -> None:
        """Renew in the background as well: a run may take long between two secrets."""
        if self._due == math.inf or (self._watch is not None and self._watch.is_alive()):
            return
        self._watch = threading.Thread(
            target=_watch, args=(weakref.ref(self), self._stop), name="kindling-vault-renewal", daemon=True
        )
        self._watch.start()


def _watch(of: weakref.ref[Tokens], stop: threading.Event) -> None:
    """Prolong the token until it ends, or nobody has the vault any more."""
    while True:
        tokens = of()
        rest = tokens.prolong() if tokens is not None else None
        del tokens
        if rest is None or stop.wait(rest):
            return
