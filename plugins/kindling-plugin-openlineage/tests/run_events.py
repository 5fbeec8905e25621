"""Events of a made-up run, and what a translator makes of them."""

from __future__ import annotations

from collections.abc import Sequence

from kindling_plugin_openlineage.translation import Translator

from kindling.events import (
    Event,
    Heartbeat,
    RunFinished,
    RunStarted,
    TaskFinished,
    TaskRetried,
    TaskSkipped,
    TaskStarted,
    TaskTraced,
)
from kindling.testing.lineage_contract import RUN, dataset

HOUR = "gold.daily[2026-01-01T00:00:00Z/2026-01-02T00:00:00Z]"
ERROR: dict[str, object] = {"code": "KDL-RUN-001", "what": "'silver.bad' raised ValueError", "why": "größe"}

Json = dict[str, object]


def run_events() -> list[Event]:
    """Return a run whose tasks are done, traced, masked, opaque, retried, failed, cancelled, skipped."""
    people = dataset("raw.people", "`id` bigint, `Mail` string", "7", uri="s3a://lake/raw/people/")
    silver = dataset("silver.people", "`id` bigint, `mail` string, `n` bigint", "7")
    made: list[tuple[type[Event], dict[str, object]]] = [
        (RunStarted, {"app": "shop", "environment": "dev", "platform": "duckdb", "tasks": ("silver.people",),
                      "unchanged": 0, "submitter": "hannah-7", "principal": "shop", "slots": 2}),
        (TaskStarted, {"key": "silver.people", "attempt": 1, "why": "its code changed"}),
        (TaskRetried, {"key": "silver.people", "attempt": 1, "wait_s": 0.5, "error": "engine lost"}),
        (TaskStarted, {"key": "silver.people", "attempt": 2, "why": "its code changed"}),
        (TaskTraced, {"key": "silver.people", "target": silver, "inputs": (people,), "intent": "overwrite",
                      "lineage": {"columns": {"id": [["raw.people", "id", "identity"]],
                                              "mail": [["raw.people", "Mail", "identity"]],
                                              "n": []},
                                  "rows": [["raw.people", "id", "indirect"]]},
                      "masked": (("raw.people", "mail", "keyed_hash"),),
                      "classes": {"id": ("pii.id", "secret")}}),
        (TaskFinished, {"key": "silver.people", "status": "done", "attempt": 2, "seconds": 1.0, "rows": 3,
                        "version": "7"}),
        (Heartbeat, {"running": ((HOUR, 1.0),)}),
        (TaskStarted, {"key": HOUR, "attempt": 1, "why": "new"}),
        (TaskTraced, {"key": HOUR, "target": dataset("gold.daily", "`day` date", ""), "inputs": (silver,),
                      "intent": "replace"}),
        (TaskFinished, {"key": HOUR, "status": "done", "attempt": 1, "seconds": 1.0}),
        (TaskStarted, {"key": "silver.bad", "attempt": 1, "why": "new"}),
        (TaskStarted, {"key": "silver.late", "attempt": 1, "why": "new"}),
        (TaskStarted, {"key": "silver.hung", "attempt": 1, "why": "new"}),
        (TaskFinished, {"key": "silver.bad", "status": "failed", "attempt": 1, "seconds": 1.0,
                        "error": ERROR}),
        (TaskFinished, {"key": "silver.late", "status": "cancelled", "attempt": 1, "seconds": 1.0}),
        (TaskSkipped, {"key": "gold.bad", "cause": "silver.bad"}),
        (RunFinished, {"status": "failed", "exit_code": 1, "seconds": 9.0, "counts": {"failed": 1}}),
    ]  # fmt: skip
    return [
        kind(run_id=RUN, seq=place, at=f"2026-01-02T03:04:{place:02d}.000Z", **fields)  # type: ignore[arg-type]  # fields fit their class
        for place, (kind, fields) in enumerate(made, start=1)
    ]


def told(events: Sequence[Event] | None = None, namespace: str = "kindling-{environment}") -> list[Json]:
    """Return what a collector is told."""
    return Translator(RUN, namespace).translated(run_events() if events is None else events)


def facet(event: Json, place: str, name: str) -> Json | None:
    """Return a facet without what each has; None where it is not told."""
    holder: object = event.get(place)
    if isinstance(holder, list):
        (holder,) = holder
    assert isinstance(holder, dict)
    found = holder.get("facets", {}).get(name) or holder.get(f"{place.removesuffix('s')}Facets", {}).get(name)
    return found and {key: value for key, value in found.items() if not key.startswith("_")}
