"""Questions in the name of a login: a refused token is replaced once. Not what the answers mean."""

from __future__ import annotations

from collections.abc import Mapping

from kindling_plugin_vault.refusals import FORBIDDEN, Refused
from kindling_plugin_vault.server import Answer, Server
from kindling_plugin_vault.tokens import Tokens


class Connection:
    """One server and one login; safe for several threads."""

    def __init__(self, server: Server, tokens: Tokens) -> None:
        self._server = server
        self._tokens = tokens

    def ask(self, method: str, path: str, *, until: float, query: Mapping[str, str] | None = None) -> Answer:
        """Ask with the present token; log in again and ask once more if the token is refused.

        A server does not tell a dead token from one without the right, so both are tried.

        Raises:
            ConfigError: What a login raises.
            Refused: The server refused, also with a new token.
        """
        grant = self._tokens.current(until)
        try:
            return self._server.request(method, path, until=until, token=grant.secret, query=query)
        except Refused as refused:
            if refused.kind != FORBIDDEN:
                raise
        fresh = self._tokens.replace(grant, until)
        return self._server.request(method, path, until=until, token=fresh.secret, query=query)
