"""How tests open a vault, without the kernel."""

from __future__ import annotations

from collections.abc import Callable, Mapping

from kindling_plugin_vault.credentials import Credentials
from kindling_plugin_vault.settings import VaultSettings
from kindling_plugin_vault.vault import VaultSecrets

OpenVault = Callable[..., VaultSecrets]


def vault_of(environ: Mapping[str, str], **settings: object) -> VaultSecrets:
    """Open a vault with settings of `[secrets.vault]` and environment variables."""
    return VaultSecrets(VaultSettings.of(settings), Credentials(environ))  # type: ignore[arg-type]  # JSON types
