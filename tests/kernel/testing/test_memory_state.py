from __future__ import annotations

import pytest

from kindling.errors import LeaseHeldError
from kindling.testing.memory_state import Memory, MemoryState


def test_a_held_lease_is_refused_in_three_lines() -> None:
    state = MemoryState(Memory())
    state.acquire("shop/dev", {"pid": 7, "host": "h", "run_id": "r-1"}, 60)
    with pytest.raises(LeaseHeldError) as caught:
        state.acquire("shop/dev", {}, 60)
    assert str(caught.value) == (
        "KDL-INFRA-001: 'shop/dev' is held by another run\n"
        "  why: run r-1 of pid 7 on h works on it\n"
        "  do: wait for it, or cancel it: kindling runs cancel r-1"
    )
