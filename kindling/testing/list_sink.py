"""A sink that keeps events in a list that is handed in. For tests."""

from __future__ import annotations

from collections.abc import Sequence

from kindling.events import Event


class ListSink:
    """A sink.

    Args:
        heard: Gets the events, in order.
        essential: Whether its failures fail the run.
    """

    def __init__(self, heard: list[Event], *, essential: bool = False) -> None:
        self.heard = heard
        self.essential = essential

    def record(self, events: Sequence[Event]) -> None:
        """Keep events."""
        self.heard.extend(events)

    def close(self) -> None:
        """Release nothing: the list belongs to the caller."""
