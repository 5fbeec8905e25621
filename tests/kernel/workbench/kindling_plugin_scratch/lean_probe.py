"""The probe of `storage:lean`: it tells no bounds, and its tables carry no commit of Kindling."""

from __future__ import annotations

from kindling.addresses import Address
from kindling_plugin_scratch import probe

version = probe.version


def cursor(address: Address, key: str) -> str | None:
    return None
