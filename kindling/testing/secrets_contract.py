"""The contract of `kindling.hooks.secrets` as an inheritable test class.

The heir says how a value gets into its vault (`put`). Not a test of the vault's own rights.
"""

from __future__ import annotations

import base64
import hashlib
import logging
import pickle

import pytest

from kindling.errors import ConfigError
from kindling.hooks.secrets import ListsSecrets, Secret, Secrets, SecretsSpec
from kindling.testing.offers import Contract, needs, open_capability

VALUE = "Tr0ub4dor-&-3-ä-contract"
OTHER = "c0rrect-horse-battery-contract"


class SecretsContract(Contract):
    """All tests of a vault."""

    def make_secrets(self) -> Secrets:
        """Return a vault: by default what the plugin offers."""
        made = open_capability(
            self.plugin, self.capability, SecretsSpec(environment="test", settings=dict(self.settings))
        )
        assert isinstance(made, Secrets), f"{made!r} is no Secrets"
        return made

    def put(self, path: str, field: str, value: str) -> None:
        """Store a value in the vault; called after `vault` was opened."""
        raise NotImplementedError

    @pytest.fixture
    def vault(self) -> Secrets:
        """Give a vault."""
        return self.make_secrets()

    @pytest.fixture
    def field(self) -> str:
        """Give a field's name where the vault has fields."""
        return "password" if "fields" in self.features else ""

    def test_a_secret_has_its_value(self, vault: Secrets, field: str) -> None:
        self.put("contract/db", field, VALUE)
        assert vault.get("contract/db", field).reveal() == VALUE

    @needs("fields")
    def test_fields_of_one_path_have_their_own_values(self, vault: Secrets) -> None:
        self.put("contract/db", "user", OTHER)
        self.put("contract/db", "password", VALUE)
        assert vault.get("contract/db", "user").reveal() == OTHER
        assert vault.get("contract/db", "password").reveal() == VALUE

    def test_a_secret_shows_itself_to_nobody(self, vault: Secrets, field: str) -> None:
        self.put("contract/db", field, VALUE)
        secret = vault.get("contract/db", field)
        assert isinstance(secret, Secret)
        assert shown_forms("\n".join((repr(secret), str(secret), f"{secret}", f"{secret!r:>40}"))) == []
        with pytest.raises(TypeError):
            pickle.dumps(secret)

    def test_a_vault_does_not_show_what_it_holds(self, vault: Secrets, field: str) -> None:
        self.put("contract/db", field, VALUE)
        vault.get("contract/db", field)
        assert shown_forms(f"{vault!r} {vault}") == []

    def test_nothing_is_printed_or_logged(
        self,
        vault: Secrets,
        field: str,
        caplog: pytest.LogCaptureFixture,
        capfd: pytest.CaptureFixture[str],
    ) -> None:
        self.put("contract/db", field, VALUE)
        with caplog.at_level(logging.DEBUG):
            vault.get("contract/db", field)
            vault.version("contract/db", field)
        printed = capfd.readouterr()
        assert shown_forms(printed.out + printed.err + caplog.text) == []

    def test_a_missing_secret_is_refused_by_its_name_without_any_value(
        self, vault: Secrets, field: str
    ) -> None:
        self.put("contract/db", field, VALUE)
        with pytest.raises(ConfigError) as caught:
            vault.get("contract/missing", field)
        assert caught.value.code == "KDL-CONF-020"
        assert "missing" in str(caught.value).lower()
        assert shown_forms(str(caught.value) + repr(caught.value.to_plain())) == []

    def test_the_version_of_a_missing_secret_is_refused(self, vault: Secrets, field: str) -> None:
        with pytest.raises(ConfigError) as caught:
            vault.version("contract/missing", field)
        assert caught.value.code == "KDL-CONF-020"

    @needs("versions")
    def test_a_version_changes_with_its_value_only(self, vault: Secrets, field: str) -> None:
        self.put("contract/db", field, VALUE)
        first = [vault.version("contract/db", field) for _ in range(2)]
        self.put("contract/db", field, OTHER)
        second = vault.version("contract/db", field)
        assert first[0] == first[1] != second
        assert vault.get("contract/db", field).version == second

    @needs("versions")
    def test_a_version_tells_nothing_about_its_value(self, vault: Secrets, field: str) -> None:
        self.put("contract/db", field, VALUE)
        version = vault.version("contract/db", field).lower()
        assert shown_forms(version) == []
        raw = VALUE.encode()
        digests = [hashlib.new(name, raw).hexdigest() for name in ("md5", "sha1", "sha256", "sha512")]
        assert [digest for digest in digests if version[:8] in digest or digest[:8] in version] == []

    @needs("lists")
    def test_paths_below_a_prefix_are_listed_in_order(self, vault: Secrets, field: str) -> None:
        for path in ("contract/b", "contract/a", "elsewhere/c"):
            self.put(path, field, VALUE)
        assert isinstance(vault, ListsSecrets)
        assert list(vault.paths("contract/")) == ["contract/a", "contract/b"]


def shown_forms(text: str) -> list[str]:
    """Return the forms in which the secret value stands in a text."""
    raw = VALUE.encode()
    forms = (VALUE, base64.b64encode(raw).decode(), raw.hex(), repr(VALUE))
    return [form for form in forms if form in text]
