from __future__ import annotations

import pytest
from kindling_plugin_spark.messages import MOST, is_connection_loss, plain_message

from kindling.errors import EngineLostError

JAVA = """An error occurred while calling o122.collectToPython.
: org.apache.spark.SparkException: [SPARK_JOB_CANCELLED] Job 7 cancelled. SQLSTATE: XXKDA
\tat org.apache.spark.scheduler.DAGScheduler.handle(DAGScheduler.scala:1)"""


@pytest.mark.parametrize(
    ("text", "message"),
    [
        (JAVA, "[SPARK_JOB_CANCELLED] Job 7 cancelled."),
        ("[USER_RAISED_EXCEPTION] plausible SQLSTATE: P0001", "plausible"),
        ("[UNRESOLVED] no `x`. SQLSTATE: 42703;\n'Project ['x]\n+- Range", "[UNRESOLVED] no `x`."),
        ("", "ValueError"),
        ("x" * 999, "x" * MOST + "..."),
    ],
)
def test_an_error_becomes_one_line(text: str, message: str) -> None:
    assert plain_message(ValueError(text)) == message


def test_errors_of_kindling_keep_their_text() -> None:
    assert plain_message(EngineLostError("KDL-INFRA-301", "lost")) == "KDL-INFRA-301: lost"


def test_a_lost_connection_is_recognised() -> None:
    assert is_connection_loss(ConnectionRefusedError())
    assert is_connection_loss(RuntimeError("Answer from Java side is empty"))
    assert not is_connection_loss(ValueError("x"))
