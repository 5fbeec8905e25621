from __future__ import annotations

import pytest
from kindling_plugin_sail.messages import MOST, plain_message

from kindling.errors import EngineLostError

GRPC = """<_MultiThreadedRendezvous of RPC that terminated with:
\tstatus = StatusCode.INTERNAL
\tdetails = "division by zero"
\tdebug_error_string = "INTERNAL:division by zero"
>"""


@pytest.mark.parametrize(
    ("text", "message"),
    [
        (GRPC, "division by zero"),
        ("invalid argument: operation not found: 1", "operation not found: 1"),
        ("[X] first\nJVM stacktrace:\nat org.apache", "[X] first"),
        ("", "ValueError"),
        ("x" * 999, "x" * MOST + "..."),
    ],
)
def test_an_error_becomes_one_line(text: str, message: str) -> None:
    assert plain_message(ValueError(text)) == message


def test_errors_of_kindling_keep_their_text() -> None:
    error = EngineLostError("KDL-INFRA-101", "lost", why="killed")
    assert plain_message(error) == "KDL-INFRA-101: lost\n  why: killed"
