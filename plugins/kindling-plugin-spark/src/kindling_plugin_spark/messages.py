"""What the engine's errors say to people. Not which error is raised."""

from __future__ import annotations

import re
from collections.abc import Mapping

from kindling.errors import ConfigError, KindlingError

MOST = 400
_STATE = re.compile(r"\s*SQLSTATE: \w+;?")
_JAVA = re.compile(r"^: (?:[\w$]+\.)+[\w$]+: ")
_PASSING = ("DELTA_CONCURRENT", "DELTA_PROTOCOL_CHANGED", "StatusCode.UNAVAILABLE", "INVALID_HANDLE.SESSION_")
"""What stands in errors that a second try may not meet: another writer's commit, a lost server."""
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


def is_transient(error: BaseException) -> bool:
    """Tell whether an error of Spark's may vanish: a lost engine or another writer's commit."""
    text = f"{type(error).__name__}: {error}"
    return is_connection_loss(error) or any(sign in text for sign in _PASSING)


def refused_setting(settings: Mapping[str, str], error: BaseException) -> ConfigError:
    """Return the error for a setting that no session may have."""
    text = str(error)
    key = next(
        (key for key in settings if f'"{key}"' in text), next((key for key in settings if key in text), "")
    )
    return ConfigError(
        "KDL-INFRA-323",
        f"the setting {key!r} cannot be set for a session"
        if key
        else "a setting cannot be set for a session",
        why=plain_message(error),
        hint="set it where Spark is started, and take it out of [spark] of this environment",
    )
