"""Kindling storages `csv`, `json` and `parquet`: plain files, local or in object stores."""

from __future__ import annotations

__version__ = "0.1.0"
