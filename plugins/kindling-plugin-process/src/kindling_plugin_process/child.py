"""`python -m kindling_plugin_process.child`: what runs inside of a task's process. Not imported by others.

Arguments: the socket's descriptor, the parent's process id, what runs tasks as `module:name`, niceness,
a folder for scratch files. It serves one task and ends.
"""

from __future__ import annotations

import faulthandler
import os
import signal
import socket
import sys
import tempfile
import threading
from importlib import import_module
from queue import SimpleQueue
from types import FrameType
from typing import Protocol

from kindling.hooks.executor import Outcome, TaskSpec
from kindling_plugin_process.bond import bind_to, kill_own_group, restrict
from kindling_plugin_process.messages import OUTCOME, PREPARE, READY, STOP, TASK, document, packed, take

INTERRUPT_EVERY_S = 0.05
"""Pause between interrupts of a task that does not stop: it may not have reached its engine yet."""
TERMINATED = 143


class Works(Protocol):
    """What runs the task: `kindling.run.child.ChildRunner`, or a test's own."""

    def prepare(self, spec: TaskSpec) -> None:
        """Open what tasks like this one need. Never raises."""
        ...

    def execute(self, spec: TaskSpec) -> Outcome:
        """Run one task in the calling thread. Never raises."""
        ...

    def interrupt(self, key: str, grace_s: float, reason: str) -> bool:
        """Stop the running task from another thread."""
        ...

    def close(self) -> None:
        """Close what was opened."""
        ...


class TaskProcess:
    """The task's side of the socket."""

    def __init__(self, channel: socket.socket, works: Works) -> None:
        self._channel = channel
        self._works = works
        self._inbox: SimpleQueue[tuple[bytes, TaskSpec | None]] = SimpleQueue()
        self._stopping = threading.Event()
        self._over = threading.Event()
        self._is_busy = False
        self._stop: tuple[str, float] = ("", 0.0)

    def serve(self) -> None:
        """Run one task, or none if the executor does not need this process."""
        signal.signal(signal.SIGTERM, self._terminated)
        threading.Thread(target=self._listen, name="kindling-socket", daemon=True).start()
        self._channel.sendall(packed(READY))
        try:
            while True:
                kind, spec = self._inbox.get()
                if spec is None:
                    return
                if kind == PREPARE:
                    self._works.prepare(spec)
                else:
                    self._run(spec)
        finally:
            self._over.set()
            self._works.close()

    def _run(self, spec: TaskSpec) -> None:
        self._is_busy = True
        threading.Thread(target=self._interrupt, args=(spec.key,), name="kindling-stop", daemon=True).start()
        outcome = self._works.execute(spec)
        self._over.set()
        self._channel.sendall(packed(OUTCOME, outcome))

    def _interrupt(self, key: str) -> None:
        """Stop the task when the executor says so, until it is over."""
        self._stopping.wait()
        reason, grace_s = self._stop
        while not self._over.is_set():
            self._works.interrupt(key, grace_s, reason)
            self._over.wait(INTERRUPT_EVERY_S)

    def _listen(self) -> None:
        """Read what the executor says. Its end is the end of this process and of all that it started."""
        buffer = bytearray()
        while chunk := _received(self._channel):
            buffer += chunk
            while (message := take(buffer)) is not None:
                kind, body = message
                if kind == STOP:
                    reason, grace_s = document(tuple[str, float], body)
                    self._stop = (reason, grace_s)
                    self._stopping.set()
                else:
                    self._inbox.put((kind, document(TaskSpec, body) if kind in (PREPARE, TASK) else None))
        kill_own_group()

    def _terminated(self, number: int, _frame: FrameType | None) -> None:
        """Leave the task's code by an exception if it is being stopped; else die as others do."""
        if self._over.is_set():
            return
        if self._stopping.is_set() or not self._is_busy:
            raise SystemExit(TERMINATED)
        signal.signal(number, signal.SIG_DFL)
        os.kill(os.getpid(), number)


def _received(channel: socket.socket) -> bytes:
    try:
        return channel.recv(65_536)
    except OSError:
        return b""


def main(descriptor: str, parent: str, works: str, nice: str, scratch: str) -> None:
    """Serve one task."""
    bind_to(int(parent))
    restrict(int(nice))
    tempfile.tempdir = scratch  # the executor removes it, also after a kill
    channel = socket.socket(fileno=int(descriptor))
    channel.set_inheritable(False)
    # Tracebacks of crashes go to the executor: files, lines and names, but no values.
    faulthandler.enable(file=os.dup(2), all_threads=False)
    module, _, name = works.partition(":")
    TaskProcess(channel, getattr(import_module(module), name)()).serve()


if __name__ == "__main__":
    main(*sys.argv[1:])
