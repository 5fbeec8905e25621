"""The ways to log in: a token that somebody made, AppRole, Kubernetes. Not how long a login lasts."""

from __future__ import annotations

import math
import time
from dataclasses import dataclass
from typing import Protocol
from urllib.parse import quote

from kindling.errors import ConfigError
from kindling.hooks.secrets import Secret
from kindling_plugin_vault.credentials import Credentials
from kindling_plugin_vault.refusals import FORBIDDEN, MISSING, ODD, REJECTED, Refused
from kindling_plugin_vault.server import Answer, Server
from kindling_plugin_vault.settings import VaultSettings


@dataclass(frozen=True, slots=True)
class Grant:
    """A token and how long it lives.

    Attributes:
        secret: The token.
        ttl_s: Seconds from `began` on; infinite for a token that does not end.
        began: Before it was asked for, on `time.monotonic`.
        is_renewable: Whether the server says that it may be renewed.
    """

    secret: Secret
    ttl_s: float
    began: float
    is_renewable: bool

    @classmethod
    def of(cls, secret: Secret, began: float, ttl: object, *, renewable: object) -> Grant:
        """Return the grant that an answer describes: a ttl of 0 means a token without an end."""
        seconds = float(ttl) if isinstance(ttl, (int, float)) and ttl > 0 else math.inf
        return cls(secret, seconds, began, renewable is True and seconds < math.inf)

    @property
    def ends(self) -> float:
        """When it ends, on `time.monotonic`."""
        return self.began + self.ttl_s


class Login(Protocol):
    """A way to log in."""

    def log_in(self, until: float) -> Grant:
        """Return a new token, or the one that is there; credentials are read anew.

        Raises:
            ConfigError: KDL-CONF-301, there are no credentials; KDL-CONF-302, they are refused.
            Refused: The server cannot be asked.
        """
        ...


class TokenLogin:
    """A token that somebody made, for example the one that an agent writes to a file."""

    def __init__(self, settings: VaultSettings, server: Server, credentials: Credentials) -> None:
        self._settings = settings
        self._server = server
        self._credentials = credentials

    def log_in(self, until: float) -> Grant:
        """Read the token and ask how long it lives; whether it is valid, the next question will show."""
        file, variable = self._settings.token_file, self._settings.token_env
        token, began = self._credentials.read("token", file, variable), time.monotonic()
        try:
            answer = self._server.request("get", "auth/token/lookup-self", until=until, token=token)
        except Refused as refused:
            if refused.kind in (MISSING, REJECTED):
                raise Refused(ODD, refused.note) from None
            if refused.kind != FORBIDDEN:
                raise
            # It is dead, or its policy does not let it look at itself: both look the same.
            return Grant(token, math.inf, began, is_renewable=False)
        return Grant.of(token, began, answer.part("data", "ttl"), renewable=answer.part("data", "renewable"))


class ExchangeLogin:
    """AppRole and Kubernetes: credentials are exchanged for a token of its own.

    Args:
        settings: Where the method is mounted and where its credentials are.
        server: Whom to ask.
        credentials: Where they are read.
    """

    def __init__(self, settings: VaultSettings, server: Server, credentials: Credentials) -> None:
        self._settings = settings
        self._server = server
        self._credentials = credentials

    def log_in(self, until: float) -> Grant:
        """Exchange the credentials for a new token."""
        body, began = self._body(), time.monotonic()
        path = f"auth/{quote(self._settings.auth_path)}/login"
        try:
            answer = self._server.request("post", path, until=until, body=body)
        except Refused as refused:
            raise self._error(refused) from None
        return self._grant(answer, began)

    def _body(self) -> dict[str, Secret | str]:
        of, read = self._settings, self._credentials.read
        if of.auth == "kubernetes":
            return {"role": of.kubernetes_role, "jwt": read("jwt", of.jwt_file, "")}
        return {
            "role_id": read("role id", of.role_id_file, of.role_id_env),
            "secret_id": read("secret id", of.secret_id_file, of.secret_id_env),
        }

    def _grant(self, answer: Answer, began: float) -> Grant:
        token = answer.part("auth", "client_token")
        if not isinstance(token, str):
            raise Refused(ODD, "a login gave no token")
        ttl, renewable = answer.part("auth", "lease_duration"), answer.part("auth", "renewable")
        return Grant.of(Secret(token), began, ttl, renewable=renewable)

    def _error(self, refused: Refused) -> ConfigError | Refused:
        if refused.kind not in (REJECTED, FORBIDDEN, MISSING):
            return refused
        auth = self._settings.auth
        return ConfigError(
            "KDL-CONF-302",
            f"the vault at {self._settings.address} refused the login by {auth}",
            why=(
                "the role id or the secret id is unknown, expired or used up"
                if auth == "approle"
                else f"the role {self._settings.kubernetes_role!r} does not take this service account"
            )
            + f", or nothing is mounted at 'auth/{self._settings.auth_path}'",
            hint=(
                f"bao write -f auth/{self._settings.auth_path}/role/NAME/secret-id"
                if auth == "approle"
                else f"bao read auth/{self._settings.auth_path}/role/{self._settings.kubernetes_role}"
            ),
            auth=auth,
        )


def login_of(settings: VaultSettings, server: Server, credentials: Credentials) -> Login:
    """Return the way to log in that the settings choose."""
    kind = TokenLogin if settings.auth == "token" else ExchangeLogin
    return kind(settings, server, credentials)
