from __future__ import annotations

from typing import ClassVar

import pytest
from kindling_plugin_vault.vault import VaultSecrets
from openbao import OpenBao

from kindling.hooks.secrets import Secrets, SecretsSpec
from kindling.testing.offers import open_capability
from kindling.testing.secrets_contract import SecretsContract


class TestKv2(SecretsContract):
    plugin = "kindling_plugin_vault"
    capability = "secrets:vault"
    kv_version: ClassVar[int] = 2

    @pytest.fixture(autouse=True)
    def server(self, bao: OpenBao, name: str, monkeypatch: pytest.MonkeyPatch) -> None:
        self.bao = bao
        self.mount = bao.mount(f"contract-{name}", version=self.kv_version)
        self.kept: dict[str, dict[str, object]] = {}
        monkeypatch.setenv("VAULT_TOKEN", bao.root)

    def make_secrets(self) -> Secrets:
        settings = {"address": self.bao.address, "mount": self.mount, **self.own_settings()}
        made = open_capability(self.plugin, self.capability, SecretsSpec("test", settings))
        assert isinstance(made, VaultSecrets)
        return made

    def own_settings(self) -> dict[str, str]:
        return {}

    def put(self, path: str, field: str, value: str) -> None:
        fields = self.kept.setdefault(path, {})
        fields[field] = value
        self.bao.put(self.mount, path, fields, version=self.kv_version)


class TestKv1(TestKv2):
    kv_version = 1

    def own_settings(self) -> dict[str, str]:
        self.bao.put(self.mount, "kindling", {"key": "k" * 32}, version=1)
        return {"version_key": "kindling#key"}
