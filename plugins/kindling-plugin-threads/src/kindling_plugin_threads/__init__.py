"""Kindling executor `threads`: tasks run in threads of the run's own process."""

from __future__ import annotations

__version__ = "0.1.0"
