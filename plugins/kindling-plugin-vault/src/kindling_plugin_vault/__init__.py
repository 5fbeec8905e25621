"""Kindling secrets `vault`: HashiCorp Vault and OpenBao. Imports nothing."""

from __future__ import annotations

__version__ = "0.1.0"
