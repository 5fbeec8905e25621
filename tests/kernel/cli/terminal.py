"""The command line in a project's folder: in this process, which is quick, or in one of its own.

A call in this process goes through `kindling.__main__.main`, fast path included, and leaves nothing
behind: folder, variables, `sys.path`, the project's modules and standard streams are as they were.
"""

from __future__ import annotations

import importlib
import json
import os
import shutil
import subprocess
import sys
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

import kindling
from kindling.__main__ import main

SCHEMAS = Path(kindling.__file__).parent / "cli" / "schemas"
"""The folder of the published JSON Schemas."""
DROPPED = ("KINDLING_", "PYTHONDONTWRITEBYTECODE", "PYTEST_", "_KINDLING")
"""Variables that change what Kindling says, by their beginnings."""

IMPORTS = """
import sys
before = set(sys.modules)
from kindling.__main__ import main

try:
    main()
except SystemExit as end:
    code = end.code or 0
print("modules", code, *sorted(set(sys.modules) - before))
"""


@dataclass(frozen=True, slots=True)
class Done:
    """How a command ended."""

    code: int
    out: str
    err: str

    def json(self, schema: str) -> dict[str, object]:
        """Return stdout as JSON after checking it against its published schema."""
        from jsonschema import Draft202012Validator

        document = json.loads(self.out)
        published = json.loads((SCHEMAS / f"{schema}.json").read_text())
        Draft202012Validator.check_schema(published)
        Draft202012Validator(published).validate(document)
        found: dict[str, object] = document
        return found


class Terminal:
    """A folder, and the command line in it. The folder is `<project>` in what is printed."""

    def __init__(self, path: Path) -> None:
        self.path = path

    def write(self, name: str, text: str) -> Path:
        """Write one file, and forget its bytecode: within one second Python would not see the change."""
        file = self.path / name
        file.parent.mkdir(parents=True, exist_ok=True)
        file.write_text(text, encoding="utf-8")
        shutil.rmtree(file.parent / "__pycache__", ignore_errors=True)
        return file

    def __call__(self, *arguments: str, **environ: str) -> Done:
        """Run a command in this process."""
        with _captured() as streams, _as_if_new(self.path, environ):
            code = _main(arguments)
        return self._done(code, *streams)

    def process(self, *arguments: str, **environ: str) -> Done:
        """Run a command in a process of its own."""
        process = self.start(*arguments, **environ)
        out, err = process.communicate(timeout=120)
        return self._done(process.returncode, out, err)

    def start(self, *arguments: str, **environ: str) -> subprocess.Popen[str]:
        """Start a command in a process of its own and leave it running."""
        return subprocess.Popen(
            [sys.executable, "-m", "kindling", *arguments],
            cwd=self.path,
            env=variables(**environ),
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            text=True,
        )

    def imports(self, *arguments: str) -> set[str]:
        """Return the modules that a command, which must succeed, imports beyond those of Python's start."""
        done = subprocess.run(
            [sys.executable, "-c", IMPORTS, *arguments],
            cwd=self.path,
            env=variables(),
            capture_output=True,
            text=True,
            check=True,
        )
        word, code, *names = done.stdout.splitlines()[-1].split()
        assert (word, code) == ("modules", "0"), done.stderr
        return set(names)

    def _done(self, code: int, *texts: str) -> Done:
        out, err = (text.replace(str(self.path), "<project>") for text in texts)
        return Done(code, out, err)


def variables(**environ: str) -> dict[str, str]:
    """Return this process's variables without those that change what Kindling says, and with these."""
    return {**{key: value for key, value in os.environ.items() if not key.startswith(DROPPED)}, **environ}


def _main(arguments: tuple[str, ...]) -> int:
    sys.argv = ["kindling", *arguments]
    try:
        main()
    except SystemExit as end:
        return int(end.code or 0)
    raise AssertionError("main() always exits")


@contextmanager
def _captured() -> Iterator[list[str]]:
    """Catch what this process and its children print; the two texts are there at the end."""
    texts: list[str] = []
    streams = sys.stdout, sys.stderr
    for stream in streams:
        stream.flush()
    kept = [os.dup(number) for number in (1, 2)]
    with tempfile.TemporaryFile() as out, tempfile.TemporaryFile() as err:
        try:
            for number, file in ((1, out), (2, err)):
                os.dup2(file.fileno(), number)
            with (
                open(1, "w", encoding="utf-8", closefd=False) as sys.stdout,
                open(2, "w", encoding="utf-8", closefd=False, buffering=1) as sys.stderr,
            ):
                yield texts
        finally:
            sys.stdout, sys.stderr = streams
            for number, old in zip((1, 2), kept, strict=True):
                os.dup2(old, number)
                os.close(old)
        for file in (out, err):
            file.seek(0)
            texts.append(file.read().decode())


@contextmanager
def _as_if_new(folder: Path, environ: dict[str, str]) -> Iterator[None]:
    """Go to a folder with these variables; undo all that the command does to this process."""
    kept = Path.cwd(), dict(os.environ), sys.argv, list(sys.path), sys.dont_write_bytecode
    wanted = variables(**environ)
    places = [place for place in wanted.get("PYTHONPATH", "").split(os.pathsep) if place]
    os.environ.clear()
    os.environ.update(wanted)
    sys.path[:0] = places
    sys.dont_write_bytecode = "PYTHONDONTWRITEBYTECODE" in wanted
    os.chdir(folder)
    importlib.invalidate_caches()
    try:
        yield
    finally:
        _forget_modules_of(set(sys.path).difference(kept[3]))
        cwd, variables_, sys.argv, sys.path[:], sys.dont_write_bytecode = kept
        os.chdir(cwd)
        os.environ.clear()
        os.environ.update(variables_)


def _forget_modules_of(folders: set[str]) -> None:
    """Remove what was imported from these folders, so that the next command imports its own."""
    starts = tuple(f"{folder}{os.sep}" for folder in folders)
    for name, module in list(sys.modules.items()):
        if str(getattr(module, "__file__", None) or "").startswith(starts):
            del sys.modules[name]
