"""Kindling executor `process`: each task runs in an operating system process of its own."""

from __future__ import annotations

__version__ = "0.1.0"
