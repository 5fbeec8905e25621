"""A collector of the tests' own: it takes events over HTTP, and misbehaves as it is told to."""

from __future__ import annotations

import json
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

Json = dict[str, object]
HANG = -1
"""An answer that never comes."""
CUT = -2
"""The connection is closed without an answer."""
LIMIT_S = 60.0
"""The most that anything in these tests is waited for."""


class Receiver:
    """A server.

    Attributes:
        taken: Events that it answered with success, in order.
        asked: Number of requests.
        headers: Those of the last request.
        paths: Path of each request.
    """

    def __init__(self, answer: Callable[[int], tuple[int, dict[str, str]]], port: int = 0) -> None:
        self.answer = answer
        self.taken: list[Json] = []
        self.paths: list[str] = []
        self.headers: dict[str, str] = {}
        self.asked = 0
        self.gone = threading.Event()
        self.changed = threading.Condition()
        outer = self

        class Handler(BaseHTTPRequestHandler):
            protocol_version = "HTTP/1.1"
            timeout = LIMIT_S

            def do_POST(self) -> None:
                outer.take(self)

            def log_message(self, format: str, *args: object) -> None:  # noqa: A002  # the library's own name
                """Say nothing."""

        self._server = ThreadingHTTPServer(("127.0.0.1", port), Handler)
        self._server.daemon_threads = True
        self._thread = threading.Thread(target=self._server.serve_forever, args=(0.02,), daemon=True)
        self._thread.start()

    @property
    def url(self) -> str:
        """Return its address."""
        return f"http://127.0.0.1:{self._server.server_port}"

    def take(self, handler: BaseHTTPRequestHandler) -> None:
        """Answer one request."""
        body = handler.rfile.read(int(handler.headers["Content-Length"]))
        with self.changed:
            self.asked += 1
            self.paths.append(handler.path)
            self.headers = dict(handler.headers.items())
            status, headers = self.answer(self.asked)
            if 200 <= status < 300:
                self.taken.append(json.loads(body))
            self.changed.notify_all()
        if status == HANG:
            self.gone.wait(LIMIT_S)
        if status in (HANG, CUT):
            handler.close_connection = True
            return
        handler.send_response(status)
        for name, value in {"Content-Length": "0", **headers}.items():
            handler.send_header(name, value)
        handler.end_headers()

    def wait_for(self, is_so: Callable[[Receiver], bool]) -> None:
        """Wait until something is so."""
        with self.changed:
            assert self.changed.wait_for(lambda: is_so(self), LIMIT_S), (self.asked, len(self.taken))

    def stop(self) -> None:
        """Close everything."""
        self.gone.set()
        self._server.shutdown()
        self._server.server_close()
        self._thread.join(LIMIT_S)


@contextmanager
def receiver(
    answer: Callable[[int], tuple[int, dict[str, str]]] = lambda _: (201, {}), port: int = 0
) -> Iterator[Receiver]:
    """Give a server."""
    made = Receiver(answer, port)
    try:
        yield made
    finally:
        made.stop()


def closed_port() -> int:
    """Return a port at which nobody listens."""
    made = Receiver(lambda _: (201, {}))
    port = int(made.url.rpartition(":")[2])
    made.stop()
    return port
