"""PostgreSQL as a Kindling storage and state. Imports nothing: planning only asks for its manifest."""

from __future__ import annotations

__version__ = "0.1.0"
