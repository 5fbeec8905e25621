"""The cases that are compared across engines: read from `cases/*.toml` and `frames.py`."""

from __future__ import annotations

import json
import re
import tomllib
from dataclasses import dataclass
from pathlib import Path
from typing import Any

HERE = Path(__file__).parent
_TEMPLATES = {
    "column": "SELECT k, {0} AS c FROM {1}",
    "group": "SELECT g, {0} AS c FROM {1} GROUP BY g",
    "query": "{0}",
}


@dataclass(frozen=True, slots=True)
class Case:
    """One question to every engine.

    Attributes:
        id: File, name and text: unique and stable.
        name: What it is about: a function, an operator or a topic.
        category: function, operator, join, window, cast...
        shape: `column`, `group`, `query` or `frame`.
        text: An expression, a query, or the name of a function in `frames.py`.
        table: The input of an expression.
        is_ordered: The order of the rows is compared too.
        is_close: Fractions are compared to 12 digits, not exactly.
    """

    id: str
    name: str
    category: str
    shape: str
    text: str
    table: str = ""
    is_ordered: bool = False
    is_close: bool = False

    @property
    def sql(self) -> str:
        """The case as a query of its own."""
        return _TEMPLATES[self.shape].format(self.text, self.table)


def all_cases() -> list[Case]:
    """Return every case, SQL first, in the files' order."""
    found = [case for path in sorted((HERE / "cases").glob("*.toml")) for case in _of_file(path)]
    return found + _frame_cases()


def _of_file(path: Path) -> list[Case]:
    data = tomllib.loads(path.read_text())
    shape, close = data.get("shape", "column"), data.get("close", [])
    found = []
    for name, texts in data["cases"].items():
        for text in texts:
            is_ordered = shape == "query" and re.search(r"ORDER BY[^()]*$", text) is not None
            found.append(
                Case(
                    f"{path.stem}/{name}: {text}",
                    name,
                    data["category"] if data["category"] != "query" else name,
                    shape,
                    text,
                    data.get("table", ""),
                    is_ordered,
                    close == "all" or name in close,
                )
            )
    return found


def _frame_cases() -> list[Case]:
    from frames import FRAMES

    return [
        Case(
            f"frames/{name}", name, "frame", "frame", name, is_ordered=name.startswith("order"), is_close=True
        )
        for name in FRAMES
    ]


def function_names() -> tuple[str, list[str]]:
    """Return the version of Spark and its function list."""
    first, *names = (HERE / "functions.txt").read_text().splitlines()
    match = re.search(r"Spark (\S+) ", first)
    assert match
    return match[1], [name for name in names if name]


def inputs() -> dict[str, dict[str, Any]]:
    """Return the input tables: schema and rows by name."""
    found: dict[str, dict[str, Any]] = json.loads((HERE / "inputs.json").read_text())
    return found


def names_in(text: str) -> set[str]:
    """Return the names that an expression calls like functions, lower case."""
    without_texts = re.sub(r"'(?:[^'\\]|\\.)*'", "''", text)
    return {name.lower() for name in re.findall(r"\b([a-zA-Z_]\w*)\s*\(", without_texts)}
