"""Reads a page and does what it says: console blocks are run, blocks with a path are written."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path

BLOCK = re.compile(r"^```(\w+)(?: ([^\n`]+))?\n(.*?)^```$", re.MULTILINE | re.DOTALL)
MEASURED = re.compile(r"\*\*(\d+) commands, (\d+) lines by hand, (\d+) seconds\*\*")


@dataclass(frozen=True)
class Step:
    """One command, or one file that is written by hand.

    Attributes:
        command: A line of a shell, or "".
        path: Where the text goes, or "".
        text: What a person writes.
    """

    command: str = ""
    path: str = ""
    text: str = ""


def steps_of(page: str) -> Iterator[Step]:
    """Yield the steps of a page, in order."""
    for language, path, text in BLOCK.findall(page):
        if language == "console":
            yield from (Step(command=line[2:]) for line in text.splitlines() if line.startswith("$ "))
        elif path:
            yield Step(path=path, text=text)


def follow(page: str, folder: Path, run: Callable[[str, Path], str]) -> tuple[int, int, str]:
    """Do what a page says; return the numbers of commands and of lines by hand, and the last output.

    Args:
        page: Its text.
        folder: Where it begins.
        run: Runs a line in a folder.
    """
    here, commands, lines, said = folder, 0, 0, ""
    for step in steps_of(page):
        if step.path:
            (here / step.path).write_text(step.text, encoding="utf-8")
            lines += len(step.text.splitlines())
            continue
        commands += 1
        if step.command.startswith("cd "):
            here = (here / step.command.removeprefix("cd ")).resolve()
        else:
            said = run(step.command, here)
    return commands, lines, said
