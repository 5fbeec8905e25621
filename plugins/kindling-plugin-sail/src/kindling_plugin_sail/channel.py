"""What passes between one session and the engine: counted, stopped after a cancel, errors told apart.

Two facts of Sail 0.7.2 make it necessary. After an interrupt, the stream of a command ends as if the
command had succeeded. And a killed engine shows as a transport error of many kinds.
"""

from __future__ import annotations

import threading
from collections import Counter
from collections.abc import Callable, Iterator
from typing import Any

import grpc

from kindling.errors import TaskCancelledError
from kindling_plugin_sail.engine import Engine
from kindling_plugin_sail.plans import correct
from kindling_plugin_sail.sql_text import is_suspect
from kindling_plugin_sail.traces import leaves_nothing

_PLANS = ("ExecutePlan", "AnalyzePlan")
_ALWAYS = ("Interrupt", "ReleaseSession")


class Wire(
    grpc.UnaryUnaryClientInterceptor,  # type: ignore[misc]  # grpc is untyped
    grpc.UnaryStreamClientInterceptor,  # type: ignore[misc]  # the same
    grpc.StreamUnaryClientInterceptor,  # type: ignore[misc]  # the same
):
    """The interceptor of one task's session.

    Attributes:
        requests: Requests sent, by method: `ExecutePlan`, `AnalyzePlan`, `Config`...
        cancelled: Set before the engine is asked to interrupt; nothing may start or succeed then.
        is_clean: Whether the session is as it was before: no trace, no error, no answer half read.
    """

    def __init__(self, tag: str, engine: Engine) -> None:
        self.tag = tag
        self.engine = engine
        self.requests: Counter[str] = Counter()
        self.cancelled = False
        self.is_clean = True
        self._is_sealed = False
        self._active = 0
        self._lock = threading.Lock()

    @property
    def active(self) -> int:
        """Number of requests under way, interrupts not counted."""
        return self._active

    def seal(self) -> bool:
        """Let no further request through, unless the session must be ended; tell whether it is as before."""
        with self._lock:
            self._is_sealed = self.is_clean and not self.cancelled and not self._active
            return self._is_sealed

    def intercept_unary_unary(self, continuation: Callable[..., Any], details: Any, request: Any) -> Any:  # noqa: ANN401  # grpc's own signature
        """Send one request with one answer."""
        method = self._begin(details, request)
        try:
            answer = continuation(details, request)
        finally:
            self._end(method)
        if isinstance(answer, grpc.RpcError):
            self.is_clean = False
            self._raise_if_lost(answer)
        return answer

    def intercept_unary_stream(self, continuation: Callable[..., Any], details: Any, request: Any) -> Any:  # noqa: ANN401  # grpc's own signature
        """Send one request with many answers: an execution."""
        method = self._begin(details, request)
        try:
            call = continuation(details, request)
        except BaseException:
            self._end(method)
            raise
        return self._answers(method, call)

    def intercept_stream_unary(self, continuation: Callable[..., Any], details: Any, requests: Any) -> Any:  # noqa: ANN401  # grpc's own signature
        """Send many requests with one answer: files for the engine, which stay with the session."""
        self._end(self._begin(details, requests))
        return continuation(details, requests)

    def _answers(self, method: str, call: Any) -> Iterator[Any]:  # noqa: ANN401  # a grpc call
        is_read = False
        try:
            yield from call
            is_read = True
        except grpc.RpcError as error:
            self._raise_if_cancelled()
            self._raise_if_lost(error)
            raise
        finally:
            self.is_clean = self.is_clean and is_read
            self._end(method)
            call.cancel()
        self._raise_if_cancelled()

    def _begin(self, details: Any, request: Any) -> str:  # noqa: ANN401  # grpc's own
        method = str(details.method).rpartition("/")[2]
        if method in _PLANS and is_suspect(request.SerializeToString()):  # the walk takes milliseconds
            correct(request)
        with self._lock:
            if self._is_sealed or method not in _ALWAYS:
                self._raise_if_cancelled()
            self.is_clean = self.is_clean and leaves_nothing(method, request)
            self.requests[method] += 1
            self._active += method not in _ALWAYS
        return method

    def _end(self, method: str) -> None:
        with self._lock:
            self._active -= method not in _ALWAYS

    def _raise_if_cancelled(self) -> None:
        if self.cancelled or self._is_sealed:
            raise TaskCancelledError("KDL-INFRA-103", f"the work of {self.tag!r} was stopped on the engine")

    def _raise_if_lost(self, error: grpc.RpcError) -> None:
        if error.code() == grpc.StatusCode.UNAVAILABLE:
            raise self.engine.lost() from error
