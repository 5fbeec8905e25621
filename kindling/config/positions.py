"""Where each key of a TOML text stands: dotted path to line. It is not a parser and checks nothing.

`tomllib` gives values without places, and an error about a setting must name its line. The text
has been parsed by `tomllib` before, so this scanner may trust that it is valid.
Source: TOML 1.0.0, sections "Keys", "String", "Array of Tables", "Inline Table".
"""

from __future__ import annotations

import re
import tomllib

_BARE = re.compile(r"[A-Za-z0-9_-]+")
_BLANK = re.compile(r"(?:[ \t\r\n]+|#[^\n]*)+")
_SPACE = re.compile(r"[ \t]*")
_STRING = re.compile(
    r'"""(?:\\.|[^\\])*?"{3,5}'
    r"|'''.*?'{3,5}"
    r'|"(?:\\.|[^"\\\n])*"'
    r"|'[^'\n]*'",
    re.DOTALL,
)
_SCALAR = re.compile(r"[^,\]}#\n]+")

Path = tuple[str | int, ...]


def key_lines(text: str) -> dict[Path, int]:
    """Return the line, from 1, of each key and table header; items of arrays of tables by index.

    Args:
        text: TOML that `tomllib` accepts.
    """
    scanner = _Scanner(text)
    scanner.document()
    return scanner.lines


class _Scanner:
    """One pass over one text."""

    def __init__(self, text: str) -> None:
        self.text = text
        self.at = 0
        self.lines: dict[Path, int] = {}
        self._counts: dict[Path, int] = {}
        self._newlines = 0
        self._counted_to = 0

    def document(self) -> None:
        """Scan the whole text."""
        table: Path = ()
        self._skip(_BLANK)
        while self.at < len(self.text):
            if self._peek("["):
                table = self._header()
            else:
                self._pair(table)
            self._skip(_BLANK)

    def _header(self) -> Path:
        """Scan `[a.b]` or `[[a.b]]` and return the path of the table that it opens."""
        double = self.text.startswith("[[", self.at)
        line = self._line()
        self.at += 2 if double else 1
        path = self._indexed(self._key(), line)
        if double:
            self._counts[path] = self._counts.get(path, -1) + 1
            path = (*path, self._counts[path])
        self.at += 2 if double else 1
        self.lines.setdefault(path, line)
        return path

    def _indexed(self, key: tuple[str, ...], line: int) -> Path:
        """Return a header's path with the current index after each array of tables inside of it.

        The tables above it that have no header of their own begin on its line.
        """
        path: Path = ()
        for place, part in enumerate(key):
            path = (*path, part)
            self.lines.setdefault(path, line)
            if path in self._counts and place < len(key) - 1:
                path = (*path, self._counts[path])
        return path

    def _pair(self, table: Path) -> None:
        """Scan `key = value` and note the key and the tables that a dotted key opens."""
        line = self._line()
        path = table
        for part in self._key():
            path = (*path, part)
            self.lines.setdefault(path, line)
        self.at += 1  # the equals sign
        self._skip(_SPACE)
        self._value(path)

    def _key(self) -> tuple[str, ...]:
        parts = [self._part()]
        self._skip(_SPACE)
        while self._peek("."):
            self.at += 1
            self._skip(_SPACE)
            parts.append(self._part())
            self._skip(_SPACE)
        return tuple(parts)

    def _part(self) -> str:
        self._skip(_SPACE)
        raw = self._take(_STRING if self.text[self.at] in "\"'" else _BARE)
        return str(tomllib.loads(f"key = {raw}")["key"]) if raw[0] in "\"'" else raw

    def _value(self, path: Path) -> None:
        if self._peek("["):
            self._array(path)
        elif self._peek("{"):
            self._inline(path)
        elif self.text[self.at] in "\"'":
            self._take(_STRING)
        else:
            self._take(_SCALAR)

    def _array(self, path: Path) -> None:
        self.at += 1
        index = 0
        self._skip(_BLANK)
        while not self._peek("]"):
            self.lines[*path, index] = self._line()
            self._value((*path, index))
            index += 1
            self._skip(_BLANK)
            if self._peek(","):
                self.at += 1
                self._skip(_BLANK)
        self.at += 1

    def _inline(self, path: Path) -> None:
        self.at += 1
        self._skip(_BLANK)
        while not self._peek("}"):
            self._pair(path)
            self._skip(_BLANK)
            if self._peek(","):
                self.at += 1
                self._skip(_BLANK)
        self.at += 1

    def _peek(self, letter: str) -> bool:
        return self.text.startswith(letter, self.at)

    def _skip(self, pattern: re.Pattern[str]) -> None:
        match = pattern.match(self.text, self.at)
        if match is not None:
            self.at = match.end()

    def _take(self, pattern: re.Pattern[str]) -> str:
        match = pattern.match(self.text, self.at)
        if match is None:
            msg = f"not TOML at offset {self.at}"
            raise ValueError(msg)
        self.at = match.end()
        return match[0]

    def _line(self) -> int:
        """Return the line of the current place; only what is new since the last call is counted."""
        self._newlines += self.text.count("\n", self._counted_to, self.at)
        self._counted_to = self.at
        return self._newlines + 1
