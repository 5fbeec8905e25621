"""What is refused, word by word; on a server."""

from __future__ import annotations

import pytest
from openbao import OpenBao
from vault_opening import OpenVault

from kindling.errors import ConfigError


def texts(vault: object, path: str, field: str, *methods: str) -> list[str]:
    found = []
    for method in methods or ("get", "version"):
        with pytest.raises(ConfigError) as caught:
            getattr(vault, method)(path, field)
        assert caught.value.transient is False
        found.append(str(caught.value))
    return found


def test_a_missing_secret_is_said(bao: OpenBao, mount: str, open_vault: OpenVault) -> None:
    bao.put(mount, "team/db", {"password": "v"})
    assert texts(open_vault(mount), "team/bd", "password") == [
        (
            "KDL-CONF-020: there is no secret 'secret://vault/team/bd'\n"
            f"  why: the vault has nothing at '{mount}/{below}/team/bd'\n"
            f"  do: correct the reference, or store it: bao kv put -mount={mount} team/bd FIELD=-"
        )
        for below in ("data", "metadata")
    ]


def test_a_version_that_is_not_kept_is_said(bao: OpenBao, mount: str, open_vault: OpenVault) -> None:
    for value in "abc":
        bao.put(mount, "team/db", {"password": value})
    bao.ask("PUT", f"{mount}/destroy/team/db", {"versions": [1]})
    bao.ask("POST", f"{mount}/delete/team/db", {"versions": [2]})
    vault = open_vault(mount)
    whys = {
        1: "version 1 of it was deleted",
        2: "version 2 of it was deleted",
        7: "the vault keeps no version 7 of it",
    }
    for number, why in whys.items():
        path = f"team/db?version={number}"
        (text,) = texts(vault, path, "password", "version")
        assert text.splitlines()[:2] == [
            f"KDL-CONF-020: there is no secret 'secret://vault/{path}'",
            f"  why: {why}",
        ]
        assert texts(vault, path, "password", "get")[0].startswith("KDL-CONF-020: ")


def test_a_wrong_field_is_said_with_names_only(bao: OpenBao, mount: str, open_vault: OpenVault) -> None:
    bao.put(mount, "team/db", {"password": "canary-v", "user": "canary-u"})
    bao.put(mount, "empty", {})
    vault = open_vault(mount)
    asked = [("team/db", "pasword"), ("team/db", "x"), ("team/db", ""), ("empty", ""), ("empty", "x")]
    assert [texts(vault, *each, "get")[0] for each in asked] == [
        (
            "KDL-CONF-022: 'secret://vault/team/db' has no field 'pasword'\n"
            "  why: did you mean 'password'?\n"
            "  do: write secret://vault/team/db#password"
        ),
        (
            "KDL-CONF-022: 'secret://vault/team/db' has no field 'x'\n"
            "  why: known: password, user\n"
            "  do: correct the part after #, or store the field"
        ),
        (
            "KDL-CONF-022: 'secret://vault/team/db' is read without a field\n"
            "  why: it has 2: password, user\n"
            "  do: for example secret://vault/team/db#password"
        ),
        (
            "KDL-CONF-022: 'secret://vault/empty' is read without a field\n"
            "  why: it has no fields\n"
            "  do: store a field"
        ),
        (
            "KDL-CONF-022: 'secret://vault/empty' has no field 'x'\n"
            "  why: it has no fields\n"
            "  do: correct the part after #, or store the field"
        ),
    ]


def test_a_right_that_the_policy_lacks_is_said(
    bao: OpenBao, mount: str, name: str, open_vault: OpenVault
) -> None:
    bao.put(mount, "team/db", {"password": "v"})
    policy = bao.policy(f"one-{name}", f"{mount}/data/other read")
    role, secret = bao.approle(f"role-{name}", token_policies=policy)
    environ = {"VAULT_ROLE_ID": role, "VAULT_SECRET_ID": secret}
    vault = open_vault(mount, environ=environ, auth="approle", auth_mount=f"role-{name}")
    found = texts(vault, "team/db", "password")
    with pytest.raises(ConfigError) as caught:
        vault.paths("team/")
    asked = (("read", "team/db", "data/team/db"), ("read", "team/db", "metadata/team/db"))
    assert [*found, str(caught.value)] == [
        (
            f"KDL-CONF-303: the vault does not permit to {right} 'secret://vault/{path}'\n"
            "  why: its policy does not allow it, or there is no such mount\n"
            f'  do: the policy needs: path "{mount}/{below}" {{ capabilities = ["{right}"] }}'
        )
        for right, path, below in (*asked, ("list", "team/", "metadata/team/"))
    ]
    assert bao.asked(f"auth/role-{name}/login", "update") == 4  # one login, and one more for each refusal


def test_a_mount_that_is_no_kv_engine_is_said(bao: OpenBao, name: str, open_vault: OpenVault) -> None:
    bao.ask("POST", f"sys/mounts/transit-{name}", {"type": "transit"})
    (text,) = texts(open_vault(f"transit-{name}"), "team/db", "password", "get")
    assert text.splitlines()[1] == (
        f"  why: {bao.address} does not answer like a vault: "
        f"'transit-{name}' is no KV engine of version 1 or 2"
    )


def test_kv_1_has_no_pinned_versions(bao: OpenBao, name: str, open_vault: OpenVault) -> None:
    mount = bao.mount(f"old-{name}", version=1)
    bao.put(mount, "team/db", {"password": "v"}, version=1)
    text = (
        "KDL-CONF-308: 'secret://vault/team/db?version=2' pins a version, and the engine keeps none\n"
        f"  why: '{mount}' is a KV engine of version 1\n"
        f"  do: write secret://vault/team/db, or: bao kv enable-versioning {mount}"
    )
    assert texts(open_vault(mount), "team/db?version=2", "password") == [text, text]


def test_a_short_version_key_is_refused(bao: OpenBao, name: str, open_vault: OpenVault) -> None:
    mount = bao.mount(f"old-{name}", version=1)
    bao.put(mount, "team/db", {"password": "v"}, version=1)
    bao.put(mount, "kindling", {"key": "canary-short"}, version=1)
    text = (
        "KDL-CONF-309: the version key at 'secret://vault/kindling' is too short\n"
        "  why: it has fewer than 32 letters, so that it could be found by trying\n"
        f"  do: bao kv put -mount={mount} kindling key=$(openssl rand -hex 32)"
    )
    assert texts(open_vault(mount, version_key="kindling#key"), "team/db", "password") == [text, text]


@pytest.mark.parametrize("path", ["", "a//b", "a/../b", "./a", "a/"])
def test_a_path_that_http_would_resolve_is_refused(mount: str, path: str, open_vault: OpenVault) -> None:
    vault = open_vault(mount)
    text = (
        "KDL-CONF-021: a path of the vault is malformed\n"
        "  why: it has an empty part, '.' or '..'\n"
        "  do: for example secret://vault/team/db#password"
    )
    assert texts(vault, path, "x") == [text, text]
    with pytest.raises(ConfigError, match="KDL-CONF-021"):
        vault.paths(f"a/../{path}/")
