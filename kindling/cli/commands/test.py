"""`kindling test`: the project's own tests, by pytest in a child process."""

from __future__ import annotations

import os
import subprocess
import sys
from importlib.util import find_spec

import click

from kindling.config.settings import find_project
from kindling.errors import UsageError

INTERRUPTED = 130
USAGE = 2
FAILED = 1
CODES = {0: 0, 1: FAILED, 2: INTERRUPTED, 3: FAILED, 4: USAGE, 5: USAGE}
"""Our exit code by pytest's. Source: pytest 9 documentation, "Exit codes"."""
NO_TESTS = 5


@click.command("test", context_settings={"ignore_unknown_options": True, "allow_interspersed_args": False})
@click.argument("arguments", nargs=-1, type=click.UNPROCESSED, metavar="[PYTEST OPTIONS]...")
def command(arguments: tuple[str, ...]) -> int:
    """Run the project's tests; what follows is handed to pytest as it is."""
    project = find_project(os.getcwd())
    if find_spec("pytest") is None:
        raise UsageError(
            "KDL-USE-041",
            "there is no pytest in this Python",
            why=f"tests run with {sys.executable}",
            hint="pip install 'kindling-core[testing]'",
        )
    code = _run([sys.executable, "-m", "pytest", *arguments], project)
    if code == NO_TESTS:
        sys.stderr.write("no tests were found: write some in tests/test_*.py, or name the file\n")
    return CODES.get(code, FAILED)


def _run(command_line: list[str], project: str) -> int:
    """Run a command in the project's folder, whose packages it can import; return its exit code."""
    places = [place for place in (f"{project}/src", project) if os.path.isdir(place)]
    given = os.environ.get("PYTHONPATH")
    path = os.pathsep.join([*places, *([given] if given else [])])
    process = subprocess.Popen(command_line, cwd=project, env={**os.environ, "PYTHONPATH": path})  # noqa: S603  # the user's own command
    while True:
        try:
            return process.wait()
        except KeyboardInterrupt:  # the terminal told pytest too, which ends in its own way
            continue
