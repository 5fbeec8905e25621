"""Renewal, replacement and revocation of tokens, on a server with times of a few seconds."""

from __future__ import annotations

import gc
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest
from kindling_plugin_vault.vault import VaultSecrets
from openbao import OpenBao
from vault_opening import OpenVault

from kindling.errors import ConfigError

PATIENCE_S = 60


def wait_for(found: Callable[[], bool]) -> None:
    end = time.monotonic() + PATIENCE_S
    while not found():
        assert time.monotonic() < end
        time.sleep(0.05)


@contextmanager
def reading(vault: VaultSecrets) -> Iterator[list[str]]:
    """Read all the time in a thread; every read must succeed."""
    stop, values, errors = threading.Event(), [], []

    def read() -> None:
        while not stop.wait(0.02):
            try:
                values.append(vault.get("team/db", "password").reveal())
            except ConfigError as error:
                errors.append(error)
                return

    thread = threading.Thread(target=read)
    thread.start()
    try:
        yield values
    finally:
        stop.set()
        thread.join()
    assert errors == []
    assert set(values) == {"value"}


@pytest.fixture
def read_policy(bao: OpenBao, mount: str, name: str) -> str:
    """Let tokens read the mount; the mount has one secret."""
    bao.put(mount, "team/db", {"password": "value"})
    return bao.policy(f"read-{name}", f"{mount}/* read,list")


def test_a_login_is_renewed_and_at_its_greatest_age_replaced_without_losing_a_read(
    bao: OpenBao, mount: str, name: str, read_policy: str, open_vault: OpenVault
) -> None:
    times = {"token_ttl": "3s", "token_explicit_max_ttl": "5s"}
    role, secret = bao.approle(f"role-{name}", token_policies=read_policy, **times)
    environ = {"VAULT_ROLE_ID": role, "VAULT_SECRET_ID": secret}
    vault = open_vault(mount, environ=environ, auth="approle", auth_mount=f"role-{name}", cache_s=0)
    renewed = bao.asked("auth/token/renew-self", "update")
    with reading(vault):
        wait_for(lambda: bao.asked(f"auth/role-{name}/login", "update") >= 2)
    assert bao.asked("auth/token/renew-self", "update") > renewed
    assert bao.asked(f"auth/role-{name}/login", "update") <= 5


def test_a_token_is_renewed_while_nobody_reads(
    bao: OpenBao, mount: str, read_policy: str, open_vault: OpenVault
) -> None:
    token = bao.token(policies=[read_policy], ttl="6s")
    vault = open_vault(mount, environ={"VAULT_TOKEN": token}, cache_s=0)
    vault.get("team/db", "password")
    began = time.monotonic()
    wait_for(lambda: time.monotonic() > began + 7)  # dead, were it not renewed
    assert vault.get("team/db", "password").reveal() == "value"


def test_a_revoked_login_is_replaced_at_once(
    bao: OpenBao, mount: str, name: str, read_policy: str, open_vault: OpenVault
) -> None:
    role, secret = bao.approle(f"role-{name}", token_policies=read_policy)
    environ = {"VAULT_ROLE_ID": role, "VAULT_SECRET_ID": secret}
    vault = open_vault(mount, environ=environ, auth="approle", auth_mount=f"role-{name}", cache_s=0)
    with reading(vault) as values:
        wait_for(lambda: len(values) > 2)
        bao.ask("PUT", f"sys/leases/revoke-force/auth/role-{name}", {})
        so_far = len(values)
        wait_for(lambda: len(values) > so_far + 2)
    assert bao.asked(f"auth/role-{name}/login", "update") in (2, 3)  # the new one may be caught as well


def test_a_new_login_forgets_what_was_read_with_the_old_one(
    bao: OpenBao, mount: str, name: str, read_policy: str, open_vault: OpenVault
) -> None:
    bao.put(mount, "other", {"x": "y"})
    role, secret = bao.approle(f"role-{name}", token_policies=read_policy)
    environ = {"VAULT_ROLE_ID": role, "VAULT_SECRET_ID": secret}
    vault = open_vault(mount, environ=environ, auth="approle", auth_mount=f"role-{name}", cache_s=600)
    vault.get("team/db", "password")
    bao.put(mount, "team/db", {"password": "rotated"})
    bao.ask("PUT", f"sys/leases/revoke-force/auth/role-{name}", {})
    vault.get("other", "x")
    assert vault.get("team/db", "password").reveal() == "rotated"


def test_a_dead_token_is_replaced_by_the_one_that_an_agent_wrote(
    bao: OpenBao, mount: str, read_policy: str, open_vault: OpenVault, tmp_path: Path
) -> None:
    file = tmp_path / "token"
    first, second = (bao.token(policies=[read_policy]) for _ in range(2))
    file.write_text(first + "\n")
    vault = open_vault(mount, token_file=str(file), cache_s=0)
    vault.get("team/db", "password")
    bao.ask("POST", "auth/token/revoke", {"token": first})
    file.write_text(second + "\n")
    assert vault.get("team/db", "password").reveal() == "value"


def test_a_revoked_token_without_a_successor_is_an_error(
    bao: OpenBao, mount: str, read_policy: str, open_vault: OpenVault
) -> None:
    token = bao.token(policies=[read_policy])
    vault = open_vault(mount, environ={"VAULT_TOKEN": token}, cache_s=0)
    vault.get("team/db", "password")
    bao.ask("POST", "auth/token/revoke", {"token": token})
    with pytest.raises(ConfigError) as caught:
        vault.get("team/db", "password")
    assert str(caught.value) == (
        "KDL-CONF-303: the vault does not permit to read 'secret://vault/team/db'\n"
        "  why: the token is expired or revoked, or its policy does not allow it (they look the same)\n"
        f'  do: the policy needs: path "{mount}/data/team/db" {{ capabilities = ["read"] }}'
    )
    assert caught.value.transient is False


def test_a_token_that_may_not_look_at_itself_reads(
    bao: OpenBao, mount: str, read_policy: str, open_vault: OpenVault
) -> None:
    token = bao.token(policies=[read_policy], no_default_policy=True)
    vault = open_vault(mount, environ={"VAULT_TOKEN": token}, kv_version="2")
    assert vault.get("team/db", "password").reveal() == "value"


def test_the_renewal_ends_with_the_vault(
    bao: OpenBao, mount: str, read_policy: str, open_vault: OpenVault
) -> None:
    def renewing() -> set[threading.Thread]:
        return {thread for thread in threading.enumerate() if thread.name == "kindling-vault-renewal"}

    others = renewing()
    token = bao.token(policies=[read_policy], ttl="1h")
    vault = open_vault(mount, environ={"VAULT_TOKEN": token})
    vault.get("team/db", "password")
    (own,) = renewing() - others
    del vault
    gc.collect()
    wait_for(lambda: not own.is_alive())
