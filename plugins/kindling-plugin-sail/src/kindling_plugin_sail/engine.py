"""The engine's process: start, port, load, kill. It knows nothing of sessions."""

from __future__ import annotations

import os
import subprocess
import sys
import threading
import time
import uuid
from contextlib import suppress
from pathlib import Path

from kindling.errors import EngineLostError
from kindling.polling import poll

START_S = 60.0
"""Seconds that the engine has to open its port; 0.07 on an idle machine."""

QUIET = 0.5
"""Share of one core below which an engine without work counts as quiet; idle ones use 0.00."""


class Engine:
    """One engine process. Created started; its port is known once it serves.

    Attributes:
        sessions: Number of tasks that have a session on it.
        most: The highest number there was.
        retiring: Whether it gets no new ones.
    """

    def __init__(self, work_dir: str) -> None:
        self.name = f"sail-{uuid.uuid4().hex[:12]}"
        self.log = Path(work_dir) / f"{self.name}.log"
        self.reason = ""
        self.retiring = False
        self.sessions = 0
        self.most = 0
        self._lock = threading.Lock()
        self._port = 0
        with self.log.open("wb") as log:
            self._process = subprocess.Popen(
                [sys.executable, "-m", "kindling_plugin_sail.server"],
                stdin=subprocess.PIPE,
                stdout=subprocess.PIPE,
                stderr=log,
                env=_environment(),
                start_new_session=True,  # Ctrl-C belongs to the worker, which stops the engine itself
            )

    @property
    def pid(self) -> int:
        """The process id."""
        return self._process.pid

    @property
    def url(self) -> str:
        """The address for a client; waits until the engine serves.

        Raises:
            EngineLostError: KDL-INFRA-102, it ended or did not open its port.
        """
        with self._lock:
            if not self._port:
                self._port = self._read_port()
        return f"sc://127.0.0.1:{self._port}"

    @property
    def serves(self) -> bool:
        """Whether the process runs and its port is known."""
        return bool(self._port) and self.alive

    @property
    def alive(self) -> bool:
        """Whether the process runs."""
        return self._process.poll() is None

    def kill(self, reason: str) -> None:
        """End the process at once; `reason` is what other sessions read in their error."""
        self.reason = self.reason or reason
        self._process.kill()
        self._process.wait()
        for pipe in (self._process.stdin, self._process.stdout):
            if pipe is not None:
                pipe.close()

    def lost(self) -> EngineLostError:
        """Return the error for a session whose engine does not answer."""
        poll(lambda: not self.alive, timeout_s=1.0)  # a dying process closes its sockets first
        ended = f"its process ended with code {self._process.returncode}" if not self.alive else ""
        return EngineLostError(
            "KDL-INFRA-101",
            "the engine of the platform 'sail' was lost",
            why=self.reason or ended or "it does not answer",
            hint="run again with --resume; the engine is started anew",
        )

    def is_quiet(self, timeout_s: float) -> bool:
        """Tell whether the process stops using the processor within some seconds.

        True where the system does not tell (there is no `/proc`).
        """
        return bool(poll(self._rests, timeout_s=timeout_s, first_s=0.02, most_s=0.1))

    def _rests(self) -> bool:
        span_s = 0.2
        before = _cpu_s(self.pid)
        time.sleep(span_s)
        return _cpu_s(self.pid) - before < QUIET * span_s

    def _read_port(self) -> int:
        pipe = self._process.stdout
        found: list[bytes] = []
        assert pipe is not None  # noqa: S101  # opened above

        def read() -> None:
            with suppress(ValueError):  # it was killed, and the pipe closed
                found.append(pipe.readline())

        reader = threading.Thread(target=read, daemon=True)
        reader.start()
        reader.join(START_S)
        if found and found[0].strip().isdigit():
            return int(found[0])
        self.kill("it did not start")
        raise EngineLostError(
            "KDL-INFRA-102",
            "the engine of the platform 'sail' did not start",
            why=_last_line(self.log) or f"no port after {START_S:.0f} s",
            hint="python -m kindling_plugin_sail.server",
        )


def _environment() -> dict[str, str]:
    """Return the engine's environment: the worker's, its import path, no session time-out.

    The import path is there for functions of the app that run on the engine (UDFs).
    """
    return {
        **os.environ,
        "PYTHONPATH": os.pathsep.join(part for part in sys.path if part),
        "SAIL_SPARK__SESSION_TIMEOUT_SECS": "604800",
        "RUST_LOG": os.environ.get("RUST_LOG", "warn"),
    }


def _cpu_s(pid: int) -> float:
    """Return the processor seconds that a process has used; 0 where the system does not tell."""
    try:
        fields = Path(f"/proc/{pid}/stat").read_text(encoding="ascii").rpartition(")")[2].split()
    except OSError:
        return 0.0
    return (int(fields[11]) + int(fields[12])) / os.sysconf("SC_CLK_TCK")


def _last_line(log: Path) -> str:
    lines = [line for line in log.read_text("utf-8", "replace").splitlines() if line.strip()]
    return lines[-1].strip() if lines else ""
