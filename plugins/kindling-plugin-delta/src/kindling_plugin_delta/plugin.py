"""What this plugin offers. Not where it is done: the factory imports the storage when it is called."""

from __future__ import annotations

from kindling.hooks import hookimpl
from kindling.hooks.storage import Storage, StorageOffer, StorageSpec


def open_storage(spec: StorageSpec) -> Storage:
    """Return the Delta storage of one kernel."""
    from kindling_plugin_delta.storage import DeltaStorage

    return DeltaStorage(spec)


@hookimpl
def kindling_storage_offers() -> tuple[StorageOffer, ...]:
    """Offer `storage:delta`."""
    return (StorageOffer("delta", open_storage),)
