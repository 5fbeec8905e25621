"""Spark SQL text with the calls that Sail computes otherwise replaced or refused. Text in, text out.

It is no parser: it knows quotes, comments and brackets, which is enough to find calls and their arguments.
"""

from __future__ import annotations

import re

from kindling_plugin_sail import arithmetic
from kindling_plugin_sail.portability import refused_call, refused_syntax
from kindling_plugin_sail.rules import NEVER_NULL, REFUSED, REPLACED, Tree, is_needed

_TOKEN = re.compile(
    r"""(?P<skip>--[^\n]*|/\*.*?\*/|`(?:[^`]|``)*`|"(?:[^"\\]|\\.)*"|\b[rR]'[^']*'|\b[rR]"[^"]*")
    |(?P<text>'(?:[^'\\]|\\.|'')*')
    |(?P<call>(?<![\w.`])[A-Za-z_]\w*)(?=\s*\()
    |(?P<mark>[(),\[\]])
    |(?P<word>[A-Za-z_]\w*)""",
    re.DOTALL | re.VERBOSE,
)
_NAMES = frozenset({*REFUSED, *(name for name, _ in REPLACED), *NEVER_NULL})
_SUSPECT = re.compile(rf"\b(?:{'|'.join(sorted(_NAMES))}|extract|unpivot)\b|''", re.IGNORECASE)
_SIGNS = tuple(sign.encode() for sign in sorted({*_NAMES, "extract", "unpivot", "''"}))
_OVER = re.compile(r"\s*over\s*\(", re.IGNORECASE)
_DOW = re.compile(r"\s*(dow|dayofweek)\s+from\b", re.IGNORECASE)


def corrected(text: str) -> str:
    """Return a text that means on Sail what the given one means on Spark.

    Raises:
        RunError: KDL-PORT-034 or KDL-PORT-035, it holds a call or a clause that cannot be corrected.
    """
    arithmetic.check(_TOKEN.sub(lambda token: " " if token.lastgroup in ("skip", "text") else token[0], text))
    if not _SUSPECT.search(text):
        return text
    return _Scan(text).until("")[0]


def is_suspect(request: bytes) -> bool:
    """Tell whether a serialized request may hold a call or a text that needs correction; quick."""
    lower = request.lower()
    return any(sign in lower for sign in _SIGNS) or arithmetic.is_suspect(request)


class _Scan:
    """One walk over a text; a bracket is a walk of its own."""

    def __init__(self, text: str) -> None:
        self.text = text
        self.place = 0

    def until(self, end: str) -> tuple[str, list[str]]:
        """Return the text up to a closing bracket, corrected, and its parts between the commas."""
        parts, done = [""], False
        while not done:
            token = _TOKEN.search(self.text, self.place)
            stop = token.start() if token else len(self.text)
            parts[-1] += self.text[self.place : stop]
            self.place = token.end() if token else stop
            if token is None:
                break
            kind, found = token.lastgroup, token[0]
            if kind == "mark" and found == end:
                done = True
            elif kind == "mark" and found == "," and end:
                parts.append("")
            else:
                parts[-1] += self._piece(kind or "", found)
        return ",".join(parts), parts

    def _piece(self, kind: str, found: str) -> str:
        if kind == "text":
            return _single(found)
        if kind == "mark" and found in "([":
            close = ")" if found == "(" else "]"
            return found + self.until(close)[0] + close
        if kind == "call":
            return self._call(found)
        if kind == "word" and found.lower() == "unpivot":
            self._check_unpivot()
        return found

    def _call(self, name: str) -> str:
        lower = name.lower()
        if lower == "unpivot":
            self._check_unpivot()
        if lower == "extract" and _DOW.match(self.text, self.text.index("(", self.place) + 1):
            raise refused_syntax("extract(DOW FROM ...)", "use dayofweek(x)")
        if lower not in _NAMES:
            return name
        self.place = self.text.index("(", self.place) + 1
        whole, parts = self.until(")")
        args = [part.strip() for part in parts]
        literals = [_literal(arg) for arg in args]
        if lower in REFUSED and REFUSED[lower][0](literals):
            raise refused_call(lower, *REFUSED[lower][1:])
        over = _OVER.match(self.text, self.place)
        if lower in NEVER_NULL and over:
            self.place = over.end()
            return f"coalesce({name}({whole}) OVER ({self.until(')')[0]}), array())"
        tree = REPLACED.get((lower, len(args)))
        if tree is None or not is_needed(lower, literals):
            return f"{name}({whole})"
        return _written(tree, args)

    def _check_unpivot(self) -> None:
        if not re.match(r"\s*include\s+nulls\b", self.text[self.place :], re.IGNORECASE):
            raise refused_syntax("UNPIVOT without INCLUDE NULLS", "write INCLUDE NULLS and filter")


def _single(literal: str) -> str:
    """Return a text literal; Sail reads a doubled quote as the end of one text and the start of another."""
    return "'" + literal[1:-1].replace("''", "\\'") + "'" if "''" in literal[1:-1] else literal


def _literal(argument: str) -> str | int | None:
    if re.fullmatch(r"\d{1,9}", argument):
        return int(argument)
    return argument[1:-1] if re.fullmatch(r"'[^'\\]*'", argument) else None


def _written(tree: Tree, args: list[str]) -> str:
    if isinstance(tree, str) and tree.startswith("$"):
        return args[int(tree[1:])]
    if not isinstance(tree, tuple):
        return _shown(tree)
    head, *rest = tree
    if head == "cast":
        return f"CAST({_written(rest[0], args)} AS {rest[1]})"
    parts = [_written(item, args) for item in rest]
    if head == "case":
        pairs = " ".join(f"WHEN {parts[at]} THEN {parts[at + 1]}" for at in range(0, len(parts) - 1, 2))
        return f"CASE {pairs} ELSE {parts[-1]} END"
    if not str(head)[0].isalpha():
        return f"(({parts[0]}) {head} ({parts[1]}))"
    return f"{head}({', '.join(parts)})"


def _shown(value: str | int | bool | None) -> str:  # noqa: FBT001  # a literal
    if value is None:
        return "NULL"
    if isinstance(value, bool):
        return str(value).upper()
    return f"'{value}'" if isinstance(value, str) else str(value)
