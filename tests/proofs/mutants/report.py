"""Write `docs/conformance.md`: which test of the conformance suites notices which fault.

    python tests/proofs/mutants/report.py            write it
    python tests/proofs/mutants/report.py --check    fail if what is written is not current

The hand-made mutants are read from `tests/kernel/testing`, whose own tests prove that each is noticed; those
made from plugins from `generated.json` beside this file.
"""

from __future__ import annotations

import json
import sys
from collections import Counter, defaultdict
from pathlib import Path

ROOT = Path(__file__).parents[3]
sys.path.insert(0, str(ROOT / "tests" / "kernel" / "testing"))
import mutant_suite  # noqa: E402  # found through the line above
from mutation import suite  # noqa: E402  # the same

TARGET = ROOT / "docs" / "conformance.md"
GENERATED = Path(__file__).with_name("generated.json")
REASONS = Path(__file__).with_name("survivors.json")
HEAD = """# What the conformance suites notice

Written by `python tests/proofs/mutants/report.py`; `tox -e proofs` checks that it is current.

A test that nothing can fail proves nothing. So each test of the conformance suites in `kindling.testing` is
failed by at least one implementation with one fault, and each such fault is noticed. Two kinds of faults:
hand-made ones in fakes (`tests/kernel/testing`), run in each CI, and ones that a program makes from the
sources of real plugins (`tests/proofs/mutants`).
"""


def hand_made() -> dict[str, dict[str, list[str]]]:
    """Return the mutants that each test must notice, by module of mutants and by test."""
    found: dict[str, dict[str, list[str]]] = {}
    for module in mutant_suite.MODULES:
        kills = found.setdefault(module.__name__.removesuffix("_mutants"), defaultdict(list))
        for name, contract in suite(vars(module)).items():
            for test in contract.kills:  # type: ignore[attr-defined]  # a mutant's class has it
                kills[test.removeprefix("test_")].append(name.removeprefix("Test"))
    return found


def page() -> str:
    """Return the whole page."""
    tables = hand_made()
    mutants = {name for kills in tables.values() for names in kills.values() for name in names}
    tests = {test for kills in tables.values() for test in kills}
    lines = [
        HEAD,
        "## Hand-made mutants\n",
        f"{len(mutants)} mutants; each of {len(tests)} tests notices one.\n",
    ]
    for name, kills in tables.items():
        lines.append(f"### {name.replace('_', ' ').capitalize()}\n")
        lines.append("| test | fails on |\n|---|---|")
        lines += [
            f"| {test.replace('_', ' ')} | {', '.join(sorted(kills[test]))} |" for test in sorted(kills)
        ]
        lines.append("")
    known = json.loads(GENERATED.read_text(encoding="utf-8")) if GENERATED.exists() else {}
    return "\n".join([*lines, *_generated(known)]).rstrip() + "\n"


def _generated(known: dict[str, list[dict[str, object]]]) -> list[str]:
    """Return the part about mutants made from plugins."""
    lines = ["## Mutants made from plugins\n"]
    lines.append(
        "A raise or a call left out, a condition negated, an operator, a constant or a result changed."
    )
    lines.append(
        "Each meets its plugin's `test_conformance.py`, and where that notices nothing its other tests.\n"
    )
    lines.append(
        "| plugin | mutants | noticed by its suite | by its other tests | by none |\n|---|---|---|---|---|"
    )
    for plugin, listed in sorted(known.items()):
        noticed = sum(bool(one["killers"]) for one in listed)
        others = sum(bool(one.get("others")) for one in listed)
        left = len(listed) - noticed - others
        lines.append(f"| {plugin} | {len(listed)} | {noticed} | {others} | {left} |")
    for plugin, listed in sorted(known.items()):
        lines += ["", *_of_plugin(plugin, listed)]
    return lines


def _of_plugin(plugin: str, listed: list[dict[str, object]]) -> list[str]:
    """Return the kills and the survivors of one plugin."""
    counts: Counter[str] = Counter()
    for one in listed:
        killers = one["killers"]
        counts.update(str(name) for name in killers if isinstance(killers, list))  # type: ignore[attr-defined]  # a list
    lines = [f"### {plugin}\n", "| test | mutants that fail it |\n|---|---|"]
    shown = sorted(counts.items(), key=lambda pair: (-pair[1], pair[0]))
    lines += [f"| {name.removeprefix('test_').replace('_', ' ')} | {count} |" for name, count in shown]
    reasons = json.loads(REASONS.read_text(encoding="utf-8")) if REASONS.exists() else {}
    left = [one for one in listed if not one["killers"]]
    if left:
        lines += ["", "Not noticed by the suite:\n", "| where | fault | was | why |\n|---|---|---|---|"]
    for one in left:
        module = str(one["module"]).partition("/")[2]
        others = one.get("others")
        own = f"noticed by the plugin's {', '.join(others)}" if isinstance(others, list) and others else ""
        why = own or reasons.get(f"{plugin}/{module}: {one['was']}") or "not looked into"
        was = str(one["was"]).replace("|", "\\|")
        lines.append(f"| {module}:{one['line']} | {one['what']} | `{was}` | {why} |")
    return lines


def main() -> int:
    """Write or check the page."""
    made = page()
    if "--check" not in sys.argv[1:]:
        TARGET.write_text(made, encoding="utf-8")
        return 0
    if TARGET.exists() and TARGET.read_text(encoding="utf-8") == made:
        return 0
    sys.stderr.write("docs/conformance.md is not current: python tests/proofs/mutants/report.py\n")
    return 1


if __name__ == "__main__":
    sys.exit(main())
