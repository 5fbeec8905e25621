"""The settings of `[secrets.vault]`, checked. They hold no credential: only where one is."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, fields
from urllib.parse import SplitResult, urlsplit

from kindling.errors import ConfigError
from kindling.hooks import Plain
from kindling.names import did_you_mean

CHOICES = {"kv_version": ("auto", "1", "2"), "auth": ("token", "approle", "kubernetes")}
LOOPBACK = ("localhost", "127.0.0.1", "::1")


@dataclass(frozen=True, slots=True)
class VaultSettings:
    """What `kindling.json` documents, with the same defaults."""

    address: str
    allow_http: bool = False
    ca_file: str = ""
    namespace: str = ""
    mount: str = "secret"
    kv_version: str = "auto"
    version_key: str = ""
    auth: str = "token"
    auth_mount: str = ""
    token_env: str = "VAULT_TOKEN"  # noqa: S105  # the name of a variable
    token_file: str = ""
    role_id_env: str = "VAULT_ROLE_ID"
    role_id_file: str = ""
    secret_id_env: str = "VAULT_SECRET_ID"  # noqa: S105  # the name of a variable
    secret_id_file: str = ""
    kubernetes_role: str = ""
    jwt_file: str = "/var/run/secrets/kubernetes.io/serviceaccount/token"
    cache_s: float = 60.0
    timeout_s: float = 20.0

    @classmethod
    def of(cls, settings: Mapping[str, Plain], address: str = "") -> VaultSettings:
        """Return the settings of a table.

        Args:
            settings: The table.
            address: The address where the table has none: the environment variable VAULT_ADDR.

        Raises:
            ConfigError: KDL-CONF-300, one is missing or has no meaning.
        """
        known = {item.name for item in fields(cls)}
        given = {key: value for key, value in settings.items() if key in known}
        given["address"] = str(given.get("address") or address).rstrip("/")
        made = cls(**given)  # type: ignore[arg-type]  # the kernel checked the types against kindling.json
        made._check_choices()
        made._check_address()
        if made.auth == "kubernetes" and not made.kubernetes_role:
            raise _fault("kubernetes_role", "the auth method kubernetes logs in as a role", '"kindling"')
        return made

    @property
    def auth_path(self) -> str:
        """Return where the auth method is mounted, without `auth/`."""
        return self.auth_mount.strip("/") or self.auth

    def _check_choices(self) -> None:
        for name, known in CHOICES.items():
            value = str(getattr(self, name))
            if value not in known:
                raise _fault(name, did_you_mean(value, known), f'"{known[0]}"')

    def _check_address(self) -> None:
        parts = _split(self.address)
        if parts is None or parts.scheme not in ("http", "https") or not parts.hostname:
            why = "it is no http or https address" if self.address else "neither it nor VAULT_ADDR is set"
            raise _fault("address", why, '"https://vault.example.com:8200"')
        if parts.username is not None or parts.password is not None:
            raise _fault("address", "it holds a user or a password", '"https://vault.example.com:8200"')
        if parts.scheme == "http" and parts.hostname not in LOOPBACK and not self.allow_http:
            raise _fault(
                "address",
                "with plain http everybody between here and the server can read the secrets",
                '"https://..."',
                " (or allow_http = true)",
            )


def _split(address: str) -> SplitResult | None:
    try:
        parts = urlsplit(address)
        _ = parts.port  # it is checked when it is asked for
    except ValueError:
        return None
    return parts


def _fault(name: str, why: str, example: str, other: str = "") -> ConfigError:
    return ConfigError(
        "KDL-CONF-300",
        f"the setting 'secrets.vault.{name}' cannot be used",
        why=why,
        hint=f"set {name} = {example} in [secrets.vault]{other}",
        setting=name,
    )
