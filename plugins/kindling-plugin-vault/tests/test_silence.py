"""Canaries: no value and no credential is seen in what a vault shows, logs or raises."""

from __future__ import annotations

import base64
import logging
import pickle
from collections.abc import Callable, Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from threading import Thread

import pytest
from kindling_plugin_vault.vault import VaultSecrets
from openbao import OpenBao, free_port
from vault_opening import vault_of

from kindling.errors import ConfigError

VALUE = "canary-value-7f3a91"
OTHER = "canary-other-7f3a91"
GARBLED = "canary garbled \u00e9"


def forms(canary: str) -> set[str]:
    raw = canary.encode()
    return {canary, base64.b64encode(raw).decode(), raw.hex()}


def chain(error: BaseException | None) -> Iterator[BaseException]:
    """Yield an error and all that it is chained to, suppressed contexts too."""
    while error is not None:
        yield error
        error = error.__cause__ or error.__context__


def shown(error: BaseException) -> str:
    """Return all that a curious reporter could show of an error, with the plugin's local variables."""
    parts = []
    for each in chain(error):
        parts += [str(each), repr(each), repr(vars(each))]
        frames = each.__traceback__
        while frames is not None:
            if "kindling_plugin_vault" in frames.tb_frame.f_code.co_filename:
                parts.append(repr(frames.tb_frame.f_locals))
            frames = frames.tb_next
    return "\n".join(parts)


@pytest.fixture
def echo() -> Iterator[str]:
    """Give a server that repeats in each answer what it was told, as a bad proxy does."""

    class Handler(BaseHTTPRequestHandler):
        def do_POST(self) -> None:
            body = self.rfile.read(int(self.headers.get("Content-Length") or 0)) + str(self.headers).encode()
            self.send_response(400)
            self.send_header("Content-Length", str(len(body)))
            self.end_headers()
            self.wfile.write(body)

        def do_GET(self) -> None:
            self.do_POST()

        def log_message(self, *arguments: object) -> None:
            """Print nothing."""

    server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    thread = Thread(target=server.serve_forever, args=(0.05,))
    thread.start()
    yield f"http://127.0.0.1:{server.server_address[1]}"
    server.shutdown()
    thread.join()
    server.server_close()


def test_neither_values_nor_credentials_are_seen(
    bao: OpenBao,
    mount: str,
    name: str,
    echo: str,
    caplog: pytest.LogCaptureFixture,
    capfd: pytest.CaptureFixture[str],
) -> None:
    caplog.set_level(logging.DEBUG)
    bao.put(mount, "team/db", {"password": VALUE, "port": OTHER})
    policy = bao.policy(f"read-{name}", f"{mount}/* read")
    role, secret = bao.approle(f"role-{name}", token_policies=policy)
    environ = {"VAULT_ROLE_ID": role, "VAULT_SECRET_ID": secret, "VAULT_TOKEN": bao.root, "GARBLED": GARBLED}

    def opened(**settings: object) -> VaultSecrets:
        return vault_of(environ, **{"address": bao.address, "mount": mount, "timeout_s": 1, **settings})

    approle = {"auth": "approle", "auth_mount": f"role-{name}"}
    nobody = f"http://127.0.0.1:{free_port()}"
    vault, by_role = opened(), opened(**approle)
    asked: dict[str, Callable[[], object]] = {
        "wrong field": lambda: vault.get("team/db", "passwort"),
        "no field": lambda: vault.get("team/db", ""),
        "missing": lambda: by_role.get("team/none", "x"),
        "forbidden": lambda: opened(**approle, mount="cubbyhole", kv_version="1").get("x", "y"),
        "forbidden list": lambda: by_role.paths(""),
        "unknown login": lambda: opened(auth="approle").get("team/db", "password"),
        "garbled": lambda: opened(token_env="GARBLED").get("team/db", "password"),  # noqa: S106  # a name
        "echo": lambda: opened(address=echo, kv_version="2").get("team/db", "password"),
        "echo login": lambda: opened(**approle, address=echo).get("team/db", "password"),
        "nobody": lambda: opened(address=nobody).get("team/db", "password"),
        "nobody login": lambda: opened(**approle, address=nobody).version("team/db", "password"),
        "no engine": lambda: opened(mount="sys").get("team/db", "password"),
        "setting": lambda: opened(auth=VALUE[:3]),
    }
    secrets = [item.get("team/db", "password") for item in (vault, by_role)]
    versions = [item.version("team/db", "password") for item in (vault, by_role)]
    parts = [repr(item) for item in (vault, by_role, vars(vault), vars(by_role), secrets, versions)]
    for ask in asked.values():
        with pytest.raises(ConfigError) as caught:
            ask()
        parts += [shown(caught.value), str(caught.value.to_plain()), repr(pickle.dumps(caught.value))]
        assert {type(each).__module__.partition(".")[0] for each in chain(caught.value)} <= {
            "kindling",
            "kindling_plugin_vault",
        }
    printed = capfd.readouterr()
    text = "\n".join([*parts, caplog.text, printed.out, printed.err])
    canaries = {"value": VALUE, "other": OTHER, "token": bao.root, "role id": role, "secret id": secret}
    seen = {name for name, canary in canaries.items() if any(form in text for form in forms(canary))}
    assert seen == set()
    assert "garbled" not in text.replace("GARBLED", "")
    assert {item.reveal() for item in secrets} == {VALUE}  # the canaries were there
    assert "urllib3" in caplog.text  # and the log was on


def test_the_search_finds_a_canary() -> None:
    namespace: dict[str, object] = {}
    code = compile(
        f"def leak():\n    local = {VALUE!r}\n    raise KeyError", "kindling_plugin_vault/x.py", "exec"
    )
    exec(code, namespace)  # noqa: S102  # a plugin that leaks
    with pytest.raises(KeyError) as caught:
        namespace["leak"]()  # type: ignore[operator]  # it is a function
    assert VALUE in shown(caught.value)
