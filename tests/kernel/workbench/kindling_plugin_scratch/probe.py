"""The probe of `storage:scratch`."""

from __future__ import annotations

from kindling.addresses import Address
from kindling.testing.memory_tables import MemoryProbe
from kindling_plugin_scratch.tables import load


def version(address: Address) -> str | None:
    return MemoryProbe(load(address)).version(address)


def committed(address: Address, key: str) -> tuple[str, str] | None:
    return MemoryProbe(load(address)).committed(address, key)


def cursor(address: Address, key: str) -> str | None:
    return MemoryProbe(load(address)).cursor(address, key)


def bounds(address: Address, column: str) -> tuple[str, str] | None:
    return MemoryProbe(load(address)).bounds(address, column)
