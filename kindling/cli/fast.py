"""What is answered before click is imported: listing plugins, and runs in which nothing changed.

Every answer here is the same, to the letter, as the one of the ordinary command; anything unusual
(an unknown option, a fault, a change) returns None, and the ordinary command takes over.
"""

from __future__ import annotations

import os
import sys

from kindling.errors import KindlingError

OPTIONS = {
    "--env": "env",
    "-e": "env",
    "--set": "set",
    "--select": "select",
    "-s": "select",
    "--exclude": "exclude",
    "-x": "exclude",
    "--workers": "workers",
    "-w": "workers",
}
"""Options of `kindling run`, each with one value, that are understood here."""

FAST = "x-kindling-fast"
"""Feature of a command plugin: its package has a light module `fast` with `answer(arguments, cwd)`."""


def fast_path(arguments: list[str]) -> int | None:
    """Answer a command line, or return None to let click do it.

    Returns:
        The exit code, or None.
    """
    if arguments[:2] == ["plugins", "list"] and arguments[2:] in ([], ["--json"]):
        return _plugins(is_json="--json" in arguments)
    if arguments[:2] == ["plugins", "search"]:
        return _added(arguments)
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


def _added(arguments: list[str]) -> int | None:
    """Let the plugin that adds a subcommand answer it by its module `fast`, if it has one."""
    from importlib import import_module

    from kindling.cli.permitted import permitted
    from kindling.plugins.catalog import read_catalog

    try:
        found = permitted(os.getcwd())
        for item in read_catalog(found.cache, found.policy).capabilities("command"):
            if FAST in item.features and any(list(added[:2]) == arguments[:2] for added in item.subcommands):
                code: int | None = import_module(f"{item.module.rpartition('.')[0]}.fast").answer(
                    arguments, os.getcwd()
                )
                return code
    except KindlingError:
        return None
    return None


def _unchanged(arguments: list[str]) -> int | None:
    """Return 0 after saying that nothing changed; None if anything would run or is wrong."""
    given: dict[str, list[str]] = {"env": [], "set": [], "select": [], "exclude": [], "workers": []}
    locked = "--locked" in arguments
    arguments = [item for item in arguments if item != "--locked"]
    if len(arguments) % 2:
        return None
    for option, value in zip(arguments[::2], arguments[1::2], strict=True):
        if option not in OPTIONS or value.startswith("-"):
            return None
        given[OPTIONS[option]].append(value)
    pairs = [text.partition("=") for text in given["set"]]
    # How many would work matters to nobody where there is no work; a fault in it does.
    counts = [value.isascii() and value.isdigit() and int(value) > 0 for value in given["workers"]]
    if not all(counts) or not all(key and equals for key, equals, _ in pairs):
        return None
    from kindling.cli.unchanged import unchanged_text

    try:
        text = unchanged_text(
            os.getcwd(),
            given["env"][-1] if given["env"] else "",
            overrides={key.strip(): value for key, _, value in pairs},
            select=tuple(given["select"]),
            exclude=tuple(given["exclude"]),
            locked=locked,
        )
    except KindlingError:
        return None
    if text is None:
        return None
    sys.stderr.write(text)
    return 0
