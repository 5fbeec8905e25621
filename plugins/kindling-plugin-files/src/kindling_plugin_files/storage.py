"""The storage behind `csv`, `json` and `parquet`: opens stores, resolves their credentials."""

from __future__ import annotations

import json

from kindling.addresses import Address
from kindling.errors import StoreError
from kindling.hooks.platform import Session
from kindling.hooks.storage import StorageSpec
from kindling_plugin_files.options import entity_name
from kindling_plugin_files.store import FileStore


class FilesStorage:
    """Opens stores of files; the address says the format."""

    def __init__(self, spec: StorageSpec) -> None:
        self._secret = spec.secret

    def open(self, address: Address, session: Session) -> FileStore:
        """Return the entity's store; touches no file.

        Raises:
            StoreError: KDL-STORE-201 or 202, an option; KDL-STORE-216, a credential that is no JSON object.
        """
        return FileStore(address, session, self._credentials(address))

    def _credentials(self, address: Address) -> dict[str, object]:
        """Return the options of the fsspec file system that a location's secret holds."""
        if not address.credential or self._secret is None:
            return {}
        try:
            options = json.loads(self._secret(address.credential))
        except ValueError:
            options = None
        if not isinstance(options, dict):
            raise StoreError(
                "KDL-STORE-216",
                f"the credential of {entity_name(address)!r} is no JSON object",
                where=address.credential,
                hint='store the file system\'s options, for example {"key": "...", "secret": "..."}',
            )
        return options
