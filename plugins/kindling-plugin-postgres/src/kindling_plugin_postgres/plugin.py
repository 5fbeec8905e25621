"""What this plugin offers. Not where it is done: each factory imports its module when it is called."""

from __future__ import annotations

from kindling.hooks import hookimpl
from kindling.hooks.state import State, StateOffer, StateSpec
from kindling.hooks.storage import Storage, StorageOffer, StorageSpec


def open_storage(spec: StorageSpec) -> Storage:
    """Return the PostgreSQL storage of one kernel."""
    from kindling_plugin_postgres.storage import PostgresStorage

    return PostgresStorage(spec)


def open_state(spec: StateSpec) -> State:
    """Return the state in a PostgreSQL database."""
    from kindling_plugin_postgres.state import PostgresState

    return PostgresState.of(spec)


@hookimpl
def kindling_storage_offers() -> tuple[StorageOffer, ...]:
    """Offer `storage:postgres`."""
    return (StorageOffer("postgres", open_storage),)


@hookimpl
def kindling_state_offers() -> tuple[StateOffer, ...]:
    """Offer `state:postgres`."""
    return (StateOffer("postgres", open_state),)
