"""AppRole and Kubernetes, on a server."""

from __future__ import annotations

from pathlib import Path

import pytest
from openbao import OpenBao
from token_review import ACCOUNT, SPACE, api_server, service_account_token
from vault_opening import OpenVault

from kindling.errors import ConfigError


@pytest.fixture
def read_policy(bao: OpenBao, mount: str, name: str) -> str:
    """Let tokens read the mount; the mount has one secret."""
    bao.put(mount, "team/db", {"password": "value"})
    return bao.policy(f"read-{name}", f"{mount}/* read,list")


def test_a_token_of_few_uses_is_replaced(
    bao: OpenBao, mount: str, name: str, read_policy: str, open_vault: OpenVault
) -> None:
    role, secret = bao.approle(f"role-{name}", token_policies=read_policy, token_num_uses=3)
    environ = {"VAULT_ROLE_ID": role, "VAULT_SECRET_ID": secret}
    vault = open_vault(mount, environ=environ, auth="approle", auth_mount=f"role-{name}", cache_s=0)
    assert {vault.get("team/db", "password").reveal() for _ in range(8)} == {"value"}
    assert bao.asked(f"auth/role-{name}/login", "update") >= 3


def test_a_secret_id_that_is_used_up_is_said_and_a_new_one_is_read_from_its_file(
    bao: OpenBao, mount: str, name: str, read_policy: str, open_vault: OpenVault, tmp_path: Path
) -> None:
    at = f"role-{name}"
    role, secret = bao.approle(at, token_policies=read_policy, secret_id_num_uses=1)
    file = tmp_path / "secret-id"
    file.write_text(secret)
    vault = open_vault(
        mount,
        environ={"ROLE": role},
        auth="approle",
        auth_mount=at,
        role_id_env="ROLE",
        secret_id_file=str(file),
        cache_s=0,
    )
    assert vault.get("team/db", "password").reveal() == "value"
    bao.ask("PUT", f"sys/leases/revoke-force/auth/{at}", {})
    with pytest.raises(ConfigError) as caught:
        vault.get("team/db", "password")
    assert str(caught.value) == (
        f"KDL-CONF-302: the vault at {bao.address} refused the login by approle\n"
        "  why: the role id or the secret id is unknown, expired or used up, "
        f"or nothing is mounted at 'auth/{at}'\n"
        f"  do: bao write -f auth/{at}/role/NAME/secret-id"
    )
    fresh = bao.ask("POST", f"auth/{at}/role/app/secret-id", {})["data"]
    assert isinstance(fresh, dict)
    file.write_text(str(fresh["secret_id"]))
    assert vault.get("team/db", "password").reveal() == "value"


def test_a_service_account_of_kubernetes_logs_in(
    bao: OpenBao, mount: str, name: str, read_policy: str, open_vault: OpenVault, tmp_path: Path
) -> None:
    at, file = f"k8s-{name}", tmp_path / "token"
    file.write_text(service_account_token(1))
    known = {service_account_token(1)}
    with api_server(known) as address:
        bao.ask("POST", f"sys/auth/{at}", {"type": "kubernetes"})
        authority = Path(bao.certificate(f"pki-{name}", tmp_path)[0]).read_text()  # asked for, not used
        config = {"kubernetes_host": address, "disable_local_ca_jwt": True, "kubernetes_ca_cert": authority}
        bao.ask("POST", f"auth/{at}/config", config)
        role = {
            "bound_service_account_names": [ACCOUNT],
            "bound_service_account_namespaces": [SPACE],
            "token_policies": [read_policy],
        }
        bao.ask("POST", f"auth/{at}/role/etl", role)
        settings = {"auth": "kubernetes", "auth_mount": at, "kubernetes_role": "etl", "jwt_file": str(file)}
        vault = open_vault(mount, environ={}, cache_s=0, **settings)
        assert vault.get("team/db", "password").reveal() == "value"

        bao.ask(
            "PUT", f"sys/leases/revoke-force/auth/{at}", {}
        )  # and the cluster rotates the account's token
        known.clear()
        with pytest.raises(ConfigError) as caught:
            vault.get("team/db", "password")
        known.add(service_account_token(2))
        file.write_text(service_account_token(2))
        assert vault.get("team/db", "password").reveal() == "value"
    assert str(caught.value) == (
        f"KDL-CONF-302: the vault at {bao.address} refused the login by kubernetes\n"
        f"  why: the role 'etl' does not take this service account, or nothing is mounted at 'auth/{at}'\n"
        f"  do: bao read auth/{at}/role/etl"
    )


def test_an_auth_method_that_is_not_mounted_is_said(mount: str, name: str, open_vault: OpenVault) -> None:
    environ = {"VAULT_ROLE_ID": "r", "VAULT_SECRET_ID": "s"}
    vault = open_vault(mount, environ=environ, auth="approle", auth_mount=f"none-{name}")
    with pytest.raises(ConfigError, match=f"or nothing is mounted at 'auth/none-{name}'"):
        vault.version("team/db", "password")
