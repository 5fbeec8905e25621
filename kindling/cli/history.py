"""Past and present runs as text and JSON: for `kindling runs`."""

from __future__ import annotations

import json
from dataclasses import dataclass
from datetime import datetime
from typing import TYPE_CHECKING

from kindling.cli.tables import error_text, short_version, table_text
from kindling.errors import UsageError

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping, Sequence

    from kindling.hooks.state import State
    from kindling.records import RunRecord
    from kindling.values import Plain

ENDED = {"TaskFinished", "TaskSkipped"}


@dataclass(frozen=True, slots=True)
class Story:
    """One run and what became of its tasks.

    Attributes:
        record: From the state.
        outcomes: One mapping per task, keys as in `Outcome`; those of a run that was killed come from its
            events, and tasks that it was working on have the status `running` or `interrupted`.
        folder: The run's folder with events and log.
    """

    record: RunRecord
    outcomes: tuple[Mapping[str, Plain], ...]
    folder: str


def known_run(state: State, run_id: str) -> RunRecord:
    """Return a run by its id, a unique prefix of it, or `last`.

    Raises:
        UsageError: KDL-USE-021, there is none.
    """
    newest = state.runs("", "", 1) if run_id == "last" else ()
    record = newest[0] if newest else state.run(run_id)
    if record is None:
        raise UsageError("KDL-USE-021", f"there is no run {run_id!r}", hint="kindling runs list")
    return record


def story(state: State, record: RunRecord, state_dir: str) -> Story:
    """Collect what is known about a run.

    Effects: reads `events.jsonl` in the run's folder if the state holds no outcome.
    """
    folder = f"{state_dir}/runs/{record.run_id}"
    outcomes = tuple(state.outcomes(record.run_id))
    return Story(record, outcomes or tuple(_from_events(folder, record.status)), folder)


def _from_events(folder: str, status: str) -> Iterator[Mapping[str, Plain]]:
    begun: dict[str, Mapping[str, Plain]] = {}
    for event in _events(f"{folder}/events.jsonl"):
        key = str(event.get("key", ""))
        if event.get("type") == "TaskStarted":
            begun[key] = event
        elif event.get("type") in ENDED:
            begun.pop(key, None)
            named = {name: value for name, value in event.items() if name not in ("schema", "type", "run_id")}
            yield {**named, "status": named.get("status", "skipped")}
    for key, event in begun.items():
        yield {
            "key": key,
            "attempt": event.get("attempt", 1),
            "status": "running" if status == "running" else "interrupted",
        }


def _events(path: str) -> Iterator[Mapping[str, Plain]]:
    """Yield a run's events; a line that a kill cut short is left out."""
    try:
        with open(path, encoding="utf-8") as file:
            for line in file:
                try:
                    event = json.loads(line)
                except ValueError:
                    continue
                if isinstance(event, dict):
                    yield event
    except OSError:
        return  # pruned, or the run never started


def runs_text(records: Sequence[RunRecord]) -> str:
    """Return runs as a table, newest first."""
    if not records:
        return "no runs yet\n"
    rows = [("run", "status", "environment", "started", "seconds", "tasks")]
    rows += [
        (r.run_id, r.status, r.environment, r.started[:19] + "Z", _seconds(r), _counts(r)) for r in records
    ]
    return table_text(rows)


def _seconds(record: RunRecord) -> str:
    return f"{_elapsed(record):.1f}" if record.ended else ""


def _elapsed(record: RunRecord) -> float:
    begin, end = (datetime.fromisoformat(text) for text in (record.started, record.ended))
    return (end - begin).total_seconds()


def _counts(record: RunRecord) -> str:
    return ", ".join(f"{count} {name}" for name, count in record.counts)


def record_plain(record: RunRecord) -> dict[str, object]:
    """Return a run as JSON types."""
    return {
        "run_id": record.run_id,
        "app": record.app,
        "environment": record.environment,
        "status": record.status,
        "exit_code": record.exit_code,
        "started": record.started,
        "ended": record.ended,
        "seconds": round(_elapsed(record), 3) if record.ended else None,
        "counts": dict(record.counts),
        "pid": record.pid,
        "host": record.host,
        "request": _request(record),
    }


def _request(record: RunRecord) -> object:
    try:
        return json.loads(record.request) if record.request else None
    except ValueError:  # another program wrote it
        return None


def story_text(found: Story) -> str:
    """Return one run for people: what it was, its tasks, its errors, where to look next."""
    record = found.record
    head = f"run {record.run_id}: {record.status}"
    lines = [f"{head}{_exit(record)}\n", f"{record.app} in {record.environment}, started {record.started}"]
    if record.ended:
        lines.append(f", ended {record.ended} after {_elapsed(record):.2f} s")
    elif record.status == "running":
        lines.append(f", process {record.pid} on {record.host}")
    lines.append("\n")
    rows = [("entity", "rows", "seconds", "version", "status")]
    rows += [_row(outcome) for outcome in found.outcomes]
    lines += ["\n", table_text(rows), "\n"] if found.outcomes else ["no task ended or started\n"]
    lines += [text for outcome in found.outcomes for text in _error(outcome)]
    if record.status in ("failed", "cancelled", "interrupted"):
        lines.append(f"next: kindling run --resume {record.run_id}\n")
    lines.append(f"log: {found.folder}/log.jsonl, {found.folder}/events.jsonl\n")
    return "".join(lines)


def _exit(record: RunRecord) -> str:
    return "" if record.exit_code is None else f", exit code {record.exit_code}"


def _row(outcome: Mapping[str, Plain]) -> tuple[str, str, str, str, str]:
    rows, seconds = outcome.get("rows"), outcome.get("seconds")
    status = str(outcome.get("status", ""))
    if status == "skipped" and outcome.get("cause"):
        status = f"skipped: {outcome['cause']} failed"
    attempt = outcome.get("attempt")
    if isinstance(attempt, int) and attempt > 1:
        status += f" (attempt {attempt})"
    return (
        str(outcome.get("key", "")),
        f"{rows:,}" if isinstance(rows, int) else "",
        f"{seconds:.2f}" if isinstance(seconds, (int, float)) else "",
        short_version(str(outcome.get("version") or "")),
        status,
    )


def _error(outcome: Mapping[str, Plain]) -> list[str]:
    error = outcome.get("error")
    if not isinstance(error, dict) or not error.get("code"):
        return []
    return [error_text(error), "\n"]
