"""One question for all threads that ask it at the same time. Not a cache."""

from __future__ import annotations

import copy
import threading
from collections.abc import Callable, Hashable
from typing import Generic, TypeVar

from kindling.errors import KindlingError

Found = TypeVar("Found")


class _Flight(Generic[Found]):
    __slots__ = ("done", "error", "found")

    def __init__(self) -> None:
        self.done = threading.Event()
        self.found: Found | None = None
        self.error: KindlingError | None = None


class Flights(Generic[Found]):
    """Joins equal questions; safe for several threads."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._flights: dict[Hashable, _Flight[Found]] = {}

    def join(self, key: Hashable, ask: Callable[[], Found]) -> Found:
        """Return what `ask` returns; while one thread asks, the others wait for its answer.

        Raises:
            KindlingError: What `ask` raised; each thread gets a copy of its own.
        """
        while True:
            with self._lock:
                flight = self._flights.get(key)
                is_own = flight is None
                if flight is None:
                    flight = self._flights[key] = _Flight()
            if is_own:
                return self._lead(key, flight, ask)
            flight.done.wait()
            if flight.error is not None:
                raise copy.copy(flight.error)
            if flight.found is not None:
                return flight.found
            # The thread that asked was stopped from outside: ask again.

    def _lead(self, key: Hashable, flight: _Flight[Found], ask: Callable[[], Found]) -> Found:
        try:
            flight.found = ask()
        except KindlingError as error:
            flight.error = copy.copy(error)
            raise
        finally:
            with self._lock:
                del self._flights[key]
            flight.done.set()
        return flight.found
