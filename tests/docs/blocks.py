"""Finds the code blocks of a page with sybil, and does with each what its language asks for."""

from __future__ import annotations

import json
import os
import re
import subprocess
import tomllib
from collections.abc import Iterator
from pathlib import Path

import click
from sybil import Document, Example, Region
from sybil.parsers.markdown.lexers import RawFencedCodeBlockLexer

from kindling.cli.main import cli
from kindling.config.settings import load_settings

ROOT = Path(__file__).parent.parent.parent
INFO = re.compile(r'(?P<language>\w*)(?: title="(?P<title>[^"\n]+)")?[ \t]*$\n', re.MULTILINE)
MARKER = re.compile(r"^ *\*Not run by our tests: [^*\n]+\.\*\s*\Z", re.MULTILINE)
PIP = re.compile(r"^(?:\$ )?pip install (?P<wanted>[^#\n]+)", re.MULTILINE)
WANTED = re.compile(r"(?P<name>kindling-[a-z-]+)(?:\[(?P<extras>[\w,]+)\])?")
SHELL_S = 120


class Blocks:
    """A parser of sybil for all fenced blocks of a page."""

    def __init__(self, folder: Path, left_out: tuple[str, ...] = ()) -> None:
        """Make a parser.

        Args:
            folder: Where the page begins.
            left_out: Beginnings of blocks that are not run.
        """
        self.here = folder
        self.left_out = left_out

    def __call__(self, document: Document) -> Iterator[Region]:
        for region in RawFencedCodeBlockLexer(INFO)(document):
            language = region.lexemes["language"]
            source = str(region.lexemes["source"])
            if source.startswith(self.left_out):
                continue
            if evaluate := getattr(self, f"do_{language or 'text'}", None):
                region.parsed, region.evaluator = source, evaluate
                yield region
            else:
                raise AssertionError(f"{document.path}: nothing is known about the language {language!r}")

    def _is_written(self, example: Example) -> bool:
        """Write a block that has a title to the file of that name."""
        title = example.region.lexemes["title"]
        if title:
            path = self.here / title
            path.parent.mkdir(parents=True, exist_ok=True)
            path.write_text(example.parsed, encoding="utf-8")
        return bool(title)

    def do_python(self, example: Example) -> None:
        """Execute a block in the page's namespace, or write it where it has a title."""
        code = compile(
            "\n" * (example.line + 1) + example.parsed, str(example.path), "exec", dont_inherit=True
        )
        if not self._is_written(example):
            exec(code, example.namespace)  # noqa: S102  # that is what the page is for

    def do_toml(self, example: Example) -> None:
        """Check a block as settings, unless it says that it is of another schema."""
        self._is_written(example)
        if "schema" not in tomllib.loads(example.parsed):
            check_settings(example.parsed, self.here / ".checked")

    def do_json(self, example: Example) -> None:
        """Check that a block is JSON."""
        json.loads(example.parsed)

    def do_csv(self, example: Example) -> None:
        """Write a block to its file."""
        assert self._is_written(example)

    def do_text(self, example: Example) -> None:
        """Check what a block installs and calls; other text is only read."""
        check_distributions(example.parsed)
        check_commands(example.parsed)

    def do_console(self, example: Example) -> None:
        """Run each command of a block, and compare what it says where something stands below it."""
        commands = re.split(r"^\$ ", example.parsed, flags=re.MULTILINE)[1:]
        for command, _, expected in (text.partition("\n") for text in commands):
            if command.startswith("pip install"):
                check_distributions(command)
            else:
                self._run(command, expected)

    def _run(self, command: str, expected: str) -> None:
        if command.startswith("cd "):
            self.here = (self.here / command.removeprefix("cd ")).resolve()
            return
        shown = {"COLUMNS": "120", "PATH": os.environ["PATH"], "HOME": str(self.here), "LANG": "C.UTF-8"}
        done = subprocess.run(
            ["bash", "-c", command],
            cwd=self.here,
            env=shown,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            text=True,
            timeout=SHELL_S,
            check=False,
        )
        assert done.returncode == 0, f"$ {command}\n{done.stdout}"
        assert not expected or is_like(done.stdout, expected), f"$ {command}\n{done.stdout}"


def marked(text: str) -> list[str]:
    """Return the first lines of the blocks that a page says, above them, are not run."""
    found, end, is_left_out = [], 0, False
    for region in RawFencedCodeBlockLexer(INFO)(Document(text, "page.md")):
        between = text[end : region.start]
        is_left_out = bool(MARKER.search(between)) or (is_left_out and not between.strip())
        if is_left_out:
            found.append(str(region.lexemes["source"]).partition("\n")[0])
        end = region.end
    return found


def is_like(said: str, expected: str) -> bool:
    """Compare a text with an expected one, in which `...` is anything; spaces at line ends are free."""
    pattern = ".*?".join(re.escape(part) for part in _trimmed(expected).split("..."))
    return re.fullmatch(pattern, _trimmed(said), re.DOTALL) is not None


def _trimmed(text: str) -> str:
    return "\n".join(line.rstrip() for line in text.strip().splitlines())


def schemas() -> dict[str, dict[str, object]]:
    """Return the settings of all plugins of this repository by capability, installed or not."""
    manifests = [
        json.loads(path.read_text("utf-8")) for path in ROOT.glob("plugins/kindling-*/src/*/kindling.json")
    ]
    return {
        name: facts.get("config", {})
        for manifest in manifests
        for name, facts in manifest["capabilities"].items()
    }


def check_settings(text: str, folder: Path) -> None:
    """Load a text as the settings of a project."""
    folder.mkdir(exist_ok=True)
    (folder / "kindling.toml").write_text(text, encoding="utf-8")
    load_settings(str(folder), plugin_schemas=schemas(), environ={"KINDLING_CACHE": "off"})


def check_distributions(text: str) -> None:
    """Check that what a text installs are distributions of this repository, with the extras that it names."""
    known = dict(_distributions())
    for line in PIP.finditer(text):
        for wanted in WANTED.finditer(line["wanted"]):
            extras = set((wanted["extras"] or "").split(",")) - {""}
            assert extras <= known.get(wanted["name"], frozenset({"unknown"})), wanted[0]
            assert wanted["name"] in known, wanted[0]


def _distributions() -> Iterator[tuple[str, frozenset[str]]]:
    for path in [ROOT / "pyproject.toml", *ROOT.glob("plugins/kindling-*/pyproject.toml")]:
        project = tomllib.loads(path.read_text("utf-8"))["project"]
        yield project["name"], frozenset(project.get("optional-dependencies", {}))


def check_commands(text: str) -> None:
    """Check that the commands of Kindling that a text names exist."""
    for line in re.findall(r"^kindling ([a-z -]+)", text, re.MULTILINE):
        group: click.Command = cli
        for word in line.split():
            if isinstance(group, click.Group):
                found = group.get_command(click.Context(group, info_name=group.name), word)
                assert found is not None, f"kindling {line}"
                group = found
