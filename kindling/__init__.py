"""Kindling: declare data pipelines, plan them, run them anywhere; every outside thing is a plugin."""

from __future__ import annotations

__version__ = "0.1.0"
