"""Spark Connect servers: one that this process starts, kills and starts anew, or one somewhere else."""

from __future__ import annotations

import json
import os
import secrets
import signal
import subprocess
import sys
import threading
import uuid
from collections.abc import Mapping
from contextlib import suppress
from pathlib import Path
from typing import Protocol

from kindling.errors import EngineLostError
from kindling.polling import poll
from kindling_plugin_spark.endpoint import Endpoint

START_S = 300.0
"""Seconds that a server has to open its port; about 8, and more where Maven fetches the jars."""
SERVER_SETTINGS: Mapping[str, str] = {
    "spark.plugins": "org.apache.spark.sql.connect.SparkConnectPlugin",
    "spark.connect.grpc.binding.address": "127.0.0.1",
    "spark.connect.grpc.binding.port": "0",
    # Functions and files of one session are invisible to the others. Source: pyspark's own server.
    "spark.sql.artifact.isolation.enabled": "true",
    "spark.sql.artifact.isolation.alwaysApplyClassloader": "true",
}


class Server(Protocol):
    """What a session knows about its server."""

    name: str
    patience_s: float
    reason: str

    @property
    def endpoint(self) -> Endpoint:
        """Where it serves; waits for its start."""
        ...

    @property
    def alive(self) -> bool:
        """Whether it may still answer."""
        ...

    @property
    def is_own(self) -> bool:
        """Whether this process started it, and may kill it."""
        ...

    def kill(self, reason: str) -> bool:
        """End it at once; False where that is not ours to do."""
        ...

    def lost(self) -> EngineLostError:
        """Return the error for a session whose server does not answer."""
        ...


class OwnServer:
    """A server in a process of its own on the loopback interface; a random token keeps others out.

    Attributes:
        name: Identity of the process.
        patience_s: 0: a connection on the loopback interface does not break by itself.
        log: What the process and its JVM print.
        reason: Why it was killed, for other sessions' errors.
    """

    is_own = True

    def __init__(self, settings: Mapping[str, str], work_dir: str) -> None:
        self.name = f"spark-{uuid.uuid4().hex[:12]}"
        self.patience_s = 0.0
        self.reason = ""
        self.log = Path(work_dir) / f"{self.name}.log"
        self._lock = threading.Lock()
        self._token = secrets.token_urlsafe(24)
        self._endpoint: Endpoint | None = None
        with self.log.open("wb") as log:
            self._process = subprocess.Popen(
                [sys.executable, "-m", "kindling_plugin_spark.server"],
                stdin=subprocess.PIPE,
                stdout=subprocess.PIPE,
                stderr=log,
                env=_environment(self._token),
                start_new_session=True,  # Ctrl-C belongs to the worker; and the JVM is of its group
            )
        assert self._process.stdin is not None  # noqa: S101  # opened above
        with suppress(OSError):  # it ended at once: `endpoint` tells why
            self._process.stdin.write(json.dumps({**settings, **SERVER_SETTINGS}).encode() + b"\n")
            self._process.stdin.flush()

    @property
    def pid(self) -> int:
        """The process id, which is the id of its process group as well."""
        return self._process.pid

    @property
    def endpoint(self) -> Endpoint:
        """Where it serves; waits until it does.

        Raises:
            EngineLostError: KDL-INFRA-301, it ended or did not open its port.
        """
        with self._lock:
            if self._endpoint is None:
                # Not an address: pyspark sends tokens without TLS to this name only.
                self._endpoint = Endpoint("localhost", self._read_port(), {"token": self._token})
        return self._endpoint

    @property
    def alive(self) -> bool:
        """Whether the process runs."""
        return self._process.poll() is None

    def kill(self, reason: str) -> bool:
        """End the process and its JVM at once; their files stand in the work folder."""
        self.reason = self.reason or reason
        with suppress(ProcessLookupError):
            os.killpg(self.pid, signal.SIGKILL)
        self._process.wait()
        for pipe in (self._process.stdin, self._process.stdout):
            if pipe is not None:
                with suppress(OSError):
                    pipe.close()
        return True

    def leave(self) -> None:
        """Close the pipe that the server watches: it ends by itself, as after the end of this process."""
        if self._process.stdin is not None:
            self._process.stdin.close()

    def lost(self) -> EngineLostError:
        """Return the error for a session whose server does not answer."""
        poll(lambda: not self.alive, timeout_s=2.0)  # a dying process closes its sockets first
        ended = "" if self.alive else "its process ended"
        return _lost("the Spark server of this run was lost", self.reason or ended or "it does not answer")

    def _read_port(self) -> int:
        pipe = self._process.stdout
        found: list[bytes] = []
        assert pipe is not None  # noqa: S101  # opened above

        def read() -> None:
            with suppress(ValueError, OSError):  # it was killed, and the pipe closed
                found.append(pipe.readline())

        reader = threading.Thread(target=read, daemon=True)
        reader.start()
        reader.join(START_S)
        if found and found[0].strip().isdigit():
            return int(found[0])
        self.kill("it did not start")
        raise EngineLostError(
            "KDL-INFRA-301",
            "the engine of the platform 'spark' did not start",
            why=_last_line(self.log) or f"no port after {START_S:.0f} s",
            hint=f"look at {self.log.name!r} in the work folder",
        )


class RemoteServer:
    """A server that somebody else runs; it is never killed.

    Attributes:
        name: Identity of this connection; another one after a loss.
        patience_s: Seconds for which requests are repeated while it does not answer.
    """

    is_own = False

    def __init__(self, endpoint: Endpoint, patience_s: float) -> None:
        self.name = f"spark-{uuid.uuid4().hex[:12]}"
        self.patience_s = patience_s
        self.reason = ""
        self._endpoint = endpoint

    @property
    def endpoint(self) -> Endpoint:
        """Where it serves."""
        return self._endpoint

    @property
    def alive(self) -> bool:
        """False once a session has lost it; the next session connects anew."""
        return not self.reason

    def kill(self, reason: str) -> bool:  # noqa: ARG002  # the protocol's signature
        """Do nothing."""
        return False

    def lost(self) -> EngineLostError:
        """Return the error for a session whose server does not answer or has started anew."""
        self.reason = self.reason or "it does not answer, or was started anew"
        return _lost(f"the Spark Connect server {str(self._endpoint)!r} was lost", self.reason)


def _lost(what: str, why: str) -> EngineLostError:
    return EngineLostError(
        "KDL-INFRA-304", what, why=why, hint="run again with --resume; sessions are opened anew"
    )


def _environment(token: str) -> dict[str, str]:
    """Return the server's environment: the worker's, its import path for UDFs, the token.

    The token is no command-line argument, because every user of a machine can read those.
    """
    left = {
        key: value
        for key, value in os.environ.items()
        if not key.startswith(("SPARK_REMOTE", "SPARK_CONNECT_"))
    }
    return {
        **left,
        "PYTHONPATH": os.pathsep.join(part for part in sys.path if part),
        "PYSPARK_PYTHON": os.environ.get("PYSPARK_PYTHON", sys.executable),
        "SPARK_CONNECT_AUTHENTICATE_TOKEN": token,
    }


def _last_line(log: Path) -> str:
    lines = [line for line in log.read_text("utf-8", "replace").splitlines() if line.strip()]
    return lines[-1].strip() if lines else ""
