"""Storages over tables in files."""

from __future__ import annotations

from kindling.addresses import Address
from kindling.hooks.platform import Session
from kindling.hooks.storage import Commit, ReadRequest, WriteRequest
from kindling.testing.memory_storage import MemoryStore
from kindling_plugin_scratch.tables import load, save


class FileStore(MemoryStore):
    """A store of the memory storage that loads its table anew and keeps what was committed."""

    def __init__(self, address: Address, session: Session) -> None:
        super().__init__(load(address), address, session)

    def commit(self, *args: object, **options: object) -> Commit:
        self.tables.update(load(self.address))
        made = super().commit(*args, **options)  # type: ignore[arg-type]  # the same arguments
        save(self.address, self.tables)
        return made


class LeanStore:
    """Overwrites and reads, nothing else."""

    def __init__(self, address: Address, session: Session) -> None:
        self._inner = FileStore(address, session)
        self.schema, self.version = self._inner.schema, self._inner.version

    def read(self, request: ReadRequest) -> object:
        return self._inner.read(ReadRequest(schema=request.schema))

    def write(self, frame: object, request: WriteRequest) -> Commit:
        return self._inner.write(frame, request)


class FileStorage:
    def open(self, address: Address, session: Session) -> FileStore:
        return FileStore(address, session)


class LeanStorage:
    def open(self, address: Address, session: Session) -> LeanStore:
        return LeanStore(address, session)
