"""Write docs/portability.md from the verdicts: `python tests/cross/portability.py [--check]`."""

from __future__ import annotations

import re
import runpy
import sys
from collections import Counter
from pathlib import Path
from typing import Any

from case_list import Case, all_cases, function_names, names_in
from run import load, reasons, verdict_file

PAGE = Path(__file__).resolve().parents[2] / "docs" / "portability.md"
PLUGINS = PAGE.parents[1] / "plugins"
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
does not know (`KDL-PORT-*`), Sail hands it to the engine unchecked. The sign of a zero and the letter case of
column names are not compared; results of mathematical functions and aggregates are equal to 12 digits.

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
    return (
        head + _exceptions(cases, known) + _corrections() + _listed(cases, known) + _functions(cases, known)
    )


def _exceptions(cases: list[Case], known: dict[str, dict[str, Any]]) -> str:
    text = ""
    for engine in ENGINES:
        silent = [case for case in cases if known[engine][case.id]["verdict"] == "differs"]
        text += f"## Differs on {engine}\n" + ("" if silent else "Nothing.\n\n")
        if silent:
            text += "| what | why | write instead | cases |\n|---|---|---|---|\n"
        for reason in reasons().get(engine, ()):
            some = [case for case in silent if any(re.search(part, case.id) for part in reason["cases"])]
            shown = ", ".join(f"`{_cell(case.text)}`" for case in some)
            text += f"| {reason['what']} | {reason['why']} | {reason['instead']} | {shown} |\n"
        text += "\n" if silent else ""
    return text


def _rules() -> dict[str, Any]:
    """Return Sail's rules; the file imports nothing, so it is read without the plugin."""
    return runpy.run_path(str(PLUGINS / "kindling-plugin-sail/src/kindling_plugin_sail/rules.py"))


def _corrections() -> str:
    found = _rules()
    names = ", ".join(f"`{name}`" for name in sorted({name for name, _ in found["REPLACED"]}))
    text = "## Corrected and refused on sail\n"
    text += f"Replaced by expressions that mean the same on Spark: {names}; "
    text += "doubled quotes, and `collect_set` as a window function.\n\n"
    text += "Refused as well (`KDL-PORT-035`): `extract(DOW ...)`, UNPIVOT without INCLUDE NULLS, "
    text += "CASE WHEN NULL, and arithmetic of numbers in a text that overflows, or that has a whole number "
    text += "beside a decimal; doubles in a text that are rounded, or written with an exponent.\n\n"
    text += "| refused (`KDL-PORT-034`) | why | write instead |\n|---|---|---|\n"
    for name, (_, why, hint) in found["REFUSED"].items():
        text += f"| `{name}` | {why} | {_cell(hint)} |\n"
    return text + "\n"


def _listed(cases: list[Case], known: dict[str, dict[str, Any]]) -> str:
    """Return the table of Spark's whole function list."""
    _, listed = function_names()
    replaced = {name for name, _ in _rules()["REPLACED"]}
    plain = runpy.run_path(str(PLUGINS / "kindling-plugin-duckdb/src/kindling_plugin_duckdb/functions.py"))
    same = {*plain["SAME"], *(old for old, new in plain["RENAMED"].items() if old == new)}
    corrected = {"sail": replaced, "duckdb": plain["PORTABLE"] - same}
    text = "## Spark's function list\n| function | sail | duckdb |\n|---|---|---|\n"
    for name in listed:
        about = [case for case in cases if case.name.lower() == name] or [
            case for case in cases if name in names_in(case.text)
        ]
        told = []
        for engine in ENGINES:
            found = Counter(known[engine][case.id]["verdict"] for case in about)
            if found["equal"] and name in corrected[engine]:
                found = Counter({"corrected": found.pop("equal")}) + found
            told.append(_told(found) if about else {"sail": "no case", "duckdb": "refused"}[engine])
        text += f"| `{_cell(name)}` | {told[0]} | {told[1]} |\n"
    return text + "\n"


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
        next(iter(found))
        if len(found) == 1
        else ", ".join(f"{found[w]} {w}" for w in ("corrected", *MEANINGS) if found[w])
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
