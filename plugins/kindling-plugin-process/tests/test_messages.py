from __future__ import annotations

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st
from kindling_plugin_process.messages import OUTCOME, READY, TASK, document, packed, take

from kindling.hooks.executor import InputSpec, Outcome, TaskSpec

MESSAGES = st.lists(st.tuples(st.sampled_from([READY, TASK, OUTCOME]), st.text()), max_size=5)


@given(MESSAGES, st.integers(1, 7))
def test_messages_arrive_whole_and_in_order_however_they_are_cut(
    messages: list[tuple[bytes, str]], size: int
) -> None:
    stream = b"".join(packed(kind, text) for kind, text in messages)
    buffer, found = bytearray(), []
    for start in range(0, len(stream), size):
        buffer += stream[start : start + size]
        while (message := take(buffer)) is not None:
            found.append((message[0], document(str, message[1])))
    assert (found, buffer) == (messages, b"")


def test_specs_and_outcomes_survive() -> None:
    spec = TaskSpec(
        "r", "a", "p", "dev", "x", "*", {"uri": "u"}, "duckdb", (InputSpec("i", {}),), "f", timeout_s=1.5
    )
    outcome = Outcome("x", "failed", error={"code": "KDL-X-001", "facts": {"n": 1}}, warnings=("w",))
    for given_one in (spec, outcome):
        buffer = bytearray(packed(TASK, given_one))
        message = take(buffer)
        assert message is not None
        assert document(type(given_one), message[1]) == given_one


@pytest.mark.parametrize("body", [b"nope", b'{"key": 3}', b"\xff"])
def test_what_is_no_document_is_refused(body: bytes) -> None:
    with pytest.raises((msgspec.DecodeError, ValueError)):
        document(Outcome, body)
