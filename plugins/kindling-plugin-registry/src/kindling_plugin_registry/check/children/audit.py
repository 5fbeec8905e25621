"""What a process opens, connects to and starts, as its audit events say. Standard library only.

C code that opens files by itself raises no audit events: this is evidence, not a sandbox.
"""

from __future__ import annotations

import os
import sys
from typing import Any

NETWORK = ("socket.connect", "socket.bind", "socket.sendto", "socket.getaddrinfo", "socket.gethostbyname")
PROCESS = ("subprocess.Popen", "os.system", "os.exec", "os.posix_spawn", "os.fork", "os.forkpty", "os.spawn")
FILES = ("os.remove", "os.rename", "os.mkdir", "os.rmdir", "os.truncate", "sqlite3.connect")
WRITES = os.O_WRONLY | os.O_RDWR | os.O_CREAT | os.O_TRUNC | os.O_APPEND
MOST = 50


class Watch:
    """Collects events; `folder` limits them to those with a frame of a file in that folder on the stack."""

    def __init__(self, folder: str = "") -> None:
        self.folder = folder
        self.seen: dict[str, set[str]] = {"files": set(), "network": set(), "process": set()}
        self.is_on = False
        self.inside = (sys.prefix, sys.base_prefix, os.path.dirname(os.__file__))

    def start(self) -> None:
        """Listen from now on. A hook cannot be taken out again; `is_on` silences it."""
        self.is_on = True
        sys.addaudithook(self.hear)

    def hear(self, event: str, args: tuple[object, ...]) -> None:
        """Take one event."""
        if self.is_on and (event == "open" or event in NETWORK or event in PROCESS or event in FILES):
            self.is_on = False  # what noting does is not noted
            try:
                self.note(event, args)
            finally:
                self.is_on = True

    def note(self, event: str, args: tuple[object, ...]) -> None:
        """Keep an event that counts."""
        if is_bytecode(args) or (event == "open" and not self.is_foreign(args)):
            return
        if self.folder and not self.is_own():
            return
        kind = "network" if event in NETWORK else "process" if event in PROCESS else "files"
        if len(self.seen[kind]) < MOST:
            self.seen[kind].add(described(event, args))

    def is_foreign(self, args: tuple[object, ...]) -> bool:
        """Tell whether a file is written, or read from outside of the environment."""
        path, flags = args[0], args[2]
        if not isinstance(path, (str, bytes)):
            return False
        text = os.path.abspath(os.fsdecode(path))
        if text.startswith(("/proc/", "/dev/", "/sys/")):
            return False
        if isinstance(flags, int) and flags & WRITES:
            return True
        return bool(self.folder) and not text.startswith(self.inside)

    def is_own(self) -> bool:
        """Tell whether the watched package is at work in this thread."""
        frame: Any = sys._getframe()  # noqa: SLF001  # the documented way to the caller's frames
        while frame is not None:
            if frame.f_code.co_filename.startswith(self.folder):
                return True
            frame = frame.f_back
        return False

    def result(self) -> dict[str, list[str]]:
        """Return what was seen, sorted."""
        self.is_on = False
        return {kind: sorted(found) for kind, found in self.seen.items()}


def is_bytecode(args: tuple[object, ...]) -> bool:
    """Tell whether Python itself keeps compiled modules in the environment."""
    path = args[0] if args else None
    return isinstance(path, str) and "__pycache__" in path and os.path.abspath(path).startswith(sys.prefix)


def described(event: str, args: tuple[object, ...]) -> str:
    """Return an event in a few words: a path without temporary parts, an address, a program."""
    if event in NETWORK:
        found = args[1] if event.startswith(("socket.connect", "socket.bind", "socket.sendto")) else args[:2]
        return f"{event.removeprefix('socket.')} {shown(found)}"
    if event in PROCESS:
        program = args[0] if args else event
        return os.path.basename(os.fsdecode(program)) if isinstance(program, (str, bytes)) else str(event)
    return shown_path(args[0])


def shown(address: object) -> str:
    """Return an address."""
    return ":".join(str(part) for part in address[:2]) if isinstance(address, tuple) else str(address)


def shown_path(path: object) -> str:
    """Return a path with the changing folders replaced by their meaning."""
    text = os.path.abspath(os.fsdecode(path)) if isinstance(path, (str, bytes, os.PathLike)) else str(path)
    for folder, name in ((sys.prefix, "<environment>"), (os.environ.get("TMPDIR", ""), "<temporary>")):
        if folder and text.startswith(folder):
            return name + ("" if name == "<temporary>" else text[len(folder) :])
    return text
