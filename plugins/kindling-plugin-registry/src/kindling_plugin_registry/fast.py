"""Answers without click: a search of verified copies. The kernel asks it before its own command line."""

from __future__ import annotations

import sys

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Sequence

OPTIONS = ("--kind", "--capability", "--level")


def answer(arguments: Sequence[str], cwd: str) -> int | None:
    """Answer `plugins search ...` if its copies are there and nothing is unusual, else return None.

    Args:
        arguments: Behind `kindling`.
        cwd: The present folder.

    Raises:
        KindlingError: Whatever is wrong; the ordinary command reports it.
    """
    words, given, is_json = [], {}, False
    rest = list(arguments[2:])
    while rest:
        text = rest.pop(0)
        if text == "--json":
            is_json = True
        elif text in OPTIONS and rest:
            given[text[2:]] = rest.pop(0)
        elif text.startswith("-"):
            return None
        else:
            words.append(text)
    from kindling_plugin_registry.client.registries import LEVELS, open_client
    from kindling_plugin_registry.client.searching import MOST, found_plain, found_text, known_copies, search

    if given.get("level", LEVELS[0]) not in LEVELS:
        return None
    copies = known_copies(open_client(cwd))
    if copies is None:
        return None
    found = search(copies, words, **given)
    if is_json:
        from kindling_plugin_registry.client.kernel import document

        sys.stdout.write(document("kindling.search/1", **found_plain(copies, found)))
    else:
        sys.stdout.write(found_text(copies, found, MOST))
    return 0
