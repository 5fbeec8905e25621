"""Count the requests that a program sends to its engine over gRPC, whoever sends them.

    python request_probe.py COUNTS.json run --workers 1        # the command `kindling run`
    python request_probe.py COUNTS.json loop.py ARGUMENT...    # a hand-written loop

Counted where a request leaves gRPC's channel, below all clients and interceptors, so both sides alike.
"""

from __future__ import annotations

import json
import runpy
import sys
from collections import Counter
from pathlib import Path
from typing import Any

import grpc._channel


class Counted:
    """A method of the engine's service; every call of it counts."""

    def __init__(self, inner: Any, method: str, counts: Counter[str]) -> None:  # noqa: ANN401  # grpc is untyped
        self._inner = inner
        self._method = method.rpartition("/")[2]
        self._counts = counts

    def __call__(self, *given: Any, **named: Any) -> Any:  # noqa: ANN401  # grpc is untyped
        """Send a request."""
        self._counts[self._method] += 1
        return self._inner(*given, **named)

    def with_call(self, *given: Any, **named: Any) -> Any:  # noqa: ANN401  # grpc is untyped
        """Send a request."""
        self._counts[self._method] += 1
        return self._inner.with_call(*given, **named)

    def future(self, *given: Any, **named: Any) -> Any:  # noqa: ANN401  # grpc is untyped
        """Send a request."""
        self._counts[self._method] += 1
        return self._inner.future(*given, **named)


def count_requests() -> Counter[str]:
    """Count the requests of this process from now on.

    Effects: replaces methods of grpc's channel in this process.
    """
    counts: Counter[str] = Counter()
    channel: Any = grpc._channel.Channel  # noqa: SLF001  # the lowest place in Python
    for kind in ("unary_unary", "unary_stream", "stream_unary", "stream_stream"):
        original = getattr(channel, kind)

        def counting(self: Any, method: str, *given: Any, _original: Any = original, **named: Any) -> Counted:  # noqa: ANN401  # grpc is untyped
            return Counted(_original(self, method, *given, **named), method, counts)

        setattr(channel, kind, counting)
    return counts


def main() -> None:
    """Run the program and write what it sent."""
    target, program, *arguments = sys.argv[1:]
    counts = count_requests()
    code: object = 0
    try:
        if program.endswith(".py"):
            sys.argv = [program, *arguments]
            runpy.run_path(program, run_name="__main__")
        else:
            from kindling.__main__ import main as kindling

            sys.argv = ["kindling", program, *arguments]
            kindling()
    except SystemExit as end:
        code = end.code
    Path(target).write_text(json.dumps(dict(counts)), encoding="utf-8")
    sys.exit(0 if code is None else str(code) if code else 0)


if __name__ == "__main__":
    main()
