"""The marketplace: commands that find, lock, install and check plugins, and that run a registry."""

from __future__ import annotations

__version__ = "0.1.0"
