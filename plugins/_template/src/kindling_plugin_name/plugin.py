"""What this plugin offers. Not where it is done: the factory imports the storage when it is called."""

from __future__ import annotations

from kindling.hooks import hookimpl
from kindling.hooks.storage import Storage, StorageOffer, StorageSpec


def open_storage(spec: StorageSpec) -> Storage:
    """Return the storage of one kernel; it has no settings."""
    from kindling_plugin_name.storage import MemoryStorage

    del spec
    return MemoryStorage()


@hookimpl
def kindling_storage_offers() -> tuple[StorageOffer, ...]:
    """Offer the one storage of this plugin."""
    return (StorageOffer("name", open_storage),)
