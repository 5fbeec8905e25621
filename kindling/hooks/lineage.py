"""Tells a lineage service what runs read and wrote. A lineage plugin is an `EventSink`: see `hooks.sink`.

It hears all events of a run. For such a sink the kernel traces columns and emits a `TaskTraced` for each
task that was done, right before its `TaskFinished`; not for one that found nothing new to read.
A sink that talks to a service writes to an outbox first: a dead service neither fails nor slows a run.

A complete plugin:

    from collections.abc import Sequence
    from kindling.events import Event, TaskTraced
    from kindling.hooks import hookimpl
    from kindling.hooks.lineage import EventSink, LineageOffer, SinkSpec

    class Printer:
        essential = False
        def record(self, events: Sequence[Event]) -> None:
            for event in events:
                if isinstance(event, TaskTraced):
                    print(event.target, event.lineage)
        def close(self) -> None: ...

    @hookimpl
    def kindling_lineage_offers() -> tuple[LineageOffer, ...]:
        return (LineageOffer("printer", lambda spec: Printer()),)
"""

from __future__ import annotations

from typing import TypeAlias

from kindling.hooks import Offer, hookspec
from kindling.hooks.sink import EventSink, SinkSpec

API = "1.0"

FEATURES = ("columns", "durable", "remote")
"""The closed list; `x-<vendor>-<name>` is allowed as well."""

LineageOffer: TypeAlias = Offer[SinkSpec, EventSink]


class LineageSpecs:
    """The hookspec of the kind."""

    @hookspec
    def kindling_lineage_offers(self) -> tuple[LineageOffer, ...]:  # type: ignore[empty-body]  # a specification
        """Return the lineage sinks that this module implements."""


__all__ = ["API", "FEATURES", "EventSink", "LineageOffer", "LineageSpecs", "SinkSpec"]
