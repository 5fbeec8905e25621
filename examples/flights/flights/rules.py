"""What counts as late: a helper that several pipes call, so that an edit here runs just those again."""

from __future__ import annotations

import kindling as k

LATE_MINUTES = 15


def is_late(column: str) -> k.Column:
    """Tell whether a delay in minutes is more than a quarter of an hour."""
    return k.F.col(column) > LATE_MINUTES
