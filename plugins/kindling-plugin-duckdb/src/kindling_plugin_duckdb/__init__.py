"""Kindling on DuckDB: the platform `duckdb`, in process, with the fastest start."""

from __future__ import annotations

__version__ = "0.1.0"
