"""What passes between one session and a Connect server: counted, tagged, stopped after a cancel.

Here a broken connection becomes `EngineLostError`, once the server's patience is over; pyspark's own
policy would repeat requests for ten minutes and more.
"""

from __future__ import annotations

import threading
import time
from collections import Counter
from collections.abc import Callable, Iterator
from typing import Any

import grpc
from pyspark.sql.connect.client.retries import DefaultPolicy

from kindling.errors import RunError, TaskCancelledError
from kindling_plugin_spark.servers import Server

_ALWAYS = ("Interrupt", "ReleaseSession", "ReleaseExecute", "GetStatus", "FetchErrorDetails")
REFUSED = (grpc.StatusCode.UNAUTHENTICATED, grpc.StatusCode.PERMISSION_DENIED)
_GONE = (
    "INVALID_HANDLE.SESSION_CHANGED",
    "INVALID_HANDLE.SESSION_CLOSED",
    "INVALID_HANDLE.SESSION_NOT_FOUND",
    "INVALID_HANDLE.OPERATION_ABANDONED",
    "RESPONSE_ALREADY_RECEIVED",
    "Received incorrect server side session identifier",
)


class Wire(
    grpc.UnaryUnaryClientInterceptor,  # type: ignore[misc]  # grpc is untyped
    grpc.UnaryStreamClientInterceptor,  # type: ignore[misc]  # the same
    grpc.StreamUnaryClientInterceptor,  # type: ignore[misc]  # the same
):
    """The interceptor of one task's session.

    Attributes:
        requests: Requests sent, by method: `ExecutePlan`, `AnalyzePlan`, `Config`...
        cancelled: Set before the server is asked to interrupt; nothing may start or succeed then.
        released: Set before the session is ended; what pyspark still sends for it means nothing then.
    """

    def __init__(self, tag: str, server: Server) -> None:
        self.tag = tag
        self.server = server
        self.requests: Counter[str] = Counter()
        self.cancelled = False
        self.released = False
        self._failing_since = 0.0
        self._active = 0
        self._lock = threading.Lock()

    @property
    def active(self) -> int:
        """Number of requests under way, interrupts and the like not counted."""
        return self._active

    def intercept_unary_unary(self, continuation: Callable[..., Any], details: Any, request: Any) -> Any:  # noqa: ANN401  # grpc's own signature
        """Send one request with one answer."""
        method = self._begin(details)
        try:
            answer = continuation(details, request)
        finally:
            self._end(method)
        if not isinstance(answer, grpc.RpcError):
            self._failing_since = 0.0
        return answer

    def intercept_unary_stream(self, continuation: Callable[..., Any], details: Any, request: Any) -> Any:  # noqa: ANN401  # grpc's own signature
        """Send one request with many answers: an execution, with the session's tag from whichever thread."""
        method = self._begin(details)
        if method == "ExecutePlan" and "," not in self.tag and self.tag not in request.tags:
            request.tags.append(self.tag)
        try:
            call = continuation(details, request)
        except BaseException:
            self._end(method)
            raise
        return self._answers(method, call)

    def intercept_stream_unary(self, continuation: Callable[..., Any], details: Any, requests: Any) -> Any:  # noqa: ANN401  # grpc's own signature
        """Send many requests with one answer: files for the server."""
        self._end(self._begin(details))
        return continuation(details, requests)

    def stopped(self) -> TaskCancelledError:
        """Return the error of a session that was cancelled."""
        return TaskCancelledError(
            "KDL-INFRA-303", f"the session {self.tag!r} was cancelled", hint="open another session"
        )

    def judged(self, error: BaseException, *, is_retriable: bool) -> bool:
        """Tell whether to send a failed request again.

        Raises:
            TaskCancelledError: KDL-INFRA-303, the session was cancelled.
            EngineLostError: KDL-INFRA-304, the server is gone, or has forgotten the session.
            RunError: KDL-INFRA-322, the server refuses the credentials.
        """
        if self.released:
            return False
        is_rpc = isinstance(error, grpc.RpcError)
        code: object = error.code() if isinstance(error, grpc.Call) else None
        if self.cancelled and is_rpc:
            raise self.stopped() from None
        if code in REFUSED:
            raise refused(str(self.server.endpoint)) from None
        if any(sign in str(error) for sign in _GONE) or (is_rpc and not self.server.alive):
            raise self.server.lost() from None
        if not is_retriable:
            return False
        now = time.monotonic()
        self._failing_since = self._failing_since or now
        if now - self._failing_since >= self.server.patience_s:
            raise self.server.lost() from None
        return True

    def _answers(self, method: str, call: Any) -> Iterator[Any]:  # noqa: ANN401  # a grpc call
        try:
            for answer in call:
                self._failing_since = 0.0
                yield answer
        except grpc.RpcError:
            if self.cancelled:
                raise self.stopped() from None
            raise
        finally:
            self._end(method)
            call.cancel()
        if self.cancelled:
            raise self.stopped()

    def _begin(self, details: Any) -> str:  # noqa: ANN401  # grpc's own
        method = str(details.method).rpartition("/")[2]
        with self._lock:
            if self.cancelled and method not in _ALWAYS:
                raise self.stopped()
            self.requests[method] += 1
            self._active += method not in _ALWAYS
        return method

    def _end(self, method: str) -> None:
        with self._lock:
            self._active -= method not in _ALWAYS


class Patience(DefaultPolicy):
    """pyspark's policy of what may be repeated, for as long as the server's patience lasts."""

    def __init__(self, wire: Wire) -> None:
        super().__init__(max_retries=None, initial_backoff=100, max_backoff=2000, max_server_retry_delay=5000)
        self._wire = wire

    def can_retry(self, e: BaseException) -> bool:
        """Tell whether to repeat a request; raises what the error means for the task."""
        return self._wire.judged(e, is_retriable=super().can_retry(e))


def refused(endpoint: str) -> RunError:
    """Return the error for credentials that a server does not accept."""
    return RunError(
        "KDL-INFRA-322",
        f"the Spark Connect server {endpoint!r} refuses the credentials",
        why="it answers that the token is wrong, missing or not allowed to do this",
        hint="set `token` of [platform.spark] to a valid one, as secret://vault/path",
    )
