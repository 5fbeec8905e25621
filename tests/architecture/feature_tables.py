"""Keep docs/feature-tables.md equal to what the storage contracts proved.

    feature_tables.py ROWS --check --platforms sail,duckdb    # differs from the page: exit code 1
    feature_tables.py ROWS --write --platforms sail,duckdb    # put the run's lines into the page

ROWS is the file that a run of the storage contracts wrote because `KINDLING_FEATURE_TABLE` named it. Each
tox environment has its own platforms; lines of other platforms are left alone. What stands behind `--part`
are the arguments of a run of some tests only, which cannot be compared.
"""

from __future__ import annotations

import argparse
import json
import sys
from collections.abc import Iterable, Mapping
from pathlib import Path

from kindling.testing.feature_table import feature_table, read_rows
from kindling.testing.memory_platform import FEATURES

ROOT = Path(__file__).parent.parent.parent
PAGE = ROOT / "docs" / "feature-tables.md"
NOT_RUN = {("postgres", "spark"): "the environment of Spark has no database server"}
"""Storages that no suite runs on a platform, each with its reason; they have no line."""
START = """# What each storage does on each platform

Written by `python tests/architecture/feature_tables.py`. That it works is what the conformance suites proved,
which `tox -e plugins` and `tox -e spark` run; both compare this page with what they saw. How, is stated in
each plugin's `kindling.json`.

- `native`: the engine does it itself.
- `emulated`: rows pass through this process as Arrow batches: the engine cannot do it as Kindling needs it.
- `yes`: it works, and asks nothing of the engine beyond reading.
- `no`: the storage states it, and tests failed.
- Nothing: the storage does not offer it.

The platform `memory` is the one of the tests: a stranger to all storages, which knows Arrow only.
"""

Needs = Mapping[str, list[Mapping[str, object]]]
"""Alternatives by use, as `kindling.json` states them."""
Cells = dict[tuple[str, str], dict[str, str]]
"""What the cells of a table say, by (storage, platform) and use; empty ones are left out."""


def parsed(text: str) -> Cells:
    """Return the cells of the Markdown table in a text."""
    lines = [line for line in text.splitlines() if line.startswith("| ")]
    if not lines:
        return {}
    head, *rows = [[cell.strip() for cell in line.strip().strip("|").split("|")] for line in lines]
    return {
        (row[0], row[1]): {use: cell for use, cell in zip(head[2:], row[2:], strict=True) if cell}
        for row in rows
        if set(row[0]) != {"-"}
    }


def rendered(cells: Cells) -> str:
    """Return the page."""
    # The kernel's own table gives order and columns; each cell stands for one verdict of its own name.
    rows = [
        {"storage": storage, "platform": platform, "use": use, "verdict": "pass"}
        for (storage, platform), uses in cells.items()
        for use in uses
    ]
    head, rule, *lines = feature_table(rows).splitlines()
    columns = [name.strip() for name in head.strip("|").split("|")][2:]
    filled = [
        f"| {storage} | {platform} | " + " | ".join(cells[storage, platform].get(use, "") for use in columns)
        for storage, platform in (key for line in lines for key in parsed(f"{head}\n{line}"))
    ]
    left_out = "".join(f"Not run: {pair[0]} on {pair[1]}, because {why}.\n" for pair, why in NOT_RUN.items())
    return START + left_out + "\n" + "\n".join([head, rule, *(f"{line} |" for line in filled)]) + "\n"


def stated(kind: str) -> dict[str, Mapping[str, object]]:
    """Return what the manifests in this repository say of the capabilities of a kind, by name."""
    found: dict[str, Mapping[str, object]] = {}
    for path in ROOT.glob("plugins/kindling-plugin-*/src/*/kindling.json"):
        for name, told in json.loads(path.read_text(encoding="utf-8"))["capabilities"].items():
            if name.startswith(f"{kind}:"):
                found[name.partition(":")[2]] = told
    return found


def session_features() -> dict[str, frozenset[str]]:
    """Return what sessions can do, by platform, the one of the tests included."""
    told = {name: frozenset(platform["features"]) for name, platform in stated("platform").items()}  # type: ignore[call-overload]  # a list of texts
    return {**told, "memory": FEATURES}


def mode(needs: Needs, use: str, features: frozenset[str]) -> str:
    """Return how a storage does a use with these features of a session."""
    if use not in needs:
        return "yes"
    fitting = (one["mode"] for one in needs[use] if features.issuperset(one["session"]))  # type: ignore[arg-type]  # a list of texts
    return str(next(fitting, "no"))


def proven(rows: Iterable[Mapping[str, str]]) -> Cells:
    """Return the cells of a run: modes where all tests passed."""
    storages, platforms = stated("storage"), session_features()
    cells = parsed(feature_table(rows))
    for (storage, platform), uses in cells.items():
        needs: Needs = storages[storage]["needs"]  # type: ignore[assignment]  # its schema
        for use, verdict in uses.items():
            if verdict == "yes":
                uses[use] = mode(needs, use, platforms[platform])
    return cells


def of_platforms(cells: Cells, platforms: set[str]) -> Cells:
    """Return the lines of some platforms."""
    return {pair: uses for pair, uses in cells.items() if pair[1] in platforms}


def differences(seen: Cells, page: Cells) -> list[str]:
    """Return where a run and the page differ, a line for each cell."""
    cells = sorted({(*pair, use) for side in (seen, page) for pair, uses in side.items() for use in uses})
    found = []
    for storage, platform, use in cells:
        new, old = (side.get((storage, platform), {}).get(use, "") for side in (seen, page))
        if new != old:
            found.append(f"{storage} on {platform}, {use}: the run says {new!r}, the page {old!r}")
    return found


def main(arguments: list[str]) -> int:
    """Check or write the page; return the exit code."""
    parser = argparse.ArgumentParser()
    parser.add_argument("rows", metavar="ROWS")
    parser.add_argument("--check", action="store_true")
    parser.add_argument("--write", action="store_true")
    parser.add_argument("--platforms", required=True)
    parser.add_argument("--part", nargs=argparse.REMAINDER, default=[])
    asked = parser.parse_args(arguments)
    if asked.part:
        sys.stdout.write(f"{PAGE.name}: not compared with a part of the tests\n")
        return 0
    platforms = set(asked.platforms.split(","))
    seen = of_platforms(proven(read_rows(asked.rows)), platforms)
    page = parsed(PAGE.read_text(encoding="utf-8")) if PAGE.exists() else {}
    own = of_platforms(page, platforms)
    if asked.write:
        others = {pair: uses for pair, uses in page.items() if pair not in own}
        PAGE.write_text(rendered({**others, **seen}), encoding="utf-8")
        return 0
    found = differences(seen, own)
    for line in found:
        sys.stderr.write(f"{line}\n")
    if found:
        again = f"{sys.executable} {sys.argv[0]} {asked.rows} --write --platforms {asked.platforms}"
        sys.stderr.write(f"docs/{PAGE.name} is not what was seen; if that is meant: {again}\n")
    return 1 if found else 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
