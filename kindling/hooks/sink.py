"""Hears the events of runs: progress, history, later lineage, audit, metrics and alerts.

One sink per run. Events arrive in the order of their `seq`, from one thread. An *essential* sink fails
the run when it fails (audit); another is told about once and then left alone.

A complete plugin:

    from collections.abc import Sequence
    from kindling.events import Event
    from kindling.hooks import hookimpl
    from kindling.hooks.sink import EventSink, SinkOffer, SinkSpec

    class Printer:
        essential = False
        def record(self, events: Sequence[Event]) -> None:
            for event in events:
                print(event)
        def close(self) -> None: ...

    @hookimpl
    def kindling_sink_offers() -> tuple[SinkOffer, ...]:
        return (SinkOffer("printer", lambda spec: Printer()),)
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Protocol, TypeAlias, runtime_checkable

from kindling.events import Event
from kindling.hooks import Offer, Plain, hookspec

API = "1.0"

FEATURES = ("durable",)
"""The closed list; `x-<vendor>-<name>` is allowed as well."""


@dataclass(frozen=True, slots=True)
class SinkSpec:
    """What a factory gets.

    Attributes:
        run_id: The run.
        run_dir: An existing folder that belongs to this run.
        settings: The plugin's own checked settings.
        project: Absolute path of the project's folder, which relative paths of settings are meant from; "" in
            tests of a sink alone.
        secret: Resolves a `secret://` reference at the time of use.
    """

    run_id: str
    run_dir: str
    settings: Mapping[str, Plain] = field(default_factory=dict)
    project: str = ""
    secret: Callable[[str], str] | None = None


@runtime_checkable
class EventSink(Protocol):
    """Receives events."""

    @property
    def essential(self) -> bool:
        """Whether a failure of this sink fails the run."""
        ...

    def record(self, events: Sequence[Event]) -> None:
        """Take events, in order; return once they are as safe as the sink promises."""
        ...

    def close(self) -> None:
        """Flush and release. Idempotent."""
        ...


SinkOffer: TypeAlias = Offer[SinkSpec, EventSink]


class SinkSpecs:
    """The hookspec of the kind."""

    @hookspec
    def kindling_sink_offers(self) -> tuple[SinkOffer, ...]:  # type: ignore[empty-body]  # a specification
        """Return the sinks that this module implements."""
