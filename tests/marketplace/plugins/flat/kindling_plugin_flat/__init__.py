"""Everything of the plugin in one file: a vault for demonstrations, whose secrets are set by `put`."""

from __future__ import annotations

import hashlib

from kindling.errors import ConfigError
from kindling.hooks import hookimpl
from kindling.hooks.secrets import Secret, SecretsOffer, SecretsSpec


class Vault:
    """A vault; a path that begins with `demo/` has a value without being put there."""

    def __init__(self) -> None:
        self.values: dict[tuple[str, str], str] = {}

    def put(self, path: str, field: str, value: str) -> None:
        """Set a value."""
        self.values[path, field] = value

    def get(self, path: str, field: str) -> Secret:
        """Return a secret."""
        found = self.values.get((path, field)) or (path[::-1] if path.startswith("demo/") else None)
        if found is None:
            raise ConfigError("KDL-CONF-020", f"there is no secret {path!r}", hint="put it there")
        return Secret(found, hashlib.sha256(f"flat/{found}".encode()).hexdigest()[:12])

    def version(self, path: str, field: str) -> str:
        """Return a digest of the value."""
        return self.get(path, field).version


def open_vault(spec: SecretsSpec) -> Vault:
    """Return a vault."""
    del spec
    return Vault()


@hookimpl
def kindling_secrets_offers() -> tuple[SecretsOffer, ...]:
    """Offer the vault."""
    return (SecretsOffer("flat", open_vault),)
