from __future__ import annotations

import time

import pytest

from kindling.polling import poll


def test_what_is_so_at_once_costs_no_pause() -> None:
    assert poll(lambda: "found", timeout_s=0, first_s=60) == "found"


def test_the_check_is_asked_until_it_is_so() -> None:
    asked: list[int] = []

    def check() -> str:
        asked.append(1)
        return "found" if len(asked) == 4 else ""

    assert poll(check, timeout_s=30, first_s=0.001) == "found"
    assert len(asked) == 4


def test_nothing_is_returned_once_the_time_is_over() -> None:
    asked: list[int] = []
    started = time.monotonic()
    assert poll(lambda: asked.append(1), timeout_s=0.05, first_s=0.01) is None
    assert time.monotonic() - started >= 0.05
    assert 2 <= len(asked) <= 8


def test_pauses_grow() -> None:
    asked: list[int] = []
    poll(lambda: asked.append(1), timeout_s=0.3, first_s=0.01, factor=4)
    assert len(asked) <= 8, "equal pauses would ask 30 times"


def test_pauses_stay_below_their_limit() -> None:
    asked: list[int] = []
    started = time.monotonic()

    def check() -> bool:
        asked.append(1)
        return len(asked) > 2

    assert poll(check, timeout_s=60, first_s=0.01, factor=9000, most_s=0.01)
    assert time.monotonic() - started < 30


def test_an_error_of_the_check_is_the_callers() -> None:
    with pytest.raises(ZeroDivisionError):
        poll(lambda: 1 / 0, timeout_s=1)
