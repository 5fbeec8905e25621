"""What this plugin offers: the storages `csv`, `json` and `parquet`. No implementation."""

from __future__ import annotations

from kindling.hooks import hookimpl
from kindling.hooks.storage import Storage, StorageOffer, StorageSpec


def open_storage(spec: StorageSpec) -> Storage:
    """Return the storage; the address of an entity says which format its files have."""
    from kindling_plugin_files.storage import FilesStorage

    return FilesStorage(spec)


@hookimpl
def kindling_storage_offers() -> tuple[StorageOffer, ...]:
    """Offer one storage per format."""
    return tuple(StorageOffer(name, open_storage) for name in ("csv", "json", "parquet"))
