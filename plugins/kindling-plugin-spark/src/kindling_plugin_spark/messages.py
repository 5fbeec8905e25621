"""What the engine's errors say to people. Not which error is raised."""

from __future__ import annotations

import re

from kindling.errors import KindlingError

MOST = 400
_STATE = re.compile(r"\s*SQLSTATE: \w+;?")
_JAVA = re.compile(r"^: (?:[\w$]+\.)+[\w$]+: ")
_LOSSES = ("Py4JNetworkError", "ConnectionRefusedError", "ConnectionResetError")


def plain_message(error: BaseException) -> str:
    """Return an error's message in one line: no stack, no SQLSTATE, no name of a Java class.

    An error of Kindling's own is returned as it is rendered.
    """
    if isinstance(error, KindlingError):
        return str(error)
    lines = [line.strip() for line in str(error).splitlines() if line.strip()]
    lines = [line for line in lines if not line.startswith(("An error occurred while calling", "at "))]
    first = lines[0] if lines else type(error).__name__
    first = _STATE.sub("", _JAVA.sub("", first)).removeprefix("[USER_RAISED_EXCEPTION] ")
    return first if len(first) <= MOST else f"{first[:MOST]}..."


def is_connection_loss(error: BaseException) -> bool:
    """Tell whether the JVM did not answer any more."""
    return type(error).__name__ in _LOSSES or "Answer from Java side is empty" in str(error)
