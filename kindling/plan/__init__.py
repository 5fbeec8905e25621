"""Deciding what will run, and why, without an engine."""

from __future__ import annotations
