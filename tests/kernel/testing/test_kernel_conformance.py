"""What the kernel itself offers passes the contracts that plugins pass."""

from __future__ import annotations

from kindling.hooks.secrets import Secrets
from kindling.run.env_secrets import EnvironmentSecrets
from kindling.testing.secrets_contract import SecretsContract
from kindling.testing.state_contract import StateContract


class TestSqliteState(StateContract):
    plugin = "kindling"
    capability = "state:sqlite"


class TestEnvironmentSecrets(SecretsContract):
    plugin = "kindling"
    capability = "secrets:env"

    def make_secrets(self) -> Secrets:
        self.environ: dict[str, str] = {}
        return EnvironmentSecrets(self.environ, salt="contract")

    def put(self, path: str, field: str, value: str) -> None:
        assert field == ""
        self.environ[path] = value
