from __future__ import annotations

from queue import SimpleQueue
from time import monotonic

from kindling_plugin_threads.watchdog import Watchdog

HEARD_S = 10


def test_items_come_back_in_the_order_of_their_moments_and_not_before() -> None:
    heard: SimpleQueue[tuple[int, str, float]] = SimpleQueue()
    watchdog = Watchdog(lambda number, reason, grace_s: heard.put((number, reason, grace_s)))
    now = monotonic()
    watchdog.wake_at(now + 0.06, 1, "late", 2)
    watchdog.wake_at(now + 0.02, 2, "early", 3)
    watchdog.wake_at(now - 1, 3, "at once", 0)
    assert [heard.get(timeout=HEARD_S) for _ in range(3)] == [
        (3, "at once", 0),
        (2, "early", 3),
        (1, "late", 2),
    ]
    assert monotonic() >= now + 0.06
    watchdog.stop()


def test_stopping_forgets_what_is_still_to_come() -> None:
    heard: list[int] = []
    watchdog = Watchdog(lambda number, _reason, _grace_s: heard.append(number))
    watchdog.stop()
    watchdog.wake_at(monotonic() + 60, 1, "never", 0)
    watchdog.stop()
    assert watchdog._thread is not None
    watchdog._thread.join(HEARD_S)
    assert not watchdog._thread.is_alive()
    assert heard == []
