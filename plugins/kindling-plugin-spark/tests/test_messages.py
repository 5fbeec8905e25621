from __future__ import annotations

import pytest
from kindling_plugin_spark.messages import (
    MOST,
    is_connection_loss,
    is_transient,
    plain_message,
    refused_setting,
)

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


def test_what_a_second_try_may_not_meet_is_transient() -> None:
    assert is_transient(ValueError("[DELTA_CONCURRENT_APPEND] another writer"))
    assert is_transient(ConnectionResetError())
    assert not is_transient(ValueError("[DIVIDE_BY_ZERO]"))


def test_the_setting_that_was_refused_is_named() -> None:
    error = refused_setting(
        {"spark.a": "1", "spark.a.b": "2"}, ValueError('cannot modify "spark.a.b". SQLSTATE: 46110')
    )
    assert str(error).splitlines() == [
        "KDL-INFRA-323: the setting 'spark.a.b' cannot be set for a session",
        '  why: cannot modify "spark.a.b".',
        "  do: set it where Spark is started, and take it out of [spark] of this environment",
    ]
    assert refused_setting({"spark.a": "1"}, ValueError("no")).what == "a setting cannot be set for a session"
