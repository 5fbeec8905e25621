from __future__ import annotations

import json

import pytest
from workbench import Bench

import kindling as k
from kindling.errors import ConfigError
from kindling.plan.vaults import Vaults


@pytest.fixture
def vaults(bench: Bench) -> Vaults:
    file = bench.path / "vault.json"
    file.write_text(json.dumps({"db/password": "hunter2-hunter2"}))
    bench.given["secrets", "vault", "file"] = str(file)
    bench.use(k.App("shop"))
    return Vaults(bench.project)


def test_a_secret_has_a_value_and_a_version_that_does_not_tell_it(vaults: Vaults) -> None:
    assert vaults.resolve("secret://vault/db/password") == "hunter2-hunter2"
    assert "hunter2" not in vaults.version("secret://vault/db/password")


def test_what_is_no_secret_is_refused(vaults: Vaults) -> None:
    with pytest.raises(ConfigError) as caught:
        vaults.resolve("secret://vault/other")
    assert caught.value.code == "KDL-CONF-020"
