"""HMAC-SHA256 as Spark SQL. The pads of the key come as columns: no text holds them.

Source: RFC 2104; verified against Python's `hmac` in the tests.
"""

from __future__ import annotations

import hashlib
import hmac
from collections.abc import Mapping

from kindling.errors import ConfigError
from kindling.hooks.masking import Secret
from kindling_plugin_masking.kinds import BINARY, kind_of

SHORTEST_KEY = 32
"""Bytes: as many as the digest has. Source: RFC 2104, section 3."""
_BLOCK = 64
_INNER, _OUTER = 0x36, 0x5C


def pads(mask: str, secret: Secret, purpose: str = "") -> Mapping[str, bytes]:
    """Return the two pads of a key.

    Args:
        mask: The mask's name.
        secret: The rule's key, as UTF-8.
        purpose: Masks of one key and different purposes cannot be joined with one another: each has a key
            of its own, the HMAC of its purpose. "" for the key itself.

    Raises:
        ConfigError: KDL-GOV-102, the secret has fewer than 32 bytes.
    """
    key = secret.reveal().encode()
    if len(key) < SHORTEST_KEY:
        raise ConfigError(
            "KDL-GOV-102",
            f"the key of the mask {mask!r} is too short",
            why=f"it has fewer than {SHORTEST_KEY} bytes, so that it could be found by trying",
            hint="store a random one: openssl rand -hex 32",
        )
    if purpose:
        key = hmac.new(key, purpose.encode(), hashlib.sha256).digest()
    if len(key) > _BLOCK:
        key = hashlib.sha256(key).digest()
    block = key.ljust(_BLOCK, b"\0")
    return {"inner": bytes(byte ^ _INNER for byte in block), "outer": bytes(byte ^ _OUTER for byte in block)}


def digest(column: str, type_: str, keys: Mapping[str, str]) -> str:
    """Return the HMAC-SHA256 of a column as 64 hexadecimal letters; null for null.

    What is signed are the column's bytes where it is binary, else its text as UTF-8: numbers, dates and
    instants (in UTC) as Spark writes them.
    """
    value = column if kind_of(type_) == BINARY else f"encode(CAST({column} AS STRING), 'utf-8')"
    inner = f"unhex(sha2(concat({keys['inner']}, {value}), 256))"
    return f"sha2(concat({keys['outer']}, {inner}), 256)"
