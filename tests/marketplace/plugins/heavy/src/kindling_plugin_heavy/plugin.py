"""The offer."""

from __future__ import annotations

from kindling.hooks import hookimpl
from kindling.hooks.storage import Storage, StorageOffer, StorageSpec


def open_storage(spec: StorageSpec) -> Storage:
    """Return the storage."""
    from kindling_plugin_heavy.parquet import ParquetStorage

    del spec
    return ParquetStorage()


@hookimpl
def kindling_storage_offers() -> tuple[StorageOffer, ...]:
    """Offer the storage."""
    return (StorageOffer("heavy", open_storage),)
