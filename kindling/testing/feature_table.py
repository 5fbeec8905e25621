"""Which storage does what on which platform: rows that a conformance run writes, and their table.

Rows are JSON lines of `{"storage", "platform", "use", "test", "verdict"}`, verdict `pass` or `fail`. They
are written to the file that the environment variable `KINDLING_FEATURE_TABLE` names.
"""

from __future__ import annotations

import json
import os
from collections.abc import Iterable, Mapping

VARIABLE = "KINDLING_FEATURE_TABLE"
USES = (
    "read",
    "overwrite",
    "append",
    "merge",
    "scd2",
    "replace",
    "changes",
    "travel",
    "times",
    "erase",
    "maintain",
)


def note(row: Mapping[str, str]) -> None:
    """Add one row to the file, in one write, so that parallel workers do not mix theirs."""
    target = os.environ.get(VARIABLE, "")
    if target:
        line = json.dumps(dict(row), ensure_ascii=False, sort_keys=True) + "\n"
        with open(target, "a", encoding="utf-8") as file:
            file.write(line)


def read_rows(path: str) -> list[dict[str, str]]:
    """Return the rows of a file."""
    with open(path, encoding="utf-8") as file:
        return [json.loads(line) for line in file if line.strip()]


def feature_table(results: Iterable[Mapping[str, str]]) -> str:
    """Return a Markdown table: one line per storage and platform, one column per use.

    A cell says `yes` where all tests of the use passed, `no` where some failed (with their number),
    and is empty where the storage does not declare the use.
    """
    cells: dict[tuple[str, str], dict[str, list[str]]] = {}
    for row in results:
        uses = cells.setdefault((row["storage"], row["platform"]), {})
        uses.setdefault(row["use"], []).append(row["verdict"])
    named = {use for uses in cells.values() for use in uses}
    columns = [*(use for use in USES if use in named), *sorted(named.difference(USES))]
    lines = [
        "| storage | platform | " + " | ".join(columns) + " |",
        "|" + " --- |" * (len(columns) + 2),
    ]
    for (storage, platform), uses in sorted(cells.items()):
        found = [_verdict(uses.get(use, [])) for use in columns]
        lines.append(f"| {storage} | {platform} | " + " | ".join(found) + " |")
    return "\n".join(lines) + "\n"


def _verdict(verdicts: list[str]) -> str:
    if not verdicts:
        return ""
    failed = len(verdicts) - verdicts.count("pass")
    return f"no ({failed} of {len(verdicts)})" if failed else "yes"
