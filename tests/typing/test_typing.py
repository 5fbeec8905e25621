"""What users see in their editors: good files pass, each planted mistake is reported, by both checkers."""

from __future__ import annotations

import json
import re
import subprocess
import sys
from collections import defaultdict
from functools import cache
from pathlib import Path

import pytest

HERE = Path(__file__).parent
ROOT = HERE.parent.parent
PLANTED = re.compile(r"# E: (?P<mypy>.+) \| (?P<pyright>.+)")

Line = tuple[str, int]
Reports = dict[Line, str]


@cache
def reports(checker: str) -> Reports:
    """Return what a checker says about all files, joined by file and line."""
    return mypy() if checker == "mypy" else pyright()


def mypy() -> Reports:
    files = [*HERE.glob("good/*.py"), *HERE.glob("mistakes/*.py")]
    options = ["--config-file", str(ROOT / "pyproject.toml"), "--output", "json", "--no-error-summary"]
    command = [sys.executable, "-m", "mypy", *options, *map(str, files)]
    shown = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, check=False)
    assert not shown.stderr, shown.stderr
    found: defaultdict[Line, str] = defaultdict(str)
    for text in shown.stdout.splitlines():
        item = json.loads(text)
        if item["severity"] == "error":
            found[(Path(item["file"]).name, item["line"])] += item["message"] + "\n"
    return found


def pyright() -> Reports:
    command = [
        sys.executable,
        "-m",
        "pyright",
        "-p",
        str(HERE),
        "--pythonpath",
        sys.executable,
        "--outputjson",
    ]
    shown = subprocess.run(command, capture_output=True, text=True, check=False)
    found: defaultdict[Line, str] = defaultdict(str)
    for item in json.loads(shown.stdout)["generalDiagnostics"]:
        line = (Path(item["file"]).name, item["range"]["start"]["line"] + 1)
        found[line] += item["message"].replace("\N{NO-BREAK SPACE}", " ") + "\n"
    return found


def planted(checker: str) -> Reports:
    """Return the expected text of each marked line."""
    found = {}
    for file in HERE.glob("mistakes/*.py"):
        for number, text in enumerate(file.read_text(encoding="utf-8").splitlines(), 1):
            if match := PLANTED.search(text):
                found[(file.name, number)] = match[checker]
    return found


CHECKERS = pytest.mark.parametrize("checker", ["mypy", "pyright"])


@CHECKERS
def test_an_app_that_uses_everything_passes_in_strict_mode(checker: str) -> None:
    good = {file.name for file in HERE.glob("good/*.py")}
    assert good == {"own_frames.py", "shop.py"}
    assert {line: text for line, text in reports(checker).items() if line[0] in good} == {}


@CHECKERS
def test_each_planted_mistake_is_reported_and_nothing_else(checker: str) -> None:
    expected = planted(checker)
    found = {line: text for line, text in reports(checker).items() if line[0] in {"pipes.py", "bodies.py"}}
    assert len(expected) >= 50
    missed = sorted(set(expected) - set(found))
    invented = {line: found[line] for line in set(found) - set(expected)}
    assert (missed, invented) == ([], {})
    other = {line: (text, found[line]) for line, text in expected.items() if text not in found[line]}
    assert other == {}
