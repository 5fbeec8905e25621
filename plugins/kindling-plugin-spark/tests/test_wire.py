"""What a failed request means, told from the errors that grpc raises."""

from __future__ import annotations

import pytest
from kindling_plugin_spark.endpoint import Endpoint
from kindling_plugin_spark.servers import RemoteServer

from kindling.errors import EngineLostError, RunError, TaskCancelledError

grpc = pytest.importorskip("grpc")

from kindling_plugin_spark.wire import Patience, Wire  # noqa: E402  # needs grpc


class Failure(grpc.RpcError, grpc.Call):  # type: ignore[misc]  # grpc is untyped
    """An error of grpc's, as a broken request raises it."""

    def __init__(self, code: object, text: str = "") -> None:
        super().__init__(text)
        self._code = code

    def code(self) -> object:
        return self._code

    def trailing_metadata(self) -> tuple[()]:
        return ()

    def initial_metadata(self) -> tuple[()]:
        return ()

    def details(self) -> str:
        return ""

    def is_active(self) -> bool:
        return False

    def time_remaining(self) -> None:
        return None

    def cancel(self) -> bool:
        return False

    def add_callback(self, callback: object) -> bool:  # grpc's signature
        return False


def wire(patience_s: float = 0.0) -> Wire:
    return Wire("t", RemoteServer(Endpoint("h", 7), patience_s))


def test_a_broken_connection_is_tried_again_as_long_as_the_patience_lasts() -> None:
    broken = Failure(grpc.StatusCode.UNAVAILABLE)
    assert Patience(wire(60.0)).can_retry(broken) is True
    with pytest.raises(EngineLostError) as caught:
        Patience(wire()).can_retry(broken)
    assert str(caught.value).splitlines() == [
        "KDL-INFRA-304: the Spark Connect server 'sc://h:7' was lost",
        "  why: it does not answer, or was started anew",
        "  do: run again with --resume; sessions are opened anew",
    ]


def test_a_forgotten_session_is_a_lost_engine_whatever_the_patience() -> None:
    forgotten = Failure(grpc.StatusCode.INTERNAL, "[INVALID_HANDLE.SESSION_CHANGED] The handle is invalid.")
    with pytest.raises(EngineLostError):
        Patience(wire(60.0)).can_retry(forgotten)


@pytest.mark.parametrize("name", ["UNAUTHENTICATED", "PERMISSION_DENIED"])
def test_refused_credentials_are_told(name: str) -> None:
    with pytest.raises(RunError) as caught:
        Patience(wire(60.0)).can_retry(Failure(getattr(grpc.StatusCode, name)))
    assert str(caught.value).splitlines()[0] == (
        "KDL-INFRA-322: the Spark Connect server 'sc://h:7' refuses the credentials"
    )


def test_whatever_breaks_after_a_cancel_is_its_effect() -> None:
    cancelled = wire(60.0)
    cancelled.cancelled = True
    with pytest.raises(TaskCancelledError) as caught:
        Patience(cancelled).can_retry(Failure(grpc.StatusCode.UNAVAILABLE))
    assert str(caught.value).splitlines() == [
        "KDL-INFRA-303: the session 't' was cancelled",
        "  do: open another session",
    ]


def test_a_mistake_in_a_query_is_left_to_pyspark() -> None:
    assert Patience(wire()).can_retry(Failure(grpc.StatusCode.INTERNAL, "[PARSE_SYNTAX_ERROR]")) is False
    assert Patience(wire()).can_retry(ValueError("x")) is False
