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

_ALWAYS = ("Interrupt", "ReleaseSession")


class Wire(grpc.UnaryUnaryClientInterceptor, grpc.UnaryStreamClientInterceptor):  # type: ignore[misc]  # grpc is untyped
    """The interceptor of one session.

    Attributes:
        requests: Requests sent, by method: `ExecutePlan`, `AnalyzePlan`, `Config`...
        cancelled: Set before the engine is asked to interrupt; nothing may start or succeed then.
    """

    def __init__(self, tag: str, engine: Engine) -> None:
        self.tag = tag
        self.engine = engine
        self.requests: Counter[str] = Counter()
        self.cancelled = False
        self._active = 0
        self._lock = threading.Lock()

    @property
    def active(self) -> int:
        """Number of requests under way, interrupts not counted."""
        return self._active

    def intercept_unary_unary(self, continuation: Callable[..., Any], details: Any, request: Any) -> Any:  # noqa: ANN401  # grpc's own signature
        """Send one request with one answer."""
        method = self._begin(details)
        try:
            answer = continuation(details, request)
        finally:
            self._end(method)
        if isinstance(answer, grpc.RpcError):
            self._raise_if_lost(answer)
        return answer

    def intercept_unary_stream(self, continuation: Callable[..., Any], details: Any, request: Any) -> Any:  # noqa: ANN401  # grpc's own signature
        """Send one request with many answers: an execution."""
        method = self._begin(details)
        try:
            call = continuation(details, request)
        except BaseException:
            self._end(method)
            raise
        return self._answers(method, call)

    def _answers(self, method: str, call: Any) -> Iterator[Any]:  # noqa: ANN401  # a grpc call
        try:
            yield from call
        except grpc.RpcError as error:
            self._raise_if_cancelled()
            self._raise_if_lost(error)
            raise
        finally:
            self._end(method)
            call.cancel()
        self._raise_if_cancelled()

    def _begin(self, details: Any) -> str:  # noqa: ANN401  # grpc's own
        method = str(details.method).rpartition("/")[2]
        if method not in _ALWAYS:
            self._raise_if_cancelled()
        with self._lock:
            self.requests[method] += 1
            self._active += method not in _ALWAYS
        return method

    def _end(self, method: str) -> None:
        with self._lock:
            self._active -= method not in _ALWAYS

    def _raise_if_cancelled(self) -> None:
        if self.cancelled:
            raise TaskCancelledError("KDL-INFRA-103", f"the work of {self.tag!r} was stopped on the engine")

    def _raise_if_lost(self, error: grpc.RpcError) -> None:
        if error.code() == grpc.StatusCode.UNAVAILABLE:
            raise self.engine.lost() from error
