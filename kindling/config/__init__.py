"""Settings in layers, with the origin of each value."""

from __future__ import annotations
