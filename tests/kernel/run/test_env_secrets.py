from __future__ import annotations

import os

import pytest

from kindling.errors import ConfigError
from kindling.hooks.secrets import ListsSecrets, Secrets, SecretsSpec
from kindling.run.env_secrets import EnvironmentSecrets, kindling_secrets_offers, open_environment


def test_a_variable_is_a_secret_that_cannot_be_printed() -> None:
    secret = EnvironmentSecrets({"DB_PASSWORD": "hunter2"}).get("DB_PASSWORD", "")
    assert secret.reveal() == "hunter2"
    assert f"{secret} {secret!r}" == "*** ***"
    assert "hunter2" not in secret.version


def test_a_missing_variable_names_one_that_looks_like_it() -> None:
    with pytest.raises(ConfigError) as caught:
        EnvironmentSecrets({"DB_PASSWORD": "hunter2"}).get("DB_PASWORD", "")
    assert str(caught.value) == (
        "KDL-CONF-020: there is no secret 'secret://env/DB_PASWORD'\n"
        "  why: the environment variable DB_PASWORD is not set\n"
        "  do: did you mean 'DB_PASSWORD'?"
    )


def test_a_missing_variable_like_no_other_says_how_to_set_it() -> None:
    with pytest.raises(ConfigError) as caught:
        EnvironmentSecrets({}).version("TOKEN", "")
    assert caught.value.hint == "export TOKEN=..."


def test_a_field_is_refused() -> None:
    with pytest.raises(ConfigError) as caught:
        EnvironmentSecrets({"A": "{}"}).get("A", "user")
    assert str(caught.value) == (
        "KDL-CONF-022: 'secret://env/A' has no field 'user'\n"
        "  why: an environment variable is one value\n"
        "  do: write secret://env/A"
    )


def test_a_version_follows_the_value_the_name_and_the_salt() -> None:
    def version(name: str, value: str, salt: str = "") -> str:
        return EnvironmentSecrets({name: value}, salt=salt).version(name, "")

    assert version("A", "x") == version("A", "x")
    assert len({version("A", "x"), version("A", "y"), version("B", "x"), version("A", "x", "s")}) == 4


def test_names_are_listed_below_a_prefix() -> None:
    vault = EnvironmentSecrets({"B_2": "", "B_1": "", "A": ""})
    assert vault.paths("B_") == ["B_1", "B_2"]
    assert isinstance(vault, ListsSecrets)


def test_the_offer_opens_the_environment_of_the_process() -> None:
    (offer,) = kindling_secrets_offers()
    assert (offer.name, offer.factory) == ("env", open_environment)
    vault = offer.factory(SecretsSpec("dev", {"salt": "s"}))
    assert isinstance(vault, Secrets)
    assert vault.get("PATH", "").reveal() == os.environ["PATH"]
