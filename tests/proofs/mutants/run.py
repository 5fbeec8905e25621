"""Mutants of real plugins against their own conformance suites; what is found is added to `generated.json`.

    python tests/proofs/mutants/run.py threads files --per 20
    python tests/proofs/mutants/report.py

A mutant lives in a copy of the plugin's sources that comes first on the import path. A test that hangs counts
as failed. Mutants are chosen by chance, the same for one seed; those that were tried are not tried again.
"""

from __future__ import annotations

import argparse
import json
import os
import re
import shutil
import subprocess
import sys
import tempfile
from pathlib import Path
from random import Random

from generating import Mutant, mutants

ROOT = Path(__file__).parents[3]
RESULTS = Path(__file__).with_name("generated.json")
SEED = 20261125
SUITES: dict[str, tuple[str, ...]] = {
    "threads": ("TestThreads",),
    "files": ("TestParquet",),
    "process": ("TestProcess",),
    "vault": ("TestKv2",),
    "postgres": ("TestPostgres", "TestPostgresState"),
    "duckdb": ("TestDuckDB",),
}
"""By plugin: the classes of its `test_conformance.py` that are asked."""
LEFT_OUT = ("__init__.py", "plugin.py")
FAILED = re.compile(r"^(?:FAILED|ERROR) \S*::(\w+)(?:\[.*\])?(?: - .*)?$", re.MULTILINE)
LONGEST_S = 240


def chosen(plugin: str, many: int, seed: int) -> list[tuple[Path, Mutant]]:
    """Return mutants of a plugin, with their modules."""
    source = ROOT / "plugins" / f"kindling-plugin-{plugin}" / "src" / f"kindling_plugin_{plugin}"
    paths = sorted(path for path in source.rglob("*.py") if path.name not in LEFT_OUT)
    all_of = [(path, one) for path in paths for one in mutants(path.read_text(encoding="utf-8"))]
    return Random(f"{plugin}/{seed}").sample(all_of, min(many, len(all_of)))  # noqa: S311  # the same each time


def tried(plugin: str, path: Path, mutant: Mutant) -> dict[str, object]:
    """Run the plugin's suite on one mutant; return what is known then."""
    home = path.parents[len(path.parts) - path.parts.index("src") - 2]
    with tempfile.TemporaryDirectory(prefix="kmutant") as folder:
        shutil.copytree(home, folder, dirs_exist_ok=True, ignore=shutil.ignore_patterns("__pycache__"))
        target = Path(folder) / path.relative_to(home)
        target.write_text(mutant.source(path.read_text(encoding="utf-8")), encoding="utf-8")
        killers = _killers(plugin, folder)
        others = [] if killers else _killers(plugin, folder, is_whole=True)
    return {
        "module": path.relative_to(home).as_posix(),
        "line": mutant.line,
        "what": mutant.what,
        "was": mutant.was,
        "killers": killers,
        "others": others,
    }


def _killers(plugin: str, folder: str, *, is_whole: bool = False) -> list[str]:
    """Return the tests that fail; "hangs" or "breaks" where no test could be told.

    Args:
        plugin: The plugin.
        folder: What comes first on the import path.
        is_whole: Ask the plugin's other tests, and stop at the first that fails, instead of its suite.
    """
    tests = ROOT / "plugins" / f"kindling-plugin-{plugin}" / "tests"
    suite = tests / "test_conformance.py"
    words = [f"{suite}::{name}" for name in SUITES[plugin]]
    options = ["-q", "--tb=no", "-rfE", "-p", "no:cacheprovider", "--timeout", "40", "--maxfail", "12"]
    if is_whole:
        words = [str(tests), f"--ignore={suite}", "-m", "not slow"]
        options[-1] = "1"
    paths = [folder, *os.environ.get("PYTHONPATH", "").split(os.pathsep)]
    try:
        done = subprocess.run(
            [sys.executable, "-m", "pytest", *words, *options],
            cwd=ROOT,
            env={**os.environ, "PYTHONPATH": os.pathsep.join(filter(None, paths))},
            check=False,
            capture_output=True,
            text=True,
            timeout=LONGEST_S,
        )
    except subprocess.TimeoutExpired:
        return ["(hangs)"]
    if done.returncode == 0:
        return []
    return sorted(set(FAILED.findall(done.stdout))) or ["(breaks)"]


def _completed(plugins: list[str], results: Path) -> int:
    """Ask the plugins' other tests about known mutants that their suites did not notice."""
    known = json.loads(results.read_text())
    for plugin in plugins:
        source = ROOT / "plugins" / f"kindling-plugin-{plugin}" / "src"
        for one in known.get(plugin, ()):
            if one["killers"] or "others" in one:
                continue
            path = source / one["module"]
            found = [m for m in mutants(path.read_text()) if (m.line, m.what, m.was) == _key(one)]
            if found:
                one["others"] = tried(plugin, path, found[0])["others"]
                results.write_text(json.dumps(known, indent=1, ensure_ascii=False) + "\n")
                sys.stderr.write(f"{plugin} {_key(one)} {one['others']}\n")
    return 0


def _key(one: dict[str, object]) -> tuple[object, object, object]:
    return one["line"], one["what"], one["was"]


def main() -> int:
    """Try mutants of the named plugins."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawTextHelpFormatter)
    parser.add_argument("plugins", nargs="*", default=list(SUITES))
    parser.add_argument("--per", type=int, default=20, help="mutants of each plugin")
    parser.add_argument("--seed", type=int, default=SEED)
    parser.add_argument("--results", type=Path, default=RESULTS)
    parser.add_argument("--complete", action="store_true", help="ask other tests about what was not noticed")
    asked = parser.parse_args()
    if asked.complete:
        return _completed(asked.plugins, asked.results)
    for plugin in asked.plugins:
        if killers := _killers(plugin, ""):
            sys.stderr.write(f"{plugin}: its suite fails without any fault: {killers}\n")
            return 1
        for path, mutant in chosen(plugin, asked.per, asked.seed):
            known = json.loads(asked.results.read_text()) if asked.results.exists() else {}
            listed = known.setdefault(plugin, [])
            key = (path.name, mutant.line, mutant.what, mutant.was)
            if any(
                (Path(str(one["module"])).name, one["line"], one["what"], one["was"]) == key for one in listed
            ):
                continue
            listed.append(tried(plugin, path, mutant))
            asked.results.write_text(json.dumps(known, indent=1, ensure_ascii=False) + "\n")
            sys.stderr.write(f"{plugin} {key} {listed[-1]['killers'][:3]}\n")
    return 0


if __name__ == "__main__":
    sys.exit(main())
