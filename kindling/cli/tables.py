"""Plain-text tables of plans: aligned, without colour, equal on every terminal."""

from __future__ import annotations

from typing import TYPE_CHECKING

from kindling.plan.plan import DEFERRED, RUN, UNCHANGED

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from kindling.plan.plan import Plan, PlannedTask

MARKS = {RUN: "+", DEFERRED: "~", UNCHANGED: "=", "skipped": "-"}


def table_text(rows: Sequence[Sequence[str]]) -> str:
    """Return rows as aligned columns, two spaces apart; the last column is not padded."""
    if not rows:
        return ""
    widths = [max(len(row[place]) for row in rows) for place in range(len(rows[0]))]
    lines = ("  ".join(cell.ljust(width) for cell, width in zip(row, widths, strict=True)) for row in rows)
    return "\n".join(line.rstrip() for line in lines) + "\n"


def short_version(version: str) -> str:
    """Return a version for people: a table's number, else the first letters of the opaque token."""
    number, _, _ = version.partition("-")
    return number if number.isdecimal() else version[:10]


def error_text(error: Mapping[str, object]) -> str:
    """Return `KindlingError.to_plain()` as a run's summary shows it; further lines of a text are indented."""
    lines = [f"{error.get('code', '')}: {error.get('what', '')}\n"]
    for word, name in (("why", "why"), ("where", "where"), ("do", "hint")):
        if error.get(name):
            lines.append(f"  {word}: {str(error[name]).replace(chr(10), chr(10) + '    ')}\n")
    return "".join(lines)


def warning_lines(plan: Plan) -> list[str]:
    """Return what a plan warns about, a line each."""
    return [f"warning: {text}\n" for text in plan.warnings]


def plan_text(plan: Plan, *, is_verbose: bool = False) -> str:
    """Return a plan for people: a head line, a table, warnings, a last line with counts."""
    shown = [t for t in plan.tasks if is_verbose or t.action in (RUN, DEFERRED)]
    lines = [f"plan of {plan.app} in {plan.environment}\n"]
    if shown:
        lines += [
            "\n",
            table_text([("", "entity", "how", "platform", "why"), *_rows(shown, is_verbose=is_verbose)]),
            "\n",
        ]
    lines += [f"opaque: {entity}: {what}\n" for entity, what in plan.opaque]
    lines += warning_lines(plan)
    return "".join(lines) + counts_text(plan) + "\n"


def _rows(tasks: Sequence[PlannedTask], *, is_verbose: bool) -> list[tuple[str, ...]]:
    rows: list[tuple[str, ...]] = []
    for task in tasks:
        intent = task.intent.name if task.intent else task.mode
        how = f"{intent} {task.storage}" + (" (emulated)" if task.mode == "emulated" else "")
        if task.storage == "memory":
            how = f"memory, {task.mode}"
        reasons = [reason.text for reason in task.reasons] or [""]
        rows.append((MARKS[task.action], str(task.key), how, task.platform, reasons[0]))
        rows += [("", "", "", "", text) for text in (reasons[1:] if is_verbose else [])]
    return rows


def counts_text(plan: Plan) -> str:
    """Return the counts, for example `12 to run, 3 unchanged`."""
    words = ((RUN, "to run"), (DEFERRED, "decided later"), (UNCHANGED, "unchanged"), ("skipped", "skipped"))
    found = [(len(plan.with_action(action)), word) for action, word in words]
    return ", ".join(f"{count} {word}" for count, word in found if count) or "nothing to run"
