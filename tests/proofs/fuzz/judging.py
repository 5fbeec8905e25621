"""How a command may end, whatever it was given; how many inputs are tried."""

from __future__ import annotations

import os
import re
import sys
import time
from pathlib import Path

sys.path.insert(0, str(Path(__file__).parents[2] / "kernel" / "cli"))  # importlib mode adds no folder
from terminal import Done, Terminal

SECONDS = float(os.environ.get("KINDLING_FUZZ_S", "0"))
MOST = 10**9 if SECONDS else 24
"""In CI always the same inputs are tried, whatever the machine: what is found there is no accident."""
SEED = int(os.environ.get("KINDLING_FUZZ_SEED", str(20261125)))
LONGEST_S = 60
CODES = {0, 1, 2, 3, 4, 5, 130}
CODE = re.compile(r"^KDL-[A-Z]+-\d{3}: ", re.MULTILINE)
COUNTS: dict[str, int] = {}
"""How many inputs each test tried."""


def judged(shop: Terminal, *words: str, **environ: str) -> Done:
    """Run a command in this process and judge how it ended."""
    started = time.monotonic()
    done = shop(*words, **environ)
    text = f"{words}\n{done.out}\n{done.err}"
    assert time.monotonic() - started < LONGEST_S, f"it took too long: {text}"
    assert done.code in CODES, text
    assert "Traceback (most recent call last)" not in done.err, text
    if done.code in (1, 2, 4, 5):
        assert CODE.search(done.err) or "Error: " in done.err or "Usage: " in done.err or done.out, text
    return done
