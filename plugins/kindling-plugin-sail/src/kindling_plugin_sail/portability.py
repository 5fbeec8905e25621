"""Refusals: what Sail computes otherwise than Spark, without a way to correct it. The callers raise."""

from __future__ import annotations

from kindling.errors import RunError


def refused_call(name: str, why: str, hint: str) -> RunError:
    """The function has another meaning on Sail."""
    return RunError(
        "KDL-PORT-034", f"this call of {name!r} is not portable to sail", why=why, hint=hint, function=name
    )


def refused_syntax(what: str, hint: str) -> RunError:
    """A clause of Spark SQL has another meaning on Sail."""
    return RunError("KDL-PORT-035", f"{what} is not portable to sail", hint=hint, syntax=what)
