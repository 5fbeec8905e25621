"""Finding and loading plugins."""

from __future__ import annotations
