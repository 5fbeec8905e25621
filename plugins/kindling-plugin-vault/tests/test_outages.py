"""A server that is sealed, stopped, started again, slow, or somebody else."""

from __future__ import annotations

import socket
import threading
import time
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path

import pytest
from kindling_plugin_vault.vault import VaultSecrets
from openbao import OpenBao, free_port
from vault_opening import vault_of

from kindling.errors import ConfigError

TOKEN = "t0ken"  # noqa: S105  # of no server
REFERENCE = "secret://vault/team/db"


def vault_at(address: str, token: str = TOKEN, **settings: object) -> VaultSecrets:
    given = {"kv_version": "2", "cache_s": 0, "timeout_s": 1, **settings}
    return vault_of({"VAULT_TOKEN": token}, address=address, **given)


def failure(vault: VaultSecrets) -> ConfigError:
    with pytest.raises(ConfigError) as caught:
        vault.get("team/db", "password")
    return caught.value


@contextmanager
def web_server(status: int, body: bytes = b"", **headers: str) -> Iterator[str]:
    """Answer each question in the same way."""

    class Handler(BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            self.send_response(status)
            for key, value in {**headers, "Content-Length": str(len(body))}.items():
                self.send_header(key, value)
            self.end_headers()
            self.wfile.write(body)

        def log_message(self, *arguments: object) -> None:
            """Print nothing."""

    server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    thread = threading.Thread(target=server.serve_forever, args=(0.05,))
    thread.start()
    try:
        yield f"http://127.0.0.1:{server.server_address[1]}"
    finally:
        server.shutdown()
        thread.join()
        server.server_close()


def test_a_sealed_server_is_a_transient_error_and_works_when_it_is_unsealed(own_bao: OpenBao) -> None:
    own_bao.mount("secret")
    own_bao.put("secret", "team/db", {"password": "value"})
    vault = vault_at(own_bao.address, own_bao.root, timeout_s=20)
    assert vault.get("team/db", "password").reveal() == "value"
    own_bao.seal()
    error = failure(vault_at(own_bao.address, own_bao.root))
    assert str(error) == (
        f"KDL-CONF-305: cannot read '{REFERENCE}'\n"
        f"  why: the vault at {own_bao.address} is sealed or not initialised: it answered with status 503\n"
        f"  do: unseal it: bao operator unseal -address={own_bao.address}"
    )
    assert (error.transient, error.exit_code) == (True, 4)
    later = threading.Timer(0.5, own_bao.unseal)
    later.start()
    assert vault.get("team/db", "password").reveal() == "value"  # it asked until it was unsealed
    later.join()


def test_a_server_that_is_stopped_and_started_again_is_asked_until_it_answers(tmp_path: Path) -> None:
    server = OpenBao(tmp_path, keeps=True)
    try:
        server.start().mount("secret")
        server.put("secret", "team/db", {"password": "value"})
        vault = vault_at(server.address, server.root, timeout_s=60)
        assert vault.get("team/db", "password").reveal() == "value"
        server.stop()
        error = failure(vault_at(server.address, server.root))
        assert str(error) == (
            f"KDL-CONF-304: cannot read '{REFERENCE}'\n"
            f"  why: the vault at {server.address} does not answer: connection refused\n"
            f"  do: check the address and the network: curl {server.address}/v1/sys/health"
        )
        assert (error.transient, error.exit_code) == (True, 4)
        with ThreadPoolExecutor(1) as pool:
            read = pool.submit(vault.get, "team/db", "password")
            server.start()
            assert read.result().reveal() == "value"
    finally:
        server.stop()


def test_threads_that_wait_for_one_question_share_its_failure() -> None:
    vault = vault_at(f"http://127.0.0.1:{free_port()}", timeout_s=2)
    gate = threading.Barrier(50)

    def read() -> ConfigError:
        gate.wait()
        return failure(vault)

    began = time.monotonic()
    with ThreadPoolExecutor(50) as pool:
        errors = [done.result() for done in [pool.submit(read) for _ in range(50)]]
    assert time.monotonic() - began < 50  # fifty questions in a row would take 100 s
    assert {error.code for error in errors} == {"KDL-CONF-304"}
    assert len({id(error) for error in errors}) == 50  # each thread has a traceback of its own


def test_a_server_that_never_answers_costs_no_more_than_the_time_limit() -> None:
    with socket.create_server(("127.0.0.1", 0)) as silent:
        began = time.monotonic()
        error = failure(vault_at(f"http://127.0.0.1:{silent.getsockname()[1]}"))
    assert error.code == "KDL-CONF-304"
    assert time.monotonic() - began < 15
    assert error.why.endswith("does not answer: timed out")


@pytest.mark.parametrize("status", [429, 500, 502, 504])
def test_an_overloaded_server_is_a_transient_error(status: int) -> None:
    with web_server(status, b'{"errors": ["t0ken"]}') as address:
        error = failure(vault_at(address))
    assert error.why == f"the vault at {address} does not answer: it answered with status {status}"
    assert (error.code, error.transient) == ("KDL-CONF-304", True)


def test_a_name_that_is_not_known_is_said() -> None:
    error = failure(vault_at("https://vault.invalid"))
    assert error.why == "the vault at https://vault.invalid does not answer: its name is not known"


def test_threads_that_wait_for_a_login_wait_no_longer_than_the_time_limit() -> None:
    with socket.create_server(("127.0.0.1", 0)) as silent:
        vault = vault_at(f"http://127.0.0.1:{silent.getsockname()[1]}", timeout_s=1.5)
        began = time.monotonic()
        with ThreadPoolExecutor(30) as pool:
            asked = [pool.submit(vault.version, f"team/{number}", "x") for number in range(30)]
            errors = [str(done.exception()) for done in asked]
    assert {error.partition(":")[0] for error in errors} == {"KDL-CONF-304"}
    assert time.monotonic() - began < 30  # thirty logins in a row would take 45 s
    assert any("no login within the time limit" in error for error in errors)


ODD = {
    "a redirect": (307, b"", {"Location": "http://127.0.0.1:9/v1/x"}, "it answered with status 307"),
    "a page": (200, b"<html>t0ken</html>", {}, "its answer is not JSON"),
    "a teapot": (418, b"t0ken", {}, "it answered with status 418"),
    "no metadata": (404, b"{}", {}, "it answered with status 404"),
    "no fields": (200, b'{"data": {"password": "t0ken"}}', {}, "its answer has no fields"),
}


@pytest.mark.parametrize("case", ODD)
def test_somebody_else_at_the_address_is_said(case: str) -> None:
    status, body, headers, why = ODD[case]
    with web_server(status, body, **headers) as address:
        error = failure(vault_at(address))
    assert str(error) == (
        f"KDL-CONF-307: cannot read '{REFERENCE}'\n"
        f"  why: {address} does not answer like a vault: {why}\n"
        "  do: check address, mount and kv_version in [secrets.vault]"
    )
    assert error.transient is False


def test_the_certificate_is_checked_by_the_file_of_authorities(
    bao: OpenBao, name: str, tmp_path: Path
) -> None:
    authority, cert, key = bao.certificate(f"pki-{name}", tmp_path)
    server = OpenBao(tmp_path, tls=f'tls_cert_file = "{cert}"\n  tls_key_file = "{key}"', ca_file=authority)
    try:
        server.start().mount("secret")
        server.put("secret", "team/db", {"password": "value"})
        vault = vault_at(server.address, server.root, ca_file=authority, timeout_s=20)
        assert vault.get("team/db", "password").reveal() == "value"
        error = failure(vault_at(server.address, server.root))
        unread = failure(vault_at(server.address, server.root, ca_file=str(tmp_path / "none.pem")))
    finally:
        server.stop()
    assert str(error).splitlines()[0] == f"KDL-CONF-306: cannot read '{REFERENCE}'"
    assert error.why.startswith(
        f"the certificate of {server.address} is not trusted: unable to get local issuer"
    )
    assert error.hint == "set ca_file in [secrets.vault] to the PEM file of its authority"
    assert unread.why.endswith(f"is not trusted: '{tmp_path}/none.pem' cannot be read")
    assert (unread.code, unread.transient) == ("KDL-CONF-306", False)
