"""The hook implementation of `state:sqlite`; the kernel itself opens that state without it."""

from __future__ import annotations

from kindling.hooks import hookimpl
from kindling.hooks.state import StateOffer, StateSpec
from kindling.run.sqlite import SqliteState, open_state


def make(spec: StateSpec) -> SqliteState:
    """Open the state of a project."""
    return open_state(spec.path)


@hookimpl
def kindling_state_offers() -> tuple[StateOffer, ...]:
    """Offer `state:sqlite`."""
    return (StateOffer("sqlite", make),)
