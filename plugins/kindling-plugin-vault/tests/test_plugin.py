from __future__ import annotations

import json
import subprocess
import sys
from importlib.metadata import entry_points
from importlib.resources import files

import pytest
from kindling_plugin_vault import __version__
from kindling_plugin_vault.plugin import kindling_secrets_offers

from kindling.hooks import secrets


def test_the_manifest_the_entry_point_and_the_offer_agree() -> None:
    manifest = json.loads(files("kindling_plugin_vault").joinpath("kindling.json").read_text())
    (offer,) = kindling_secrets_offers()
    (entry,) = entry_points(group="kindling.secrets", name="vault")
    assert list(manifest["capabilities"]) == [f"secrets:{offer.name}"]
    assert set(manifest["capabilities"]["secrets:vault"]["features"]) == set(secrets.FEATURES)
    assert manifest["capabilities"]["secrets:vault"]["api"] == secrets.API
    assert entry.value == "kindling_plugin_vault.plugin"
    assert entry.dist is not None
    assert entry.dist.version == __version__


def test_the_offer_makes_a_vault_and_asks_nobody(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("VAULT_ADDR", "https://vault.example.invalid")
    (offer,) = kindling_secrets_offers()
    made = offer.factory(secrets.SecretsSpec("test"))
    assert isinstance(made, secrets.Secrets)
    assert isinstance(made, secrets.ListsSecrets)
    assert repr(made) == "VaultSecrets('https://vault.example.invalid', 'secret')"


def test_opening_imports_no_client() -> None:
    code = (
        "import sys, os; os.environ['VAULT_ADDR'] = 'https://vault.example.invalid'\n"
        "from kindling.hooks.secrets import SecretsSpec\n"
        "from kindling_plugin_vault.plugin import open_vault, kindling_secrets_offers\n"
        "print('kindling_plugin_vault.vault' in sys.modules)\n"
        "open_vault(SecretsSpec('test'))\n"
        "print([name for name in ('hvac', 'requests') if name in sys.modules])"
    )
    ended = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert ended.stdout == "False\n[]\n"
