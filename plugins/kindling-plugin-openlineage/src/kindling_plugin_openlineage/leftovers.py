"""How the events of a killed run are ended: each run of a job that began gets its ABORT."""

from __future__ import annotations

import json
from collections.abc import Iterable

from kindling_plugin_openlineage.facets import Json
from kindling_plugin_openlineage.outbox import RunFile

_COPIED = ("producer", "schemaURL")
_LASTING = ("parent", "nominalTime", "processing_engine", "tags")


def aborts(lines: Iterable[bytes], at: str) -> list[Json]:
    """Return the events that are missing, tasks before their run.

    Args:
        lines: The events of one run, as they were kept.
        at: The time when it was found out.
    """
    begun: dict[str, Json] = {}
    for line in lines:
        event = _parsed(line)
        uuid = _uuid(event)
        if event.get("eventType") == "START":
            begun[uuid] = event
        elif event:
            begun.pop(uuid, None)
    return [_aborted(event, at) for event in reversed(begun.values())]


def end_file(file: RunFile, at: str) -> None:
    """Append what is missing to the file of a killed run; nothing is parsed of one that ended."""
    first, last = map(_parsed, file.ends())
    if last.get("eventType") != "START" and _uuid(last) == _uuid(first) != "":
        return
    missing = aborts(file.lines(), at)
    if missing:
        file.append([encoded(event) for event in missing])


def encoded(event: Json) -> bytes:
    """Return an event as one line, without its end."""
    return json.dumps(event, ensure_ascii=False, separators=(",", ":")).encode("utf-8", "backslashreplace")


def _uuid(event: Json) -> str:
    run = event.get("run")
    return str(run.get("runId")) if isinstance(run, dict) else ""


def _parsed(line: bytes) -> Json:
    try:
        found = json.loads(line)
    except ValueError:  # damaged by other hands; what is whole is delivered nevertheless
        return {}
    return found if isinstance(found, dict) else {}


def _aborted(event: Json, at: str) -> Json:
    run = event["run"]
    facets = run.get("facets") if isinstance(run, dict) else None
    kept = {name: facets[name] for name in _LASTING if name in facets} if isinstance(facets, dict) else {}
    return {
        "eventType": "ABORT",
        "eventTime": at,
        **{name: event[name] for name in _COPIED if name in event},
        "run": {"runId": run["runId"] if isinstance(run, dict) else "", "facets": kept},
        "job": event["job"],
        "inputs": [],
        "outputs": [],
    }
