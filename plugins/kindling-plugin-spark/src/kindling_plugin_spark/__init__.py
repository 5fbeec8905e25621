"""Kindling platform `spark`: a local Apache Spark 4.2 with Delta Lake, the reference engine."""

from __future__ import annotations

__version__ = "0.1.0"
