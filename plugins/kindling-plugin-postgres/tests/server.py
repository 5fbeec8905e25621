"""A PostgreSQL server of a test session's own: in a short path, without fsync, as another user than root.

Not part of the plugin: `plugins/kindling-plugin-postgres/tests` and end-to-end tests load it by its path.
Local connections are trusted; over TCP the password is asked for.
"""

from __future__ import annotations

import os
import shutil
import signal
import socket
import subprocess
import tempfile
import time
from pathlib import Path

USER = "kindling"
PASSWORD = "s3cret-horse-battery"  # noqa: S105  # of a server that ends with the tests
DATABASE = "kindling"
START_S = 60.0


class PostgresServer:
    """One server.

    Args:
        host: The address that it listens on; its network may ask for a login.

    Attributes:
        folder: Its socket and data.
        port: Its port, for TCP and for the socket's name.
    """

    def __init__(self, host: str = "127.0.0.1") -> None:
        self.host = host
        self.folder = Path(tempfile.mkdtemp(prefix="kpg", dir="/tmp"))  # socket paths are short
        self.port = 0
        self._process: subprocess.Popen[bytes] | None = None
        self._user = "nobody" if os.geteuid() == 0 else None
        if self._user:
            shutil.chown(self.folder, self._user)
        self._make()

    @property
    def uri(self) -> str:
        """The database over the socket."""
        return f"postgresql:///{DATABASE}?host={self.folder}&port={self.port}&user={USER}"

    @property
    def tcp_uri(self) -> str:
        """The database over TCP, without the login."""
        return f"postgresql://{self.host}:{self.port}/{DATABASE}"

    def _make(self) -> None:
        secret = self.folder / "password"
        secret.write_text(PASSWORD)
        if self._user:
            shutil.chown(secret, self._user)
        self._run(
            *("initdb", "-D", "data", "-U", USER, "-E", "UTF8", "--locale=C.UTF-8", "--no-sync"),
            *("--auth-local=trust", "--auth-host=scram-sha-256", "--pwfile=password", "--no-instructions"),
        )
        with (self.folder / "data" / "pg_hba.conf").open("a") as rules:
            rules.write(f"host all all {self.host}/24 scram-sha-256\n")
        self.start()
        options = ("-h", str(self.folder), "-p", str(self.port), "-U", USER)
        self._run("createdb", *options, DATABASE)

    def _run(self, program: str, *arguments: str) -> None:
        command = [_program(program), *arguments]
        done = subprocess.run(command, cwd=self.folder, user=self._user, check=False, capture_output=True)
        if done.returncode:
            message = f"{command}: {done.stdout.decode()}{done.stderr.decode()}"
            raise RuntimeError(message)

    def start(self) -> None:
        """Start it and wait until it answers; on the port that it had before."""
        command = [_program("postgres"), "-D", "data", "-k", str(self.folder), "-h", self.host]
        for _ in range(5):
            port = self.port or _free_port()
            settings = ("fsync=off", "full_page_writes=off", "max_wal_size=256MB")
            settings += (
                "shared_buffers=32MB",
                "max_connections=60",
                "autovacuum=off",
                "log_min_messages=fatal",
            )
            options = [part for setting in settings for part in ("-c", setting)]
            with (self.folder / "log").open("ab") as log:
                self._process = subprocess.Popen(
                    [*command, "-p", str(port), *options],
                    cwd=self.folder,
                    user=self._user,
                    stdout=log,
                    stderr=log,
                    start_new_session=True,
                )
            if self._answers(port):
                self.port = port
                return
            self.stop(signal.SIGQUIT)
        message = f"PostgreSQL does not start: {(self.folder / 'log').read_text()}"
        raise RuntimeError(message)

    def _answers(self, port: int) -> bool:
        deadline = time.monotonic() + START_S
        ask = [_program("pg_isready"), "-q", "-h", str(self.folder), "-p", str(port)]
        while time.monotonic() < deadline and self._process is not None and self._process.poll() is None:
            if subprocess.run(ask, check=False).returncode == 0:
                return True
            time.sleep(0.05)
        return False

    def stop(self, how: signal.Signals = signal.SIGINT) -> None:
        """Stop it: SIGINT ends sessions, SIGQUIT is as a crash. Source: PostgreSQL 15, "pg_ctl" modes."""
        if self._process is not None:
            self._process.send_signal(how)
            self._process.wait(60)
            self._process = None

    def close(self) -> None:
        """Stop it for good and remove its files."""
        self.stop(signal.SIGQUIT)
        shutil.rmtree(self.folder, ignore_errors=True)


def _program(name: str) -> str:
    found = shutil.which(name)
    if found and name != "pg_isready":
        return found
    places = sorted(Path("/usr/lib/postgresql").glob(f"*/bin/{name}"))
    if places:
        return str(places[-1])
    if found:
        return found
    message = f"{name} is not installed: python requirements/system.py postgresql"
    raise RuntimeError(message)


def _free_port() -> int:
    with socket.socket() as tried:
        tried.bind(("127.0.0.1", 0))
        return int(tried.getsockname()[1])
