"""Literals of Spark SQL that mean the same on each engine."""

from __future__ import annotations


def text_literal(text: str) -> str:
    """Return a text literal; the text has no control characters."""
    return "'" + text.replace("\\", "\\\\").replace("'", "\\'") + "'"


def typed(value: object, type_: str) -> str:
    """Return a value of a type, by its text: literals of large numbers differ between engines."""
    return f"CAST('{value}' AS {type_})"
