"""What the engine's errors say to people. Not which error is raised."""

from __future__ import annotations

import re

from kindling.errors import KindlingError

MOST = 400
_DETAILS = re.compile(r'details = "(.*?)"\s*(?:\n|$)', re.DOTALL)
_PREFIXES = (
    "invalid argument: ",
    "Invalid argument error: ",
    "External error: ",
    "Arrow error: ",
    "Execution error: ",
)


def plain_message(error: BaseException) -> str:
    """Return an error's message: at most two lines, no stack, no gRPC status.

    An error of Kindling's own is returned as it is rendered.
    """
    if isinstance(error, KindlingError):
        return str(error)
    text = str(error).strip()
    if match := _DETAILS.search(text):
        text = match[1].strip()
    lines = [line.strip() for line in text.splitlines() if line.strip()]
    lines = [line for line in lines if not line.startswith(("JVM stacktrace", "at ", "<", ">"))]
    first = lines[0] if lines else type(error).__name__
    for prefix in _PREFIXES:
        first = first.removeprefix(prefix)
    return first if len(first) <= MOST else f"{first[:MOST]}..."
