"""Executing a plan."""

from __future__ import annotations
