"""The tables of `work.json` as Hamilton's functions, which are in `pipeline.py`.

python run.py           # no cache: the fastest form
python run.py cached    # with the cache that its docs describe
"""

from __future__ import annotations

import os
import sys

import pipeline
from hamilton import driver
from tables import PIPES, WORK


def seen(path: str) -> str:
    """Return a source with what tells that it is another one."""
    found = os.stat(path)  # noqa: PTH116  # nothing else needs pathlib here
    return f"{path}@{found.st_mtime_ns}-{found.st_size}"


def main() -> None:
    """Make all tables that must be made."""
    builder = driver.Builder().with_modules(pipeline)
    if "cached" in sys.argv[1:]:
        builder = builder.with_cache(path="cache")
    sources = {name: seen(path) for name, path in WORK["sources"].items()}
    builder.build().execute(list(PIPES), inputs=sources)


main()
