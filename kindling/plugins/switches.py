"""Switches plugins off and on: edits `[plugins] disable` in a project's `kindling.toml`, and no more.

A text edit, so that comments, order and spacing of the file stay; its result is parsed and compared
before anything is written.
"""

from __future__ import annotations

import os
import re
import shutil
import tomllib
from collections.abc import Iterator

from kindling.errors import PluginError
from kindling.names import canonical
from kindling.values import Value

_HEADER = re.compile(r"^[ \t]*\[[ \t]*plugins[ \t]*\][ \t]*(?:#[^\r\n]*)?(?=\r?$)", re.MULTILINE)
_ANY_HEADER = re.compile(r"^[ \t]*\[", re.MULTILINE)
_KEY = re.compile(r"^[ \t]*disable[ \t]*=[ \t]*\[", re.MULTILINE)
_TOKEN = re.compile(r"#[^\r\n]*|\"(?:\\.|[^\"\\\r\n])*\"|'[^'\r\n]*'|,|\]|[\s]+")


class _Item(Value):
    """One text in the list: where it stands in the file, and its value."""

    start: int
    end: int
    name: str


def disable(settings_file: str, name: str) -> bool:
    """Add a plugin to `[plugins] disable`; False if it was there.

    Effects: replaces the file in one step, all else in it stays as it was.

    Args:
        settings_file: Path of `kindling.toml`, which exists.
        name: Distribution, its short form, or a capability.

    Raises:
        PluginError: KDL-PLUG-031, the file cannot be read or edited.
    """
    text = _read(settings_file)
    names = _disabled(settings_file, text)
    if _same(name) in map(_same, names):
        return False
    _write(settings_file, _with(text, name), [*names, name])
    return True


def enable(settings_file: str, name: str) -> bool:
    """Take a plugin from `[plugins] disable`; False if it was not there.

    Args:
        settings_file: Path of `kindling.toml`, which exists.
        name: Distribution, its short form, or a capability.

    Raises:
        PluginError: KDL-PLUG-031, the file cannot be read or edited.
    """
    text = _read(settings_file)
    names = _disabled(settings_file, text)
    left = [other for other in names if _same(other) != _same(name)]
    if len(left) == len(names):
        return False
    _write(settings_file, _without(text, name), left)
    return True


def _same(name: str) -> str:
    """Return a name in the form in which two are compared."""
    from kindling.plugins.policy import PREFIX

    return name if ":" in name else canonical(name).removeprefix(PREFIX)


def _with(text: str, name: str) -> str:
    """Return the file's text with one more name."""
    quoted = '"' + name.replace("\\", "\\\\").replace('"', '\\"') + '"'
    newline = "\r\n" if "\r\n" in text else "\n"
    head = _HEADER.search(text)
    if head is None:
        gap = "" if not text else newline if text.endswith("\n") else newline * 2
        return f"{text}{gap}[plugins]{newline}disable = [{quoted}]{newline}"
    start = _list_start(text)
    if start < 0:
        return f"{text[: head.end()]}{newline}disable = [{quoted}]{text[head.end() :]}"
    items = list(_items(text, start))
    if not items:
        return f"{text[:start]}{quoted}{text[start:]}"
    last = items[-1]
    line = text[text.rfind("\n", 0, last.start) + 1 : last.start]
    gap = " " if line.strip() else newline + line
    return f"{text[: last.end]},{gap}{quoted}{text[last.end :]}"


def _without(text: str, name: str) -> str:
    """Return the file's text without a name, and without the comma that separated it."""
    for item in reversed(list(_items(text, _list_start(text)))):
        if _same(item.name) != _same(name):
            continue
        after = re.compile(r"[ \t]*,[ \t]*(?:(?:\r?\n)[ \t]*(?=[\"']))?").match(text, item.end)
        before = re.compile(r",\s*$").search(text, 0, item.start)
        if after:
            text = text[: item.start] + text[after.end() :]
        else:
            text = text[: before.start() if before else item.start] + text[item.end :]
    return text


def _list_start(text: str) -> int:
    """Return the place right after the `[` of the list, -1 if the table has none."""
    head = _HEADER.search(text)
    if head is None:
        return -1
    following = _ANY_HEADER.search(text, head.end())
    found = _KEY.search(text, head.end(), following.start() if following else len(text))
    return found.end() if found else -1


def _items(text: str, start: int) -> Iterator[_Item]:
    """Yield the texts of the list that begins at `start`; none for -1."""
    place = start if start >= 0 else len(text)
    while (match := _TOKEN.match(text, place)) and match[0] != "]":
        if match[0][0] in "\"'":
            value = tomllib.loads(f"value = {match[0]}")["value"]
            yield _Item(match.start(), match.end(), value)
        place = match.end()


def _read(settings_file: str) -> str:
    try:
        with open(settings_file, encoding="utf-8", newline="") as file:
            return file.read()
    except (OSError, ValueError) as cause:
        raise _uneditable(settings_file, str(cause)) from cause


def _disabled(settings_file: str, text: str) -> list[str]:
    """Return the list as a TOML parser sees it."""
    try:
        names = tomllib.loads(text).get("plugins", {}).get("disable", [])
    except (tomllib.TOMLDecodeError, AttributeError) as cause:
        raise _uneditable(settings_file, str(cause)) from cause
    if isinstance(names, list) and all(isinstance(name, str) for name in names):
        return names
    raise _uneditable(settings_file, f"plugins.disable is {names!r}, expected a list of names")


def _write(settings_file: str, text: str, expected: list[str]) -> None:
    """Replace the file, if its new text says what was meant and nothing else has changed."""
    plain = tomllib.loads(_read(settings_file))
    plain.setdefault("plugins", {})["disable"] = expected
    try:
        is_right = tomllib.loads(text) == plain
    except tomllib.TOMLDecodeError:
        is_right = False
    if not is_right:
        raise _uneditable(settings_file, "[plugins] is written in a form that this command does not edit")
    real = os.path.realpath(settings_file)  # a link stays a link
    own = f"{real}.{os.getpid()}.tmp"
    with open(own, "w", encoding="utf-8", newline="") as file:
        file.write(text)
    shutil.copymode(real, own)
    os.replace(own, real)


def _uneditable(settings_file: str, why: str) -> PluginError:
    return PluginError(
        "KDL-PLUG-031",
        f"{settings_file!r} cannot be edited",
        why=why,
        where=settings_file,
        hint='write disable = ["kindling-plugin-x"] under [plugins] by hand',
    )
