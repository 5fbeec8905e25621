"""Write docs/portability.md from the verdicts: `python tests/cross/portability.py [--check]`."""

from __future__ import annotations

import sys
from collections import Counter
from pathlib import Path
from typing import Any

from case_list import Case, all_cases, function_names, names_in
from run import load, verdict_file

PAGE = Path(__file__).resolve().parents[2] / "docs" / "portability.md"
ENGINES = ("sail", "duckdb")
HEAD = """# What runs everywhere

Spark on the JVM is the reference. Each of {cases} cases (functions, operators, joins, windows, casts,
literals, nulls, NaN, infinities, decimals, overflow, time zones, nested types, empty frames, and frame
methods) is computed on each engine and compared with Spark's answer row by row, through Parquet files that
are written as outputs are written. `tests/cross` holds the cases; this page is generated from their verdicts
by `python tests/cross/portability.py`.

| verdict | meaning | sail | duckdb |
|---|---|---|---|
{totals}

`equal` includes what the platform plugin corrects. Of the {listed} functions in the list of Spark {version},
{covered} have cases of their own; the others are not in the portable subset: DuckDB refuses what its plugin
does not know (`KDL-PORT-*`), Sail hands it to the engine unchecked.

"""
MEANINGS = {
    "equal": "the same rows and types as Spark, or an error on both",
    "refused": "Kindling's own error, before anything is computed",
    "fails": "the engine's own error where Spark has an answer; loud, nothing is written",
    "differs": "**other rows or types than Spark, without an error**: avoid these",
}


def page() -> str:
    """Return the page."""
    cases = all_cases()
    known = {engine: load(verdict_file(engine)) for engine in ENGINES}
    counts = {engine: Counter(entry["verdict"] for entry in known[engine].values()) for engine in ENGINES}
    totals = "\n".join(
        f"| {word} | {text} | {counts['sail'][word]} | {counts['duckdb'][word]} |"
        for word, text in MEANINGS.items()
    )
    version, listed = function_names()
    named = {case.name.lower() for case in cases} | {n for case in cases for n in names_in(case.text)}
    covered = sorted(set(listed) & named)
    head = HEAD.format(
        cases=len(cases), totals=totals, listed=len(listed), version=version, covered=len(covered)
    )
    return head + _exceptions(cases, known) + _functions(cases, known)


def _exceptions(cases: list[Case], known: dict[str, dict[str, Any]]) -> str:
    text = ""
    for engine in ENGINES:
        silent = [case for case in cases if known[engine][case.id]["verdict"] == "differs"]
        text += f"## Differs on {engine}\n"
        text += "".join(f"- {case.category}: `{_cell(case.text)}`\n" for case in silent) or "Nothing.\n"
        text += "\n"
    return text


def _functions(cases: list[Case], known: dict[str, dict[str, Any]]) -> str:
    rows: dict[tuple[str, str], list[Case]] = {}
    for case in cases:
        rows.setdefault((case.category, case.name), []).append(case)
    text = "## All cases\n| category | name | cases | sail | duckdb |\n|---|---|---|---|---|\n"
    for (category, name), some in sorted(rows.items()):
        told = [_told(Counter(known[engine][case.id]["verdict"] for case in some)) for engine in ENGINES]
        text += f"| {category} | `{_cell(name)}` | {len(some)} | {told[0]} | {told[1]} |\n"
    return text


def _told(found: Counter[str]) -> str:
    return (
        next(iter(found)) if len(found) == 1 else ", ".join(f"{found[w]} {w}" for w in MEANINGS if found[w])
    )


def _cell(text: str) -> str:
    return " ".join(text.split()).replace("|", "\\|").replace("`", "'")


def main() -> int:
    """Write or check the page; return an exit code."""
    made = page()
    if "--check" in sys.argv[1:]:
        if PAGE.read_text(encoding="utf-8") != made:
            sys.stderr.write("docs/portability.md is old: python tests/cross/portability.py\n")
            return 1
        return 0
    PAGE.write_text(made, encoding="utf-8")
    return 0


if __name__ == "__main__":
    sys.exit(main())
