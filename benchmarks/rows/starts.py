"""Starts: the version, the list of plugins, and how long a run takes to its first query."""

from __future__ import annotations

import json
import shutil
from datetime import datetime, timezone
from pathlib import Path
from typing import TYPE_CHECKING

from commands import KINDLING, PYTHON, clean_environment, in_turns, run
from figures import Row, Sample, both_ratios, ratio, spread
from places import LOOPS, Scratch, as_new

if TYPE_CHECKING:
    from collections.abc import Callable

    from figures import Figure

VERSION_BUDGET, LIST_BUDGET = 3.0, 6.0
STARTS_A_ROUND = 4
PLUGIN = """
import os

with open(os.environ["BENCH_IMPORTED"], "a") as file:
    file.write(__name__ + "\\n")
"""


def starter(command: list[str], cwd: Path, env: dict[str, str]) -> Callable[[], Sample]:
    """Return what runs a command once."""
    return lambda: run(command, cwd, env)[0]


def version(scratch: Scratch, rounds: int) -> Row:
    """Measure `kindling --version`."""
    cwd, env = scratch.folder("version"), clean_environment()
    sides = {
        "bare": starter([PYTHON, "-c", "pass"], cwd, env),
        "script": starter([KINDLING, "--version"], cwd, env),
        "module": starter([PYTHON, "-m", "kindling", "--version"], cwd, env),
    }
    found = in_turns(rounds * STARTS_A_ROUND, sides, warm=2)
    return Row(
        "version",
        "`kindling --version` to bare `python -c pass`",
        (
            *both_ratios("console script", found["script"], found["bare"], budget=VERSION_BUDGET),
            *both_ratios("python -m kindling", found["module"], found["bare"], budget=VERSION_BUDGET),
        ),
    )


def fake_plugins(site: Path, count: int) -> None:
    """Install so many distributions with one storage each into a folder."""
    for number in range(count):
        name, package = f"kindling-plugin-fake{number}", f"kindling_plugin_fake{number}"
        needs = {"read": [{"session": ["delta-native"], "mode": "native"}]}
        told = {"api": "1.0", "features": ["reads"], "probe": "none", "needs": needs}
        manifest = {
            "schema": "kindling.manifest/1",
            "distribution": name,
            "capabilities": {f"storage:fake{number}": told},
            "conflicts": [],
        }
        folder = site / package
        folder.mkdir()
        (folder / "__init__.py").write_text(PLUGIN)
        (folder / "plugin.py").write_text(PLUGIN)
        (folder / "kindling.json").write_text(json.dumps(manifest))
        info = site / f"{package}-1.0.dist-info"
        info.mkdir()
        (info / "METADATA").write_text(f"Metadata-Version: 2.1\nName: {name}\nVersion: 1.0\n")
        (info / "entry_points.txt").write_text(
            f"[kindling.storage]\nfake{number} = {package}.plugin\n\n"
            f"[kindling.manifest]\n{name} = {package}\n"
        )
        (info / "RECORD").write_text("")


def plugins_list(scratch: Scratch, rounds: int) -> Row:
    """Measure `kindling plugins list` with 1, 50 and 200 plugins more than are installed."""
    project = scratch.project("chain", "plugins")
    imported = scratch.path / "imported.txt"
    imported.unlink(missing_ok=True)
    sides: dict[str, Callable[[], Sample]] = {}
    for count in (1, 50, 200):
        site, own = scratch.folder("sites", str(count)), scratch.path / f"plugins-{count}"
        fake_plugins(site, count)
        shutil.rmtree(own, ignore_errors=True)
        shutil.copytree(project, own)  # the cache belongs to a project: one for each
        env = clean_environment(PYTHONPATH=str(site), BENCH_IMPORTED=str(imported))
        if count == 50:  # noqa: PLR2004  # the budget's number
            sides["bare"] = starter([PYTHON, "-c", "pass"], own, env)
        sides[str(count)] = starter([KINDLING, "plugins", "list"], own, env)
        listed = run([KINDLING, "plugins", "list"], own, env)[1]
        if listed.count("kindling-plugin-fake") != count:
            raise SystemExit(f"{count} plugins are installed, but `plugins list` shows others:\n{listed}")
    found = in_turns(rounds * STARTS_A_ROUND, sides, warm=2)
    modules = imported.read_text().split() if imported.exists() else []
    figures: list[Figure] = [
        *both_ratios("50 plugins", found["50"], found["bare"], budget=LIST_BUDGET),
        spread("plugin modules imported", [float(len(modules))], "modules", budget=0),
        ratio("200 plugins to 1, CPU", _cpu(found["200"]), _cpu(found["1"]), unit="ms"),
        spread(
            "each further plugin, CPU",
            [(two - one) / 199 * 1e6 for two, one in zip(_cpu(found["200"]), _cpu(found["1"]), strict=True)],
            "us",
        ),
    ]
    return Row("plugins-list", "`kindling plugins list`, warm, to bare `python -c pass`", tuple(figures))


def _cpu(samples: list[Sample]) -> list[float]:
    return [sample.cpu_s for sample in samples]


def first_query(scratch: Scratch, rounds: int) -> Row:
    """Measure from the start of `kindling run` to its first task's end; informative."""
    figures: list[Figure] = []
    for platform in ("sail", "duckdb"):
        project = scratch.project("chain", f"first-{platform}")
        env = clean_environment(KINDLING_PLATFORM__DEFAULT=platform, BENCH_LENGTH="1")
        laps: dict[str, list[float]] = {"begin": [], "end": []}

        def kindling(project: Path = project, env: dict[str, str] = env, laps: dict = laps) -> Sample:
            as_new(project)
            began = datetime.now(timezone.utc)
            sample = run([KINDLING, "run"], project, env)[0]
            for name, kind in (("begin", "TaskStarted"), ("end", "TaskFinished")):
                laps[name].append(_moment(project, kind, began))
            return sample

        by_hand = starter([PYTHON, str(LOOPS / "first_query.py"), platform], project, clean_environment())
        found = in_turns(rounds, {"loop": by_hand, "kindling": kindling})
        figures += [
            spread(f"{platform}: to the first task's start", laps["begin"][1:], "s"),
            spread(f"{platform}: to the first table's commit", laps["end"][1:], "s"),
            *both_ratios(
                f"{platform}: whole run to engine and query by hand", found["kindling"], found["loop"]
            ),
        ]
    return Row(
        "first-query",
        "`kindling run` of one pipe, to a script that starts the engine and asks it once",
        tuple(figures),
        ("the script by hand writes no table",),
    )


def _moment(project: Path, kind: str, began: datetime) -> float:
    """Return the seconds from a moment to the first event of a kind."""
    found = max((project / ".kindling" / "runs").glob("*/events.jsonl"))
    events = [json.loads(line) for line in found.read_text(encoding="utf-8").splitlines()]
    at = next(event["at"] for event in events if event["type"] == kind)
    return (datetime.fromisoformat(at) - began).total_seconds()
