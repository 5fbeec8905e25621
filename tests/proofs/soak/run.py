"""Many runs in a row: memory, files, threads, state and history must not grow with their number.

    python tests/proofs/soak/run.py                             60 runs in one process, as CI does
    python tests/proofs/soak/run.py --runs 1000 --plot FILE     the whole proof, with its plot
    python tests/proofs/soak/run.py --runs 100 --processes      each run is a process of its own

Each run has something to do: rows are added to its input, so an append, a merge, an overwrite and a table
with expectations are written. What is looked at is the growth over the second half of the runs: a line is
fitted, and what it says for 1,000 more runs must stay below the bound that the table states.
"""

from __future__ import annotations

import argparse
import gc
import json
import os
import sqlite3
import subprocess
import sys
import tempfile
import threading
import time
from contextlib import closing
from dataclasses import dataclass
from pathlib import Path

from plot import svg

from kindling.plan.project import open_project
from kindling.run.request import RunRequest, new_run_id
from kindling.run.run import run
from kindling.run.sqlite import KEPT_RUNS, open_state

APP = """
from __future__ import annotations

import kindling as k

app = k.App("soak")
events_csv = app.source("raw.events", k.csv("events.csv"), schema="id bigint, kind string, v bigint")


@app.pipe(events_csv, name="bronze.events", write=k.append())
def events(df: k.DataFrame) -> k.DataFrame:
    return df


@app.pipe(events, name="silver.newest", write=k.merge(on=["kind"]), incremental=k.changes())
def newest(new: k.DataFrame) -> k.DataFrame:
    return k.dedupe(new, on=["kind"], order_by=["id desc"])


@app.pipe(newest, name="silver.good", expect={"positive": "v > 0"}, on_fail="quarantine")
def good(df: k.DataFrame) -> k.DataFrame:
    return df


totals = app.sql("gold.totals", "SELECT sum(v) AS v, count(*) AS n FROM {good}", inputs={"good": good})
"""
TABLES = ("bronze/events", "silver/newest", "silver/good", "gold/totals")
BOUNDS = {
    "memory, MB": 64.0,
    "open files": 2.0,
    "threads": 2.0,
    "state, KB": 64.0,
    "runs in the state": 2.0,
    "run folders": 2.0,
    "scratch folders": 0.5,
    "processes": 0.5,
}
"""By how much each may grow in 1,000 runs, by the line fitted to the second half."""
MOST = {"log files since a checkpoint": 100.0}
"""What goes up and down, and may never be more."""
SHOWN = "seconds of a run"
"""What is shown and not judged: other work on the machine slows runs down."""

CAPPED = {
    "memory, MB": 150,
    "state, KB": KEPT_RUNS + 50,
    "runs in the state": KEPT_RUNS,
    "run folders": KEPT_RUNS,
}
"""After how many runs a thing stops growing: history is pruned, Delta's log gets a checkpoint, Python's and
the engine's caches are full. Before that its growth says nothing."""


@dataclass(frozen=True, slots=True)
class Sample:
    """What was seen after one run, by the names of BOUNDS, MOST and SHOWN."""

    number: int
    values: dict[str, float]


class Soak:
    """A project, and what there is to be seen of it."""

    def __init__(self, folder: Path, engine: str) -> None:
        self.project = folder / "project"
        self.scratch = folder / "tmp"
        self.project.mkdir()
        self.scratch.mkdir()
        os.environ["TMPDIR"] = tempfile.tempdir = str(self.scratch)
        (self.project / "kindling.toml").write_text(f'app = "soak:app"\nplatform = "{engine}"\n')
        (self.project / "soak.py").write_text(APP)

    def feed(self, number: int) -> None:
        """Write other rows into the input."""
        rows = "\n".join(f"{number * 10 + i},{'abcde'[i % 5]},{number + i}" for i in range(10))
        (self.project / "events.csv").write_text(f"id,kind,v\n{rows}\n")

    def once(self) -> None:
        """Run in this process, as a service or a notebook does."""
        project = open_project(str(self.project))
        state = open_state(project.state_dir)
        try:
            request = RunRequest(
                app=project.reference,
                project=project.path,
                environment=project.environment,
                run_id=new_run_id(),
            )
            done = run(project, state, request)
        finally:
            state.close()
        if done.status != "done":
            sys.exit(f"the run ended as {done.status}: {done.outcomes}")

    def once_as_process(self) -> None:
        """Run the command."""
        command = [sys.executable, "-m", "kindling", "run", "-q"]
        done = subprocess.run(command, cwd=self.project, check=False, capture_output=True, text=True)
        if done.returncode:
            sys.exit(f"exit {done.returncode}\n{done.stdout}{done.stderr}")

    def sample(self, number: int, seconds: float) -> Sample:
        gc.collect()
        with closing(sqlite3.connect(self.project / ".kindling" / "state.db")) as state:
            runs = state.execute("SELECT count(*) FROM runs").fetchone()[0]
            pages = state.execute("PRAGMA page_count").fetchone()[0] * 4.0
        values = {
            "memory, MB": memory_mb(),
            "open files": float(len(os.listdir("/proc/self/fd"))),  # noqa: PTH208  # names alone
            "threads": float(threading.active_count()),
            "state, KB": pages,
            "runs in the state": float(runs),
            "run folders": float(sum(1 for _ in (self.project / ".kindling" / "runs").iterdir())),
            "scratch folders": float(sum(1 for _ in self.scratch.iterdir())),
            "processes": float(children()),
            "log files since a checkpoint": float(max(self._since_checkpoint(name) for name in TABLES)),
            "seconds of a run": seconds,
        }
        return Sample(number, values)

    def _since_checkpoint(self, name: str) -> int:
        """Count the commits that a reader of a table must read one by one."""
        log = self.project / "lake" / "dev" / name / "_delta_log"
        try:
            last = int(json.loads((log / "_last_checkpoint").read_text())["version"])
        except FileNotFoundError:
            last = -1
        return sum(int(path.stem) > last for path in log.glob("*.json"))


def memory_mb() -> float:
    """Return the resident memory of this process."""
    for line in Path("/proc/self/status").read_text().splitlines():
        if line.startswith("VmRSS:"):
            return int(line.split()[1]) / 1024
    return 0.0


def children() -> int:
    """Count the living children of this process."""
    own = Path(f"/proc/self/task/{os.getpid()}/children").read_text().split()
    return len(own)


def slope(samples: list[Sample], name: str) -> float:
    """Return the growth in 1,000 runs: least squares over the second half."""
    half = samples[len(samples) // 2 :]
    xs, ys = [one.number for one in half], [one.values[name] for one in half]
    mean_x, mean_y = sum(xs) / len(xs), sum(ys) / len(ys)
    spread = sum((x - mean_x) ** 2 for x in xs)
    together = sum((x - mean_x) * (y - mean_y) for x, y in zip(xs, ys, strict=True))
    return 1000 * together / spread if spread else 0.0


def table(samples: list[Sample]) -> tuple[str, list[str]]:
    """Return (Markdown, names of what grew too much).

    What is capped after a number of runs that is not reached by half of them is not judged.
    """
    lines = ["| | first | last | most | growth in 1,000 runs | bound |", "|---|---|---|---|---|---|"]
    wrong = []
    for name in (*BOUNDS, *MOST, SHOWN):
        values = [one.values[name] for one in samples]
        grown = slope(samples, name)
        bound = BOUNDS.get(name, 0.0)
        judged = name in BOUNDS and len(samples) >= 2 * CAPPED.get(name, 0)
        if max(values) > MOST.get(name, max(values)):
            wrong.append(name)
        if judged and grown > allowed(bound, len(samples)):
            wrong.append(name)
        shown = f"{bound:g}" if judged else _unjudged(name)
        cells = [f"{value:.4g}" for value in (values[0], values[-1], max(values))]
        lines.append(f"| {name} | {' | '.join(cells)} | {grown:+.3g} | {shown} |")
    return "\n".join(lines) + "\n", wrong


def _unjudged(name: str) -> str:
    if name in MOST:
        return f"at most {MOST[name]:g}"
    return f"(capped after {CAPPED[name]} runs)" if name in CAPPED else "(not judged)"


def allowed(bound: float, runs: int) -> float:
    """Return the bound; the line through few runs is uncertain, so there it is wider."""
    return bound * max(1.0, 1000 / runs)


def main() -> int:
    """Do the runs that were asked for."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawTextHelpFormatter)
    parser.add_argument("--runs", type=int, default=60)
    parser.add_argument("--engine", default="duckdb")
    parser.add_argument("--processes", action="store_true", help="each run is a process")
    parser.add_argument("--plot", type=Path, help="write an SVG")
    asked = parser.parse_args()
    with tempfile.TemporaryDirectory(prefix="ksoak") as folder:
        soak = Soak(Path(folder), asked.engine)
        samples = []
        for number in range(1, asked.runs + 1):
            soak.feed(number)
            started = time.monotonic()
            (soak.once_as_process if asked.processes else soak.once)()
            samples.append(soak.sample(number, time.monotonic() - started))
            if number % 50 == 0:
                sys.stderr.write(f"{number}: {samples[-1].values}\n")
        tempfile.tempdir = None
        os.environ.pop("TMPDIR")
    text, wrong = table(samples)
    how = "each a process" if asked.processes else "in one process"
    sys.stdout.write(f"{asked.runs} runs on {asked.engine}, {how}\n\n{text}")
    if asked.plot:
        named = {name: [one.values[name] for one in samples] for name in (*BOUNDS, *MOST, SHOWN)}
        asked.plot.write_text(svg(named), encoding="utf-8")
    for name in wrong:
        sys.stdout.write(f"it grows: {name}\n")
    return int(bool(wrong))


if __name__ == "__main__":
    sys.exit(main())
