"""What is answered before click is imported: listing plugins, and runs in which nothing changed.

Every answer here is the same, to the letter, as the one of the ordinary command; anything unusual
(an unknown option, a fault, a change) returns None, and the ordinary command takes over.
"""

from __future__ import annotations

import os
import sys

from kindling.errors import KindlingError

RUN_FLAGS = ("--env", "-e")


def fast_path(arguments: list[str]) -> int | None:
    """Answer a command line, or return None to let click do it.

    Returns:
        The exit code, or None.
    """
    if arguments[:2] == ["plugins", "list"] and arguments[2:] in ([], ["--json"]):
        return _plugins(is_json="--json" in arguments)
    if arguments[:1] == ["run"]:
        return _unchanged(arguments[1:])
    return None


def _plugins(*, is_json: bool) -> int | None:
    from kindling.cli.plugins_list import plugins_text

    try:
        sys.stdout.write(plugins_text(os.getcwd(), is_json=is_json))
    except KindlingError:
        return None
    return 0


def _unchanged(arguments: list[str]) -> int | None:
    """Return 0 after saying that nothing changed; None if anything would run or is wrong."""
    environment = ""
    if arguments:
        if len(arguments) != len(RUN_FLAGS) or arguments[0] not in RUN_FLAGS:
            return None
        environment = arguments[1]
    from kindling.cli.unchanged import unchanged_text

    try:
        text = unchanged_text(os.getcwd(), environment)
    except KindlingError:
        return None
    if text is None:
        return None
    sys.stderr.write(text)
    return 0
