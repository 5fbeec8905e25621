from __future__ import annotations

from kindling_plugin_flat import Vault

from kindling.testing.secrets_contract import SecretsContract


class TestFlat(SecretsContract):
    plugin = "kindling_plugin_flat"
    capability = "secrets:flat"

    def make_secrets(self) -> Vault:
        self.vault_of_test = Vault()
        return self.vault_of_test

    def put(self, path: str, field: str, value: str) -> None:
        self.vault_of_test.put(path, field, value)
