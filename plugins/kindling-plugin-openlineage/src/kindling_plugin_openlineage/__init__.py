"""Kindling lineage `openlineage`: OpenLineage run events to a file or a collector. Imports nothing."""

from __future__ import annotations

__version__ = "0.1.0"
