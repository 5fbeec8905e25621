"""Delta Lake tables as a Kindling storage. Imports nothing: planning only asks for its manifest."""

from __future__ import annotations

__version__ = "0.1.0"
