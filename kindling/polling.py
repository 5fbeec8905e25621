"""Wait until something is so, with growing pauses and a limit. Not for retrying work."""

from __future__ import annotations

import time

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable
    from typing import TypeVar

    T = TypeVar("T")


def poll(
    check: Callable[[], T | None],
    *,
    timeout_s: float,
    first_s: float = 0.01,
    factor: float = 1.5,
    most_s: float = 5.0,
) -> T | None:
    """Call `check` until it returns something true, and return that; None after `timeout_s`.

    Args:
        check: Asked at least once; its errors are the caller's.
        timeout_s: Seconds to wait in all.
        first_s: First pause in seconds.
        factor: How much each pause is longer than the one before.
        most_s: Longest pause in seconds.
    """
    deadline = time.monotonic() + timeout_s
    pause = first_s
    while not (found := check()):
        left = deadline - time.monotonic()
        if left <= 0:
            return None
        time.sleep(min(pause, left))
        pause = min(pause * factor, most_s)
    return found
