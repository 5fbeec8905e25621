"""One task process as the executor sees it: its socket, its last words, its end. It decides nothing."""

from __future__ import annotations

import contextlib
import os
import socket
import subprocess
import sys
from time import monotonic
from typing import Final

from kindling.hooks.executor import TaskSpec
from kindling_plugin_process.messages import packed, take
from kindling_plugin_process.tree import Tree

TAIL_BYTES: Final = 8_192
"""How much of what a process wrote about its crash is kept."""


class TaskProcess:
    """A started process, its pipes and what is known of its task.

    Attributes:
        pid: Its process id, and its group's.
        tree: It and its descendants.
        spec: The task that it is meant for, or None.
        began: When it was started, on the monotonic clock, as all moments here.
        handed: When the task was handed over, or 0.
        is_ready: Whether it has said that it takes a task.
        is_settled: Whether its task's outcome was delivered.
        reason: Why it is being stopped: `timed_out`, `cancelled`, `memory`, `start` or "".
        grace_s: Seconds that stopping may take.
        stopped: When stopping began.
        used_mb: What it took when it was killed for its memory; `allowed_mb` what it might.
        steps: How far stopping has come: 1 after SIGTERM, 2 after SIGKILL.
        leaves_by: When it must have ended, or 0.
        words: What it wrote about its crash.
        inbox: What came through the socket and is no whole message yet.
    """

    def __init__(self, works: str, nice: int, scratch: str) -> None:
        self.scratch = scratch
        self._popen = self._started(works, nice)
        self.channel.setblocking(False)
        os.set_blocking(self.errors, False)
        self.pid = self._popen.pid
        self.tree = Tree(self.pid)
        self.spec: TaskSpec | None = None
        self.began = monotonic()
        self.handed = 0.0
        self.is_ready = False
        self.is_settled = False
        self.reason = ""
        self.grace_s = 0.0
        self.stopped = 0.0
        self.steps = 0
        self.used_mb = self.allowed_mb = 0
        self.leaves_by = 0.0
        self.words = b""
        self.inbox = bytearray()
        self._outbox = bytearray()

    def _started(self, works: str, nice: int) -> subprocess.Popen[bytes]:
        """Start the process with its socket and pipe; whatever fails, no descriptor is left open."""
        with contextlib.ExitStack() as theirs, contextlib.ExitStack() as ours:
            self.channel, channel = socket.socketpair()
            theirs.callback(channel.close)
            ours.callback(self.channel.close)
            self.errors, writer = os.pipe()
            theirs.callback(os.close, writer)
            ours.callback(os.close, self.errors)
            command = [
                sys.executable,
                *([] if _imports_from_here() else ["-P"]),
                *("-m", "kindling_plugin_process.child", str(channel.fileno()), str(os.getpid())),
                *(works, str(nice), self.scratch),
            ]
            made = subprocess.Popen(  # noqa: S603  # this very interpreter
                command,
                stdin=subprocess.DEVNULL,
                stdout=subprocess.DEVNULL,
                stderr=writer,
                pass_fds=(channel.fileno(),),
                start_new_session=True,
            )
            ours.pop_all()
            return made

    @property
    def is_spare(self) -> bool:
        """Whether it waits for a task."""
        return self.spec is None and not self.leaves_by and not self.reason

    def code(self) -> int | None:
        """Return its exit code, negative for a signal; None while it lives."""
        return self._popen.poll()

    def reap(self, timeout_s: float) -> None:
        """Wait for the end of a process that was killed."""
        with contextlib.suppress(subprocess.TimeoutExpired):
            self._popen.wait(timeout_s)

    def say(self, kind: bytes, document: object = None) -> None:
        """Send a message; what does not fit is sent by `flush`."""
        self._outbox += packed(kind, document)
        self.flush()

    def flush(self) -> None:
        """Send what has not been sent yet; never blocks."""
        while self._outbox:
            try:
                sent = self.channel.send(self._outbox)
            except BlockingIOError:
                return
            except OSError:
                self._outbox.clear()  # it has ended; that is dealt with where its end is seen
                return
            del self._outbox[:sent]

    def hear(self) -> list[tuple[bytes, bytes]]:
        """Return the whole messages that have come; never blocks."""
        while True:
            try:
                chunk = self.channel.recv(65_536)
            except OSError:  # nothing there, or reset
                break
            if not chunk:
                break
            self.inbox += chunk
        found = []
        while (message := take(self.inbox)) is not None:
            found.append(message)
        return found

    def read_words(self) -> bool:
        """Read what it wrote on its standard error; False once that is closed."""
        try:
            chunk = os.read(self.errors, 65_536)
        except BlockingIOError:
            return True
        self.words = (self.words + chunk)[-TAIL_BYTES:]
        return bool(chunk)

    def close(self) -> None:
        """Close the pipes."""
        self.channel.close()
        os.close(self.errors)


def _imports_from_here() -> bool:
    """Tell whether this interpreter imports from its current folder, as the new one then must too."""
    return "" in sys.path or os.getcwd() in sys.path  # noqa: PTH109  # compared with texts
