"""Tables of the memory storage, each kept in one file, so that processes share them and kills leave them."""

from __future__ import annotations

import os
import pickle
from pathlib import Path

from kindling.addresses import Address
from kindling.testing.memory_tables import Tables, place


def file_of(address: Address) -> Path:
    return Path(f"{address.uri}.table")


def load(address: Address) -> Tables:
    """Return a dict with the table of one address, or an empty one."""
    file = file_of(address)
    if not file.exists():
        return {}
    return {place(address): pickle.loads(file.read_bytes())}  # noqa: S301  # written by `save`


def save(address: Address, tables: Tables) -> None:
    """Replace the file at once."""
    file = file_of(address)
    file.parent.mkdir(parents=True, exist_ok=True)
    scratch = file.with_name(f"{file.name}.{os.getpid()}-{os.urandom(4).hex()}")
    scratch.write_bytes(pickle.dumps(tables[place(address)]))
    scratch.replace(file)
