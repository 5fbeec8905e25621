"""What is done to a run, each at a moment of its life; and how it is undone.

Each function gets the scene, does its harm, and returns what undoes it, or None where the run had ended
already.
"""

from __future__ import annotations

import contextlib
import os
import resource
import signal
import subprocess
import time
from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path
from random import Random

from processes import command_line, marked, tell
from world import World

Undo = Callable[[], None]
CLOCK_FILE = "clock"
FAKETIME = (
    Path("/usr/lib/x86_64-linux-gnu/faketime/libfaketimeMT.so.1"),
    Path("/usr/lib/aarch64-linux-gnu/faketime/libfaketimeMT.so.1"),
)
DAY_S = 86_400
SMALL_DISK = 64 * 2**20


@dataclass
class Scene:
    """One disturbed run.

    Attributes:
        story: What was done, for the report.
    """

    world: World
    project: Path
    process: subprocess.Popen[str]
    mark: str
    chance: Random
    until: float = 0.0
    story: list[str] = field(default_factory=list)

    def runs(self) -> bool:
        return self.process.poll() is None

    def wait(self, least: float, most: float) -> float:
        """Wait a random while, or until the run ends; return the seconds that were meant."""
        seconds = self.chance.uniform(least, most)
        end = time.monotonic() + seconds
        while time.monotonic() < end and self.runs():
            time.sleep(0.01)
        self.story.append(f"{seconds:.2f} s")
        return seconds


def kill_engine(scene: Scene) -> Undo | None:
    """SIGKILL to the engine's process."""
    engine = _engine(scene)
    return _nothing if engine and tell(engine, signal.SIGKILL) else None


def kill_kindling(scene: Scene) -> Undo | None:
    """SIGKILL to the command itself."""
    return _nothing if scene.runs() and tell([scene.process.pid], signal.SIGKILL) else None


def seal_vault(scene: Scene) -> Undo | None:
    """OpenBao is sealed, and unsealed after 0.5 to 6 s."""
    if not scene.runs():
        return None
    scene.world.bao.seal()
    scene.wait(0.5, 6)
    scene.world.bao.unseal()
    return _nothing


def stop_postgres(scene: Scene) -> Undo | None:
    """PostgreSQL stops as in a crash, and comes back after 0 to 4 s."""
    if not scene.runs():
        return None
    scene.world.postgres.stop(signal.SIGQUIT)
    scene.wait(0, 4)
    scene.world.postgres.start()
    return _nothing


def fill_disk(scene: Scene) -> Undo | None:
    """The project's file system has 0 to 24 KB left from now on, until the run has ended."""
    if not scene.runs():
        return None
    left = scene.chance.randrange(0, 25) * 1024
    disk = os.statvfs(scene.project)
    if disk.f_blocks * disk.f_frsize > SMALL_DISK:
        return _limit_files(scene, left)
    scene.story.append(f"{left} bytes left")
    filler = scene.project / "filler"
    with filler.open("wb", buffering=0) as file:
        block = b"\0" * 65_536
        while block:
            try:
                file.write(block)
            except OSError:
                block = block[: len(block) // 2]
        file.truncate(max(file.tell() - left, 0))
    return filler.unlink


def _limit_files(scene: Scene, most: int) -> Undo:
    """Let no file of the run grow beyond some bytes: where no small file system could be mounted."""
    scene.story.append(f"files of at most {most} bytes, since nothing may be mounted here")
    for pid in marked(scene.mark):
        with contextlib.suppress(ProcessLookupError):
            resource.prlimit(pid, resource.RLIMIT_FSIZE, (most, most))
    return _nothing


def jump_clock(scene: Scene) -> Undo | None:
    """The clock of the run and its engine jumps by up to two days, forwards or backwards."""
    if not scene.runs():
        return None
    seconds = scene.chance.choice((-1, 1)) * scene.chance.randrange(60, 2 * DAY_S)
    scene.story.append(f"{seconds:+d} s")
    set_clock(scene.project, seconds)
    return _nothing


def freeze_storage(scene: Scene) -> Undo | None:
    """The engine, which reads and writes the files, stands still for 1 to 8 s."""
    engine = _engine(scene)
    if not engine or not tell(engine, signal.SIGSTOP):
        return None
    scene.wait(1, 8)
    tell(engine, signal.SIGCONT)
    return _nothing


def cut_network(scene: Scene) -> Undo | None:
    """The cable to PostgreSQL and OpenBao is pulled for 1 to 6 s; in one of four runs until it has ended."""
    if not scene.runs():
        return None
    scene.world.network.cut()
    if scene.chance.random() < 0.25:
        scene.story.append("for good")
        return scene.world.network.mend
    scene.wait(1, 6)
    scene.world.network.mend()
    return _nothing


def set_clock(project: Path, seconds: int) -> None:
    """Set by how much the clock of a run under libfaketime differs."""
    (project.parent / CLOCK_FILE).write_text(f"{seconds:+d}s\n")


def clock_variables(project: Path) -> dict[str, str]:
    """Return what puts a process under libfaketime, or nothing where it is not installed."""
    library = next((path for path in FAKETIME if path.exists()), None)
    if library is None:
        return {}
    return {
        "LD_PRELOAD": str(library),
        "FAKETIME_TIMESTAMP_FILE": str(project.parent / CLOCK_FILE),
        "FAKETIME_CACHE_DURATION": "1",
        "FAKETIME_DONT_FAKE_MONOTONIC": "1",
        "DONT_FAKE_MONOTONIC": "1",
    }


def _engine(scene: Scene) -> list[int]:
    """Return the engine's processes; where there is none yet, a random while after it came."""
    found = _engines(scene)
    while scene.runs() and not found:
        time.sleep(0.02)
        found = _engines(scene)
        if found:
            scene.wait(0, 2)
    return found if scene.runs() else []


def _engines(scene: Scene) -> list[int]:
    return [pid for pid in marked(scene.mark) if "kindling_plugin_sail" in command_line(pid)]


def _nothing() -> None:
    """Nothing is to be undone."""


KINDS: dict[str, Callable[[Scene], Undo | None]] = {
    "engine killed": kill_engine,
    "kindling killed": kill_kindling,
    "OpenBao sealed": seal_vault,
    "PostgreSQL stopped": stop_postgres,
    "disk full": fill_disk,
    "clock jump": jump_clock,
    "slow storage": freeze_storage,
    "network cut": cut_network,
}
