"""Questions to one server by HTTP, retried within a time limit. Neither logins nor secrets' meaning."""

from __future__ import annotations

import os
import socket
import time
from collections.abc import Mapping
from typing import TYPE_CHECKING

from kindling.hooks.secrets import Secret
from kindling_plugin_vault.refusals import (
    CERTIFICATE,
    ODD,
    PASSING,
    UNREACHABLE,
    Refused,
    refused_by_status,
)
from kindling_plugin_vault.settings import VaultSettings

if TYPE_CHECKING:
    import requests

CONNECT_S = 5.0
READ_S = 10.0
LEAST_S = 0.5
FIRST_WAIT_S = 0.1
LONGEST_WAIT_S = 2.0
OK = 200
EMPTY = 204


class Answer:
    """What a server said. It shows itself to nobody, since it may hold secrets."""

    __slots__ = ("_plain",)

    def __init__(self, plain: object) -> None:
        self._plain = plain

    def part(self, *names: str) -> object:
        """Return what stands below these keys; None if there is nothing."""
        found = self._plain
        for name in names:
            found = found.get(name) if isinstance(found, dict) else None
        return found

    def __repr__(self) -> str:
        return "Answer(***)"


class Server:
    """One server. Each question has a connection of its own: nothing is shared between threads.

    Args:
        settings: Address, certificates, namespace.
    """

    def __init__(self, settings: VaultSettings) -> None:
        self._settings = settings

    def request(
        self,
        method: str,
        path: str,
        *,
        until: float,
        token: Secret | None = None,
        body: Mapping[str, Secret | str] | None = None,
        query: Mapping[str, str] | None = None,
    ) -> Answer:
        """Ask; tries again while the refusal may pass and the time is not over.

        Args:
            method: An HTTP method, or `list`.
            path: Below `/v1/`, quoted.
            until: When to give up, on `time.monotonic`; one attempt is always made.
            token: Who asks.
            body: Sent as JSON.
            query: Parameters of the address.

        Raises:
            Refused: It did not answer with success.
        """
        wait = FIRST_WAIT_S
        while True:
            found = self._attempt(method, path, until, token, body, query)
            if isinstance(found, Answer):
                return found
            if found.kind not in PASSING or time.monotonic() + wait >= until:
                raise found
            time.sleep(wait)
            wait = min(2 * wait, LONGEST_WAIT_S)

    def _attempt(
        self,
        method: str,
        path: str,
        until: float,
        token: Secret | None,
        body: Mapping[str, Secret | str] | None,
        query: Mapping[str, str] | None,
    ) -> Answer | Refused:
        """Ask once, and return a refusal.

        Raised here it would hold the foreign error as its context, and that holds the request with its token.
        """
        import requests
        from hvac.adapters import JSONAdapter  # type: ignore[import-untyped]  # it has no types

        rest = max(until - time.monotonic(), LEAST_S)
        adapter = JSONAdapter(
            base_uri=self._settings.address,
            token=token.reveal() if token else None,
            verify=self._settings.ca_file or True,
            timeout=(min(CONNECT_S, rest), min(READ_S, rest)),
            allow_redirects=False,  # a redirect would carry the token to another host
            namespace=self._settings.namespace or None,
        )
        try:
            found = adapter.request(
                method,
                f"/v1/{path}",
                raise_exception=False,
                json={key: _text(value) for key, value in body.items()} if body is not None else None,
                params=query,
            )
        except (requests.RequestException, OSError) as error:
            return self._refused(error)
        finally:
            adapter.close()
        return _answer(found)

    def _refused(self, error: requests.RequestException | OSError) -> Refused:
        """Return what a failed request means, in words that hold nothing of what was sent."""
        import requests

        if isinstance(error, requests.exceptions.SSLError):
            return Refused(CERTIFICATE, _cause(error))
        if not isinstance(error, requests.RequestException):
            return Refused(CERTIFICATE, f"'{self._settings.ca_file}' cannot be read")
        if isinstance(error, requests.Timeout):
            return Refused(UNREACHABLE, "timed out")
        if isinstance(error, requests.ConnectionError):
            return Refused(UNREACHABLE, _cause(error))
        return Refused(ODD, type(error).__name__)


def _text(value: Secret | str) -> str:
    return value.reveal() if isinstance(value, Secret) else value


def _answer(found: object) -> Answer | Refused:
    if isinstance(found, dict):
        return Answer(found)
    status = int(getattr(found, "status_code", 0))
    if status == EMPTY:
        return Answer({})
    if status == OK:
        return Refused(ODD, "its answer is not JSON")
    return refused_by_status(status)


def _cause(error: BaseException) -> str:
    """Return the operating system's words for the innermost cause, or the name of its class."""
    seen: BaseException = error
    for _ in range(10):  # urllib3 nests errors in arguments, in `reason` and as contexts
        inner = getattr(seen, "reason", None)
        if not isinstance(inner, BaseException):
            inner = next((item for item in seen.args if isinstance(item, BaseException)), None)
        inner = inner or seen.__cause__ or seen.__context__
        if inner is None:
            break
        seen = inner
    message = getattr(seen, "verify_message", None)
    if isinstance(message, str):
        return message
    if isinstance(seen, socket.gaierror):
        return "its name is not known"
    number = getattr(seen, "errno", None)
    if isinstance(number, int) and number > 0:
        return os.strerror(number).lower()
    return type(seen).__name__
