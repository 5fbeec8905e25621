"""The target `http`: posts each event to a collector. It keeps nothing, and repeats no word of an answer.

Source: OpenLineage specification, "HTTP transport": POST, JSON, a bearer token, read 2026-11.
"""

from __future__ import annotations

import http.client
import socket
import ssl
import time
from collections.abc import Callable, Sequence
from contextlib import suppress
from email.utils import parsedate_to_datetime
from urllib.parse import urlsplit

from kindling.errors import KindlingError
from kindling_plugin_openlineage import __version__
from kindling_plugin_openlineage.targets import AwayError, RefusedError

LONGEST_WAIT_S = 600.0
"""The most that a collector's Retry-After is believed."""
_MOST_ANSWER_BYTES = 1 << 16
_MISCONFIGURED = frozenset({301, 302, 303, 307, 308, 401, 403, 404, 405, 407})
"""Answers that no event changes: to a wrong address or key. Redirects would carry the key elsewhere."""
_PASSING = frozenset({408, 425, 429})


class Collector:
    """A target; used by one thread, stopped by another.

    Args:
        address: Where events are posted.
        timeout_s: Seconds of silence after which a request is given up.
        ca_file: Authorities that its certificate is checked by; "" for the system's.
        key: Returns the bearer token; None for none. Asked for once, at the first event.
    """

    name = "http"
    batch = 1

    def __init__(
        self, address: str, timeout_s: float, ca_file: str = "", key: Callable[[], str] | None = None
    ) -> None:
        self._address = address
        self._timeout_s = timeout_s
        self._ca_file = ca_file
        self._key = key
        self._headers: dict[str, str] = {}
        self._connection: http.client.HTTPConnection | None = None
        self._is_stopped = False

    def __str__(self) -> str:
        """Return the address."""
        return self._address

    def send(self, lines: Sequence[bytes]) -> None:
        """Post events.

        Raises:
            AwayError: The collector does not take it now.
            RefusedError: It never takes this one.
        """
        for line in lines:
            self._post(line.rstrip(b"\n"))

    def stop(self) -> None:
        """Make the request that is under way, and each later one, fail at once."""
        self._is_stopped = True
        connection = self._connection
        if connection is not None and connection.sock is not None:
            with suppress(OSError):
                connection.sock.shutdown(socket.SHUT_RDWR)

    def close(self) -> None:
        """Close the connection. Idempotent."""
        connection, self._connection = self._connection, None
        if connection is not None:
            connection.close()

    def _post(self, body: bytes) -> None:
        headers = self._known_headers()
        is_reused = self._connection is not None
        try:
            status, wait = self._asked(body, headers)
        except (http.client.HTTPException, OSError) as error:
            self.close()
            # a collector may close a connection that was idle; a new one is then as good as the first
            if is_reused and isinstance(error, (http.client.RemoteDisconnected, ConnectionError)):
                self._post(body)
                return
            raise AwayError(f"{self._address}: {_described(error)}") from error
        if 200 <= status < 300:  # noqa: PLR2004  # what HTTP calls success
            return
        why = f"{self._address}: it answered with status {status}"
        if status in _MISCONFIGURED:
            raise AwayError(why, is_final=True)
        if status in _PASSING or status >= 500:  # noqa: PLR2004  # what HTTP calls a fault of the server
            raise AwayError(why, wait_s=wait)
        raise RefusedError(why)

    def _known_headers(self) -> dict[str, str]:
        if not self._headers:
            made = {
                "Content-Type": "application/json",
                "User-Agent": f"kindling-plugin-openlineage/{__version__}",
            }
            if self._key is not None:
                made["Authorization"] = f"Bearer {self._resolved(self._key)}"
            self._headers = made
        return self._headers

    def _resolved(self, key: Callable[[], str]) -> str:
        try:
            text = key()
        except KindlingError as error:
            why = f"{self._address}: its key cannot be resolved: {error.code}: {error.what}"
            raise AwayError(why, is_final=not error.transient) from error
        except Exception as error:  # a vault is foreign code, and must not end the thread unheard
            why = f"{self._address}: its key cannot be resolved: {type(error).__name__}"
            raise AwayError(why) from error
        if not text or not text.isascii() or not text.isprintable():
            raise AwayError(f"{self._address}: its key has letters that no header may have", is_final=True)
        return text

    def _asked(self, body: bytes, headers: dict[str, str]) -> tuple[int, float]:
        """Post once; return the status, and the seconds that the collector wants to be left alone."""
        if self._is_stopped:
            raise AwayError(f"{self._address}: it did not answer in time", is_final=True)
        connection = self._connection = self._connection or self._opened()
        parts = urlsplit(self._address)
        connection.request("POST", parts.path or "/", body, headers)
        answer = connection.getresponse()
        rest = answer.read(_MOST_ANSWER_BYTES)
        wait = _wait_s(answer.headers.get("Retry-After", ""))
        if len(rest) == _MOST_ANSWER_BYTES or answer.will_close:
            self.close()
        return answer.status, wait

    def _opened(self) -> http.client.HTTPConnection:
        parts = urlsplit(self._address)
        host = parts.hostname or ""
        if parts.scheme == "http":
            return http.client.HTTPConnection(host, parts.port, timeout=self._timeout_s)
        context = ssl.create_default_context(cafile=self._ca_file or None)
        return http.client.HTTPSConnection(host, parts.port, timeout=self._timeout_s, context=context)


def _wait_s(text: str) -> float:
    """Return the seconds of a Retry-After, which is a number or a date; 0 for none."""
    try:
        found = float(text)
    except ValueError:
        try:
            found = parsedate_to_datetime(text).timestamp() - time.time()
        except ValueError:
            return 0.0
    return min(max(found, 0.0), LONGEST_WAIT_S)


def _described(error: Exception) -> str:
    """Return what went wrong without a word that the collector may have chosen."""
    if isinstance(error, TimeoutError):
        return "it did not answer in time"
    if isinstance(error, ssl.SSLCertVerificationError):
        return f"its certificate is not trusted: {error.verify_message}"
    if isinstance(error, OSError) and error.strerror:
        return error.strerror
    return type(error).__name__
