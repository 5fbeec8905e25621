"""What pipes print in this process, without secrets: Python's own output, not what is written to descriptors.

Each write is looked at for itself, so a secret that is printed in two parts is not recognised. A process of
an executor has its own way, `kindling.run.printed`.
"""

from __future__ import annotations

import sys
from contextlib import contextmanager
from typing import TYPE_CHECKING, TextIO, cast

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator


class Redacted:
    """A text stream that hands on what is written, redacted; everything else is the stream's own."""

    def __init__(self, stream: TextIO, redact: Callable[[str], str]) -> None:
        self._stream = stream
        self._redact: Callable[[str], str] | None = redact

    def write(self, text: str) -> int:
        """Write a text; return its length, as the caller gave it."""
        redact = self._redact
        self._stream.write(redact(text) if redact is not None and isinstance(text, str) else text)
        return len(text)

    def writelines(self, lines: list[str]) -> None:
        """Write texts."""
        for line in lines:
            self.write(line)

    def end(self) -> None:
        """Hand on as it is from now on: somebody may have kept this object."""
        self._redact = None

    def __getattr__(self, name: str) -> object:
        """Return what the stream has."""
        return getattr(self._stream, name)


@contextmanager
def redacted_output(redact: Callable[[str], str]) -> Iterator[None]:
    """Redact `sys.stdout` and `sys.stderr` for a while.

    Effects: replaces both; put back at the end, unless somebody else has replaced them meanwhile.
    """
    made = {name: Redacted(getattr(sys, name), redact) for name in ("stdout", "stderr") if getattr(sys, name)}
    streams = {name: getattr(sys, name) for name in made}
    for name, stream in made.items():
        setattr(sys, name, cast("TextIO", stream))
    try:
        yield
    finally:
        for name, stream in made.items():
            stream.end()
            if getattr(sys, name) is stream:
                setattr(sys, name, streams[name])
