from __future__ import annotations

from workbench import Bench

import kindling as k
from kindling.run.sqlite import SqliteState
from kindling.run.states import open_state
from kindling.testing.memory_state import MemoryState


def test_the_kernels_own_state_is_the_default(bench: Bench) -> None:
    bench.use(k.App("shop"))
    state = open_state(bench.project)
    assert isinstance(state, SqliteState)
    state.close()


def test_another_state_comes_from_its_plugin(bench: Bench) -> None:
    bench.use(k.App("shop"), state__default="memory")
    assert isinstance(open_state(bench.project), MemoryState)
