"""Events of a run, in a file of the run's folder."""

from __future__ import annotations

import json
from pathlib import Path
from typing import TYPE_CHECKING

from kindling.hooks import hookimpl
from kindling.hooks.sink import SinkOffer, SinkSpec

if TYPE_CHECKING:
    from collections.abc import Sequence

    from kindling.events import Event


class Counter:
    """A sink."""

    essential = False

    def __init__(self, spec: SinkSpec) -> None:
        self.path = Path(spec.run_dir) / "twins.jsonl"

    def record(self, events: Sequence[Event]) -> None:
        """Append events."""
        with self.path.open("a", encoding="utf-8") as file:
            file.writelines(json.dumps(event.to_plain()) + "\n" for event in events)

    def close(self) -> None:
        """Release nothing: the file is closed after each call."""


@hookimpl
def kindling_sink_offers() -> tuple[SinkOffer, ...]:
    """Offer the sink."""
    return (SinkOffer("twins", Counter),)
