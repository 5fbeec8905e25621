from __future__ import annotations

import time
from collections.abc import Callable

import pytest

from kindling.errors import LeaseHeldError
from kindling.polling import poll
from kindling.records import Lease
from kindling.run.keeper import LeaseKeeper
from kindling.testing.memory_state import Memory, MemoryState


class Flaky(MemoryState):
    """A state whose renewals do what a list says, then succeed.

    Attributes:
        renewals: How often it was asked.
    """

    def __init__(self, *answers: bool | Exception) -> None:
        super().__init__(Memory())
        self.renewals = 0
        self._answers = list(answers)

    def renew(self, lease: Lease, ttl_s: float) -> bool:
        self.renewals += 1
        answer = self._answers.pop(0) if self._answers else super().renew(lease, ttl_s)
        if isinstance(answer, Exception):
            raise answer
        return answer


def keep(state: MemoryState, beat: Callable[[], None] = lambda: None, every_s: float = 10.0) -> LeaseKeeper:
    lease = state.acquire("shop/dev", {"pid": 1}, 0.2)
    return LeaseKeeper(state, lease, every_s, beat, lease_s=0.2)


def test_a_lease_lives_as_long_as_its_keeper() -> None:
    state = MemoryState(Memory())
    keeper = keep(state)
    time.sleep(0.5)
    assert state.is_valid("shop/dev", 1)
    keeper.close()
    keeper.close()
    assert keeper.fault is None
    time.sleep(0.3)
    assert not state.is_valid("shop/dev", 1)


@pytest.mark.parametrize("failure", [False, OSError("locked")])
def test_one_failed_renewal_may_pass(failure: bool | Exception) -> None:  # noqa: FBT001  # what a state answers
    state = Flaky(failure)
    keeper = keep(state)
    assert poll(lambda: state.renewals >= 3, timeout_s=5)
    keeper.close()
    assert keeper.fault is None


def test_a_lease_that_is_lost_twice_in_a_row_ends_the_run() -> None:
    state = Flaky(False, False)  # what a state answers
    keeper = keep(state)
    assert poll(lambda: keeper.fault, timeout_s=5)
    keeper.close()
    assert isinstance(keeper.fault, LeaseHeldError)
    assert str(keeper.fault) == (
        "KDL-INFRA-003: the lease of 'shop/dev' was lost while the run went on\n"
        "  why: it expired, or another run took it; no further task was started\n"
        "  do: kindling runs list, then kindling run --resume RUN"
    )
    assert state.renewals == 2


def test_a_state_that_cannot_be_reached_twice_in_a_row_ends_the_run() -> None:
    keeper = keep(Flaky(OSError("once"), OSError("twice")))
    assert poll(lambda: keeper.fault, timeout_s=5)
    keeper.close()
    assert str(keeper.fault) == "twice"


def test_the_run_is_told_to_be_alive_and_never_after_the_end() -> None:
    beats: list[float] = []
    keeper = keep(MemoryState(Memory()), lambda: beats.append(time.monotonic()), every_s=0.02)
    assert poll(lambda: len(beats) >= 3, timeout_s=5)
    keeper.close()
    count = len(beats)
    time.sleep(0.1)
    assert len(beats) == count


def test_a_beat_that_fails_ends_the_run() -> None:
    def fail() -> None:
        msg = "the audit is full"
        raise OSError(msg)

    keeper = keep(MemoryState(Memory()), fail, every_s=0.02)
    assert poll(lambda: keeper.fault, timeout_s=5)
    keeper.close()
    assert str(keeper.fault) == "the audit is full"
