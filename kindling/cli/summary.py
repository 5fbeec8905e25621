"""The summary after a run: counts, slowest tasks, expectations, failures last, where to look next."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING

from kindling.cli.tables import error_text, short_version, table_text, warning_lines

if TYPE_CHECKING:
    from kindling.hooks.executor import Outcome
    from kindling.run.run import RunResult

SLOWEST = 3


def summary_text(result: RunResult, state_dir: str) -> str:
    """Return the summary for people; failures come last, then the next commands to type."""
    lines = ["\n", _table(result), "\n"]
    lines += _notes(result)
    lines += _failures(result)
    lines.append(_last_line(result))
    if result.exit_code:
        lines.append(f"next: kindling run --resume {result.run_id}\n")
        lines.append(f"log: {state_dir}/runs/{result.run_id}/log.jsonl\n")
    else:
        lines.append(f"next: kindling runs show {result.run_id}\n")
    return "".join(lines)


def _table(result: RunResult) -> str:
    rows = [("entity", "rows", "seconds", "version", "status")]
    for key, outcome in result.outcomes.items():
        rows.append(
            (key, _rows(outcome), f"{outcome.seconds:.2f}", short_version(outcome.version), outcome.status)
        )
    rows += [(key, "", "", "", f"skipped: {cause} failed") for key, cause in result.skipped.items()]
    return table_text(rows)


def _rows(outcome: Outcome) -> str:
    return "" if outcome.rows is None else f"{outcome.rows:,}"


def _notes(result: RunResult) -> list[str]:
    lines = warning_lines(result.plan)
    for key, outcome in result.outcomes.items():
        lines += [
            f"{key}: {count:,} rows break {name!r}\n" for name, count in outcome.expectations.items() if count
        ]
        if outcome.metrics.get("rows_quarantined"):
            lines.append(f"{key}: {outcome.metrics['rows_quarantined']:,} rows are in {key}__quarantine\n")
        lines += [f"{key}: {text}\n" for text in outcome.warnings]
    slow = sorted(result.outcomes.items(), key=lambda item: -item[1].seconds)[:SLOWEST]
    if len(result.outcomes) > SLOWEST:
        lines.append(
            "slowest: " + ", ".join(f"{key} {outcome.seconds:.2f} s" for key, outcome in slow) + "\n"
        )
    return lines


def _failures(result: RunResult) -> list[str]:
    lines = []
    for outcome in result.outcomes.values():
        error = outcome.error
        if outcome.status == "done" or not error:
            continue
        lines += ["\n", error_text(error)]
    return [*lines, "\n"] if lines else []


def _last_line(result: RunResult) -> str:
    counts: dict[str, int] = {}
    for outcome in result.outcomes.values():
        counts[outcome.status] = counts.get(outcome.status, 0) + 1
    if result.skipped:
        counts["skipped"] = len(result.skipped)
    text = ", ".join(f"{count} {status}" for status, count in counts.items())
    return f"{result.status}: {text} in {result.seconds:.2f} s\n"


def result_json(result: RunResult) -> str:
    """Return the result as one JSON document, schema `kindling.run/1`."""
    import msgspec

    plain = {
        "schema": "kindling.run/1",
        "run_id": result.run_id,
        "status": result.status,
        "exit_code": result.exit_code,
        "seconds": round(result.seconds, 6),
        "tasks": [msgspec.to_builtins(outcome) for outcome in result.outcomes.values()],
        "skipped": [{"key": key, "cause": cause} for key, cause in result.skipped.items()],
        "unchanged": [str(task.key) for task in result.plan.with_action("unchanged")],
    }
    return json.dumps(plain, indent=2) + "\n"
