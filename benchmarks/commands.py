"""Run commands in processes of their own and measure them. Both sides of a comparison take turns."""

from __future__ import annotations

import os
import resource
import subprocess
import sys
import sysconfig
import time
from pathlib import Path
from typing import TYPE_CHECKING

from figures import Sample

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping, Sequence

_LIMIT_S = 300
_DROPPED = ("PYTHONDONTWRITEBYTECODE", "PYTHONPATH", "PYTHONSTARTUP", "COVERAGE_PROCESS_START")
PYTHON = sys.executable
KINDLING = str(Path(sysconfig.get_path("scripts")) / "kindling")


class CommandFailed(Exception):  # noqa: N818  # it names what happened
    """A measured command ended with an error: its output is the message."""


def clean_environment(**more: str) -> dict[str, str]:
    """Return this process's environment without what would change a start or a setting."""
    kept = {
        name: value
        for name, value in os.environ.items()
        if name not in _DROPPED and not name.startswith("KINDLING_")
    }
    return {**kept, "RUST_LOG": "error", **more}


def run(command: Sequence[str], cwd: Path, env: Mapping[str, str], **options: int) -> tuple[Sample, str]:
    """Run a command to its end; return its times and what it printed to stdout.

    CPU is what the kernel accounts to all processes of the tree that were waited for; the engines that
    Kindling starts are.

    Args:
        command: Program and arguments.
        cwd: Working directory.
        env: The whole environment.
        options: `code`, the expected exit code.

    Raises:
        CommandFailed: It ended with another exit code.
    """
    for last in (False, True):
        before, began = resource.getrusage(resource.RUSAGE_CHILDREN), time.perf_counter()
        done = _ended(command, cwd, env, is_last=last)
        if done is not None:
            break
    wall_s = time.perf_counter() - began
    after = resource.getrusage(resource.RUSAGE_CHILDREN)
    if done is None or done.returncode != options.get("code", 0):
        text = f"{' '.join(command)} in {cwd} ended with {done.returncode if done else 'a time-out'}"
        told = f"{done.stdout[-3000:]}\n{done.stderr[-3000:]}" if done else f"twice after {_LIMIT_S} s"
        raise CommandFailed(f"{text}\n{told}")
    cpu_s = after.ru_utime + after.ru_stime - before.ru_utime - before.ru_stime
    return Sample(wall_s, cpu_s), done.stdout


def _ended(
    command: Sequence[str], cwd: Path, env: Mapping[str, str], *, is_last: bool
) -> subprocess.CompletedProcess[str] | None:
    """Run a command to its end; None where it had to be killed: Sail's client sometimes hangs at exit."""
    try:
        return subprocess.run(
            list(command),
            cwd=cwd,
            env=dict(env),
            capture_output=True,
            text=True,
            check=False,
            timeout=_LIMIT_S,
        )
    except subprocess.TimeoutExpired:
        print(f"  {command[0]} hung{'' if is_last else ', once more'}: {' '.join(command)}", flush=True)
        return None


def in_turns(
    rounds: int, sides: Mapping[str, Callable[[], Sample]], *, warm: int = 1
) -> dict[str, list[Sample]]:
    """Run all sides, round after round; the first rounds, which also write bytecode, are not counted."""
    found: dict[str, list[Sample]] = {name: [] for name in sides}
    for place in range(rounds + warm):
        for name, side in sides.items():
            sample = side()
            if place >= warm:
                found[name].append(sample)
    return found


def write_bytecode(folders: Sequence[Path]) -> None:
    """Compile all modules of some folders; files that are no valid modules are passed over."""
    for folder in folders:
        command = [PYTHON, "-m", "compileall", "-q", "-j", "0", str(folder)]
        subprocess.run(
            command, check=False, env=clean_environment(), capture_output=True, timeout=4 * _LIMIT_S
        )
