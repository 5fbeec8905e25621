from __future__ import annotations

import threading
from concurrent.futures import ThreadPoolExecutor

import pytest
from kindling_plugin_vault.flights import Flights


class Stopped(BaseException):
    """What a kernel raises in a thread to stop it."""


def test_a_question_whose_thread_is_stopped_is_asked_by_another() -> None:
    flights: Flights[str] = Flights()
    asked, stop = threading.Event(), threading.Event()

    def first() -> str:
        asked.set()
        stop.wait(20)
        raise Stopped

    with ThreadPoolExecutor(2) as pool:
        stopped = pool.submit(flights.join, "key", first)
        assert asked.wait(20)
        other = pool.submit(flights.join, "key", lambda: "found")
        stop.set()
        assert other.result(20) == "found"
        with pytest.raises(Stopped):
            stopped.result(20)


def test_other_questions_do_not_wait() -> None:
    flights: Flights[str] = Flights()
    assert flights.join("a", lambda: flights.join("b", lambda: "inner")) == "inner"
