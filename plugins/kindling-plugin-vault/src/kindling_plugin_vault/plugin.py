"""What this plugin offers: the vault `vault`. No implementation."""

from __future__ import annotations

from kindling.hooks import hookimpl
from kindling.hooks.secrets import Secrets, SecretsOffer, SecretsSpec


def open_vault(spec: SecretsSpec) -> Secrets:
    """Return a vault; nothing is asked of the server before the first secret is."""
    import os

    from kindling_plugin_vault.credentials import Credentials
    from kindling_plugin_vault.settings import VaultSettings
    from kindling_plugin_vault.vault import VaultSecrets

    settings = VaultSettings.of(spec.settings, os.environ.get("VAULT_ADDR", ""))
    return VaultSecrets(settings, Credentials(os.environ))


@hookimpl
def kindling_secrets_offers() -> tuple[SecretsOffer, ...]:
    """Offer `vault`."""
    return (SecretsOffer("vault", open_vault),)
