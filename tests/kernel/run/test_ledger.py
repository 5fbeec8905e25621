from __future__ import annotations

import json
from collections.abc import Mapping, Sequence

import pytest

from kindling.hooks import Plain
from kindling.hooks.executor import Outcome
from kindling.run.ledger import Ledger, outcomes_of, plain_outcome
from kindling.run.request import RunRequest
from kindling.testing.memory_state import Memory, MemoryState

REQUEST = RunRequest(app="a:app", project="/p", environment="dev", run_id="r1", select=("a",))
SLICED = "b[2024-01-01T00:00:00Z/2024-01-02T00:00:00Z]"
OUTCOMES = {
    "a": Outcome("a", "done", rows=3, version="7", metrics={"x": 1}, warnings=("w",), cursors={"raw": "1"}),
    SLICED: Outcome(
        SLICED, "failed", error={"code": "KDL-RUN-001", "what": "it failed", "facts": {"n": [1]}}
    ),
}


def test_a_run_is_recorded_from_its_begin_to_its_end() -> None:
    state = MemoryState(Memory())
    ledger = Ledger(state, "shop", "dev", REQUEST)
    ledger.open()
    begun = state.run("r1")
    assert begun is not None
    assert (begun.status, begun.ended, begun.exit_code) == ("running", "", None)
    assert RunRequest.from_json(begun.request) == REQUEST
    ledger.close("failed", 1, OUTCOMES, {"c": "b"}, {"failed": 1, "done": 1})
    ended = state.run("r1")
    assert ended is not None
    assert (ended.status, ended.exit_code, ended.started) == ("failed", 1, begun.started)
    assert ended.ended >= ended.started
    assert ended.counts == (("done", 1), ("failed", 1))


def test_outcomes_come_back_as_they_were() -> None:
    state = MemoryState(Memory())
    ledger = Ledger(state, "shop", "dev", REQUEST)
    ledger.open()
    skipped = {"c": SLICED, SLICED.replace("b[", "d["): SLICED}
    ledger.close("failed", 1, OUTCOMES, skipped, {})
    assert outcomes_of(state.outcomes("r1")) == (OUTCOMES, skipped)
    places = [(row["entity"], row["slice"]) for row in state.outcomes("r1")]
    piece = SLICED[2:-1]
    assert places == [("a", "*"), ("b", piece), ("c", "*"), ("d", piece)]


def test_an_outcome_is_json_with_entity_and_slice() -> None:
    plain = json.loads(json.dumps(plain_outcome(SLICED, OUTCOMES[SLICED])))
    assert (plain["entity"], plain["slice"], plain["status"]) == ("b", SLICED[2:-1], "failed")
    assert plain["error"]["facts"] == {"n": [1]}


class Forgetful(MemoryState):
    def put_outcomes(self, run_id: str, outcomes: Sequence[Mapping[str, Plain]]) -> None:
        msg = "the disk is full"
        raise OSError(msg)


def test_a_run_ends_even_if_its_outcomes_cannot_be_kept() -> None:
    state = Forgetful(Memory())
    ledger = Ledger(state, "shop", "dev", REQUEST)
    ledger.open()
    with pytest.raises(OSError, match="the disk is full"):
        ledger.close("failed", 1, OUTCOMES, {}, {})
    ended = state.run("r1")
    assert ended is not None
    assert ended.status == "failed"
