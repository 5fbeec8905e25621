"""Turns docstrings in Google's form into Markdown. It parses no code."""

from __future__ import annotations

import re
from inspect import cleandoc
from textwrap import dedent

SECTION = re.compile(r"^(Args|Attributes|Raises|Returns|Yields):$")
ITEM = re.compile(r"^ {4}(\*{0,2}[\w`.]+): (.*)$")


def split(docstring: str) -> tuple[str, dict[str, dict[str, str]]]:
    """Return a docstring's prose, and its sections: text by name by section."""
    prose: list[str] = []
    sections: dict[str, dict[str, str]] = {}
    section, item = "", ""
    for line in cleandoc(docstring).splitlines():
        if header := SECTION.match(line):
            section, item = header[1], ""
            sections[section] = {}
        elif section and (found := ITEM.match(line)):
            item = found[1].strip("`")
            sections[section][item] = found[2]
        elif section and line.startswith("    ") and item:
            sections[section][item] += f" {line.strip()}"
        elif section and not line:
            continue
        else:
            section = ""
            prose.append(line)
    return "\n".join(prose).strip(), sections


def prose_with_code(text: str) -> str:
    """Return a module's prose with its indented blocks fenced as Python."""
    parts = re.split(r"((?:^ {4}.*\n?|^\n(?= {4}))+)", text + "\n", flags=re.MULTILINE)
    done = [
        f"\n```python\n{dedent(part).strip()}\n```\n" if number % 2 else part
        for number, part in enumerate(parts)
    ]
    return re.sub(r"\n{3,}", "\n\n", "".join(done)).strip()


def items(title: str, entries: dict[str, str]) -> list[str]:
    """Return a section as the lines of a Markdown list."""
    return (
        ["", f"{title}:", "", *(f"- `{name}`: {text}" for name, text in entries.items())] if entries else []
    )


def cell(text: str) -> str:
    """Return a text that may stand in a table."""
    return " ".join(text.replace("|", "\\|").split())
