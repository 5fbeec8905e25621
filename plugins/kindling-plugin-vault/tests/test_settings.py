from __future__ import annotations

import json
from dataclasses import fields
from importlib.resources import files

import pytest
from kindling_plugin_vault.settings import VaultSettings

from kindling.errors import ConfigError

HOME = "http://127.0.0.1:8200"

REFUSED: dict[str, tuple[dict[str, object], str]] = {
    "no address": (
        {},
        (
            "KDL-CONF-300: the setting 'secrets.vault.address' cannot be used\n"
            "  why: neither it nor VAULT_ADDR is set\n"
            '  do: set address = "https://vault.example.com:8200" in [secrets.vault]'
        ),
    ),
    "no http": (
        {"address": "vault.example.com:8200"},
        (
            "KDL-CONF-300: the setting 'secrets.vault.address' cannot be used\n"
            "  why: it is no http or https address\n"
            '  do: set address = "https://vault.example.com:8200" in [secrets.vault]'
        ),
    ),
    "a bad port": (
        {"address": "https://vault:x"},
        (
            "KDL-CONF-300: the setting 'secrets.vault.address' cannot be used\n"
            "  why: it is no http or https address\n"
            '  do: set address = "https://vault.example.com:8200" in [secrets.vault]'
        ),
    ),
    "a password": (
        {"address": "https://me:pass@vault"},
        (
            "KDL-CONF-300: the setting 'secrets.vault.address' cannot be used\n"
            "  why: it holds a user or a password\n"
            '  do: set address = "https://vault.example.com:8200" in [secrets.vault]'
        ),
    ),
    "plain http": (
        {"address": "http://vault:8200"},
        (
            "KDL-CONF-300: the setting 'secrets.vault.address' cannot be used\n"
            "  why: with plain http everybody between here and the server can read the secrets\n"
            '  do: set address = "https://..." in [secrets.vault] (or allow_http = true)'
        ),
    ),
    "an unknown method": (
        {"address": HOME, "auth": "aprole"},
        (
            "KDL-CONF-300: the setting 'secrets.vault.auth' cannot be used\n"
            "  why: did you mean 'approle'?\n"
            '  do: set auth = "token" in [secrets.vault]'
        ),
    ),
    "an unknown engine": (
        {"address": HOME, "kv_version": "3"},
        (
            "KDL-CONF-300: the setting 'secrets.vault.kv_version' cannot be used\n"
            "  why: known: 1, 2, auto\n"
            '  do: set kv_version = "auto" in [secrets.vault]'
        ),
    ),
    "no role": (
        {"address": HOME, "auth": "kubernetes"},
        (
            "KDL-CONF-300: the setting 'secrets.vault.kubernetes_role' cannot be used\n"
            "  why: the auth method kubernetes logs in as a role\n"
            '  do: set kubernetes_role = "kindling" in [secrets.vault]'
        ),
    ),
}


@pytest.mark.parametrize("case", REFUSED)
def test_a_setting_that_cannot_be_used_is_said(case: str) -> None:
    given, text = REFUSED[case]
    with pytest.raises(ConfigError) as caught:
        VaultSettings.of(given)  # type: ignore[arg-type]  # JSON types
    assert str(caught.value) == text


def test_the_address_may_come_from_the_environment() -> None:
    assert VaultSettings.of({"address": ""}, HOME + "/").address == HOME
    assert VaultSettings.of({"address": "https://other"}, HOME).address == "https://other"
    assert VaultSettings.of({"address": "http://vault", "allow_http": True}).address == "http://vault"


def test_defaults_are_those_that_the_manifest_documents() -> None:
    manifest = json.loads(files("kindling_plugin_vault").joinpath("kindling.json").read_text())
    config = manifest["capabilities"]["secrets:vault"]["config"]
    made = VaultSettings.of({"address": HOME})
    own = {item.name: getattr(made, item.name) for item in fields(made)}
    assert {name: facts["default"] for name, facts in config.items()} == {**own, "address": ""}
