"""Record what was asked for: `[plugins] requests` in kindling.toml, or in the user's own file.

A text edit in one step, so that comments and order of the file stay; its result is parsed and compared
before anything is written.
"""

from __future__ import annotations

import json
import os
import re
import tomllib
from typing import TYPE_CHECKING

from kindling.errors import ConfigError
from kindling.names import canonical

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

_HEADER = re.compile(r"^[ \t]*\[[ \t]*plugins[ \t]*\][ \t]*(?:#[^\r\n]*)?$", re.MULTILINE)
_ANY_HEADER = re.compile(r"^[ \t]*\[", re.MULTILINE)
_KEY = re.compile(r"^[ \t]*requests[ \t]*=[ \t]*\[[^\]]*\]", re.MULTILINE)


def record_requests(file: str, requests: Sequence[str]) -> None:
    """Write the whole list of requests.

    Effects: replaces the file in one step; makes it, and its folder, if it is missing.

    Raises:
        ConfigError: KDL-REG-146, the file is written in a form that is not edited.
    """
    try:
        with open(file, encoding="utf-8", newline="") as opened:
            text = opened.read()
    except FileNotFoundError:
        text = ""
    plain = tomllib.loads(text)
    if plain.get("plugins", {}).get("requests", []) == list(requests):
        return
    made = _edited(text, f"requests = {json.dumps(list(requests))}")
    plain.setdefault("plugins", {})["requests"] = list(requests)
    try:
        is_right = tomllib.loads(made) == plain
    except tomllib.TOMLDecodeError:
        is_right = False
    if not is_right:
        raise ConfigError(
            "KDL-REG-146",
            "the requests cannot be recorded",
            why="[plugins] is written in a form that this command does not edit",
            where=file,
            hint=f"write requests = {json.dumps(list(requests))} under [plugins]",
        )
    os.makedirs(os.path.dirname(file), exist_ok=True)
    own = f"{file}.{os.getpid()}.new"
    with open(own, "w", encoding="utf-8", newline="") as opened:
        opened.write(made)
    os.replace(own, os.path.realpath(file))


def with_requests(present: Iterable[str], added: Iterable[str]) -> list[str]:
    """Return the list with some more; a new requirement of a name replaces the old one."""
    found = {_name(item): item for item in present}
    found.update({_name(item): item for item in added})
    return [found[name] for name in sorted(found)]


def without_requests(present: Iterable[str], names: Iterable[str]) -> list[str]:
    """Return the list without some names."""
    gone = {canonical(name) for name in names}
    return [item for item in present if _name(item) not in gone]


def _name(requirement: str) -> str:
    from kindling_plugin_registry.client.judging import named_version
    from kindling_plugin_registry.client.kernel import PREFIX

    name = named_version(requirement)[0]
    return name if name.startswith(PREFIX) else f"{PREFIX}{name}"


def _edited(text: str, line: str) -> str:
    head = _HEADER.search(text)
    if head is None:
        gap = "" if not text or text.endswith("\n") else "\n"
        return f"{text}{gap}[plugins]\n{line}\n"
    following = _ANY_HEADER.search(text, head.end())
    key = _KEY.search(text, head.end(), following.start() if following else len(text))
    if key is None:
        return f"{text[: head.end()]}\n{line}{text[head.end() :]}"
    return f"{text[: key.start()]}{line}{text[key.end() :]}"
