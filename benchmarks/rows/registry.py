"""A registry of 10,000 plugins with 10 releases each: built, changed, signed, verified."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING

from commands import PYTHON, clean_environment, in_turns, run
from figures import Row, both_ratios, spread
from places import PROBES, Scratch
from rows.starts import starter

if TYPE_CHECKING:
    from figures import Figure

PLUGINS, RELEASES, FEW = 10_000, 10, 200
VERIFY_BUDGET, CHANGE_BUDGET_S = 20.0, 1.0
PROBE = str(PROBES / "registry_probe.py")
TITLE = f"a registry of {PLUGINS} plugins, {RELEASES} releases each: one changed, and its verification"


def registry(scratch: Scratch, rounds: int) -> Row:
    """Measure the operator's work in one process, and a first verification beside bare Python."""
    folder, env = scratch.folder("registry"), clean_environment()
    plugins = PLUGINS if scratch.is_full else FEW
    _, told = run([PYTHON, PROBE, "make", str(folder), str(plugins), str(RELEASES)], folder, env)
    times: dict[str, list[float]] = json.loads(told)
    sides = {
        "bare": starter([PYTHON, "-c", "pass"], folder, env),
        "import": starter([PYTHON, "-c", "import tuf.ngclient"], folder, env),
        "verify": starter([PYTHON, PROBE, "verify", str(folder)], folder, env),
    }
    found = in_turns(rounds, sides, warm=1)
    return Row(
        "registry",
        TITLE,
        (
            _time("one changed, built --quick and signed", times["quick"], CHANGE_BUDGET_S),
            _time("one changed, built and signed", times["whole"]),
            _time("all built and signed from nothing", times["nothing"]),
            *both_ratios("verify to bare Python", found["verify"], found["bare"], budget=VERIFY_BUDGET),
            *both_ratios("of which importing tuf", found["import"], found["bare"]),
        ),
        (f"{plugins} plugins; imports are not part of the first three",),
    )


def _time(name: str, values: list[float], budget: float | None = None) -> Figure:
    return spread(name, values, "s", budget=budget)
