"""Kindling masks as Spark SQL: `redact`, `partial`, `keyed_hash`, `token`, `generalize`, `date_shift`."""

from __future__ import annotations

__version__ = "0.1.0"
