"""Disturb runs at random points, run again, and compare every table with that of an undisturbed run.

    python tests/proofs/chaos/run.py                      two runs of each kind, as CI does
    python tests/proofs/chaos/run.py --runs 100           the whole proof
    python tests/proofs/chaos/run.py --seed 7 --only 42   one run again

Prints one line for each run and a table at the end; the exit code is 1 if anything was wrong.
"""

from __future__ import annotations

import argparse
import json
import os
import shutil
import subprocess
import sys
import time
from collections import Counter
from contextlib import contextmanager
from dataclasses import asdict, dataclass, field
from pathlib import Path
from random import Random
from typing import TYPE_CHECKING

import shop
from disturbances import KINDS, Scene, clock_variables, set_clock
from processes import MARK, marked
from world import World

from kindling.polling import poll

if TYPE_CHECKING:
    from collections.abc import Iterator

SEED = 20261125
LONGEST_S = 300.0
ATTEMPTS = 8
CODES = {0, 1, 2, 4, 130, -9}
LEDGER = "SELECT count(*) FROM kindling.kindling_leases WHERE held"


@dataclass
class Verdict:
    """How one run went.

    Attributes:
        point: Seconds after the start at which the harm was done.
        code: Exit code of the disturbed run, -9 where it was killed.
        errors: Codes of the errors that it told.
        seconds: Of the disturbed run and of the one after it.
        faults: What was wrong; empty is what we want.
    """

    number: int
    kind: str
    point: float = 0.0
    story: str = ""
    code: int = 0
    errors: list[str] = field(default_factory=list)
    retries: int = 0
    resumed: bool = False
    seconds: tuple[float, float] = (0.0, 0.0)
    unreferenced: int = 0
    faults: list[str] = field(default_factory=list)


class Trial:
    """All runs of one seed over one world."""

    def __init__(self, world: World, seed: int) -> None:
        self.world = world
        self.seed = seed
        self.prepared = shop.make(world.folder / "prepared", world)
        self.project = world.folder / "work" / "project"
        self.scratch = world.folder / "tmp"
        self.scratch.mkdir()
        self.project.parent.mkdir()
        self._prepare()

    def _prepare(self) -> None:
        """Make the tables of the first run, keep them, and note what an undisturbed second run makes."""
        shop.copy(self.prepared, self.project)
        self._must(self.kindling("run"))
        shop.add_data(self.project)
        shop.copy(self.project, self.prepared)
        self.world.keep()
        started = time.monotonic()
        self._must(self.kindling("run"))
        self.usual_s = time.monotonic() - started
        self.expected = shop.contents(self.project, self.world)
        self.relations = shop.relations(self.world)
        self.usual_files = shop.unreferenced(self.project)

    @staticmethod
    def _must(done: subprocess.CompletedProcess[str]) -> None:
        if done.returncode:
            sys.exit(f"the undisturbed run failed with {done.returncode}\n{done.stdout}{done.stderr}")

    def variables(self, mark: str, *, clock: bool = False) -> dict[str, str]:
        dropped = ("KINDLING_", "PYTHONDONT", "VAULT_")
        kept = {name: text for name, text in os.environ.items() if not name.startswith(dropped)}
        kept |= clock_variables(self.project) if clock else {}
        own = {"VAULT_TOKEN": self.world.bao.root, "CI": "true", "TMPDIR": str(self.scratch), MARK: mark}
        return {**kept, **own}

    def start(self, mark: str, *words: str, clock: bool = False) -> subprocess.Popen[str]:
        return subprocess.Popen(
            self.world.network.inside([sys.executable, "-m", "kindling", *words]),
            cwd=self.project,
            env=self.variables(mark, clock=clock),
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            text=True,
            start_new_session=True,
        )

    def kindling(self, *words: str) -> subprocess.CompletedProcess[str]:
        process = self.start("calm", *words)
        try:
            out, err = process.communicate(timeout=LONGEST_S)
        except subprocess.TimeoutExpired:
            process.kill()
            out, err = process.communicate()
            err += f"\nTraceback: it did not end within {LONGEST_S:g} s"
        return subprocess.CompletedProcess(process.args, process.returncode, out, err)

    def verdict(self, number: int) -> Verdict:
        """Disturb one run and judge what comes after it."""
        chance = Random(f"{self.seed}/{number}")  # noqa: S311  # the same points each time
        kinds = [kind for kind in KINDS if self.world.network.is_own or kind != "network cut"]
        found = Verdict(number, kinds[number % len(kinds)])
        reach = self.usual_s
        for _ in range(ATTEMPTS):
            found.point = round(chance.uniform(0.1, 1.0) * reach, 2)
            with self._stage(found.kind):
                if self._disturbed(found, chance):
                    self._after(found)
                    return found
            reach *= 0.8  # the run ended before its harm: the machine is faster by now
        found.faults.append("no point was early enough")
        return found

    @contextmanager
    def _stage(self, kind: str) -> Iterator[None]:
        """Put everything back to where the second run begins; a small disk where that is the kind."""
        shutil.rmtree(self.project)
        self.project.mkdir()
        mounted = kind == "disk full" and _mount(self.project)
        try:
            shop.copy(self.prepared, self.project)
            self.world.restore()
            yield
        finally:
            if mounted:
                subprocess.run(["umount", "-l", str(self.project)], check=True)

    def _disturbed(self, found: Verdict, chance: Random) -> bool:
        """Start a run, do the harm, wait for its end; tell whether the harm came in time."""
        mark = f"{os.getpid()}-{found.number}-{time.monotonic_ns()}"
        set_clock(self.project, 0)
        started = time.monotonic()
        process = self.start(mark, "run", clock=found.kind == "clock jump")
        scene = Scene(self.world, self.project, process, mark, chance)
        while time.monotonic() < started + found.point and scene.runs():
            time.sleep(0.005)
        undo = KINDS[found.kind](scene)
        try:
            _, err = process.communicate(timeout=LONGEST_S)
        except subprocess.TimeoutExpired:
            found.faults.append(f"it did not end within {LONGEST_S:g} s")
            process.kill()
            _, err = process.communicate()
        found.seconds = (round(time.monotonic() - started, 1), 0.0)
        found.story = ", ".join(scene.story)
        if undo is None:
            return False
        undo()
        found.code = process.returncode
        found.errors = sorted({word.strip(":") for word in err.split() if word.startswith("KDL-")})
        if found.code not in CODES:
            found.faults.append(f"exit code {found.code}\n{err}")
        if "Traceback" in err:
            found.faults.append(f"a traceback\n{err}")
        if not poll(lambda: not marked(mark), timeout_s=30, first_s=0.05):
            found.faults.append(f"processes left: {marked(mark)}")
        return True

    def _after(self, found: Verdict) -> None:
        """Run again as a user would, and compare everything."""
        found.retries = self._retries()
        words = ["run"]
        broken = self._broken_run()
        if broken and found.number % 2:
            found.resumed = True
            words += ["--resume", broken]
        started = time.monotonic()
        again = self.kindling(*words)
        found.seconds = (found.seconds[0], round(time.monotonic() - started, 1))
        if again.returncode:
            found.faults.append(
                f"the run after it failed with {again.returncode}\n{again.stdout}{again.stderr}"
            )
            return
        self._compare(found)
        calm = self.kindling("run")
        if "nothing changed" not in calm.stderr:
            found.faults.append(f"a third run found something to do\n{calm.stdout}{calm.stderr}")
        self._compare_rest(found)

    def _broken_run(self) -> str:
        """Return the run that was disturbed, if it is known and did not end well."""
        told = self.kindling("runs", "list", "--json")
        runs = json.loads(told.stdout)["runs"] if told.returncode == 0 else []
        ended_badly = runs and runs[0]["status"] in ("failed", "cancelled", "interrupted")
        return str(runs[0]["run_id"]) if ended_badly else ""

    def _retries(self) -> int:
        files = self.project.glob(".kindling/runs/*/events.jsonl")
        return sum(file.read_text(errors="replace").count('"TaskRetried"') for file in files)

    def _compare(self, found: Verdict) -> None:
        held = shop.contents(self.project, self.world)
        wrong = [name for name, rows in self.expected.items() if held.get(name) != rows]
        for name in wrong:
            here, there = Counter(held.get(name, ())), Counter(self.expected[name])
            extra, missing = list((here - there).elements()), list((there - here).elements())
            found.faults.append(
                f"{name}: {len(extra)} rows too many {extra[:2]}, {len(missing)} missing {missing[:2]}"
            )

    def _compare_rest(self, found: Verdict) -> None:
        if (held := self.world.sql(LEDGER)[0][0]) != 0:
            found.faults.append(f"{held} leases are held")
        if not poll(lambda: self.world.sessions() == 0, timeout_s=30, first_s=0.05):
            found.faults.append("sessions of PostgreSQL are left")
        if (there := shop.relations(self.world)) != self.relations:
            found.faults.append(f"relations: {sorted(set(there) ^ set(self.relations))}")
        if odd := shop.strays(self.project):
            found.faults.append(f"stray files: {odd}")
        if left := sorted(path.name for path in self.scratch.iterdir()):
            found.faults.append(f"scratch files are left: {left}")
            for name in left:
                shutil.rmtree(self.scratch / name, ignore_errors=True)
        found.unreferenced = shop.unreferenced(self.project) - self.usual_files


def _mount(folder: Path) -> bool:
    """Mount a small file system of its own; False where that is not permitted."""
    command = ["mount", "-t", "tmpfs", "-o", "size=8m", "chaos", str(folder)]
    return subprocess.run(command, check=False, capture_output=True).returncode == 0


def table(verdicts: list[Verdict]) -> str:
    """Return the counts by kind, as Markdown."""
    head = "| kind | runs | exit codes of the disturbed run | retries | resumed | slowest | wrong |"
    lines = [head, "|---|---|---|---|---|---|---|"]
    for kind in KINDS:
        own = [one for one in verdicts if one.kind == kind]
        if own:
            codes = Counter("killed" if one.code < 0 else str(one.code) for one in own)
            text = ", ".join(f"{code}: {count}" for code, count in sorted(codes.items()))
            slowest = max(one.seconds[0] for one in own)
            retries, resumed = sum(one.retries for one in own), sum(one.resumed for one in own)
            wrong = sum(bool(one.faults) for one in own)
            lines.append(
                f"| {kind} | {len(own)} | {text} | {retries} | {resumed} | {slowest:g} s | {wrong} |"
            )
    return "\n".join(lines) + "\n"


def main() -> int:
    """Do the runs that were asked for."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawTextHelpFormatter)
    parser.add_argument("--runs", type=int, default=2 * len(KINDS))
    parser.add_argument("--first", type=int, default=0, help="number of the first run, to do them in parts")
    parser.add_argument("--only", type=int, help="do this run alone")
    parser.add_argument("--seed", type=int, default=SEED)
    parser.add_argument("--report", type=Path, help="add a JSON line for each run to this file")
    asked = parser.parse_args()
    numbers = range(asked.first, asked.runs) if asked.only is None else [asked.only]
    world = World()
    verdicts = []
    try:
        if not world.network.is_own:
            sys.stdout.write("network cut: left out, network namespaces are not permitted here\n")
        trial = Trial(world, asked.seed)
        sys.stdout.write(f"seed {asked.seed}, an undisturbed run takes {trial.usual_s:.1f} s\n")
        for number in numbers:
            verdict = trial.verdict(number)
            verdicts.append(verdict)
            line = json.dumps(asdict(verdict), ensure_ascii=False)
            sys.stdout.write(f"{line}\n")
            sys.stdout.flush()
            if asked.report:
                with asked.report.open("a") as file:
                    file.write(f"{line}\n")
    finally:
        world.close()
    sys.stdout.write(f"\n{table(verdicts)}")
    return int(any(verdict.faults for verdict in verdicts))


if __name__ == "__main__":
    sys.exit(main())
