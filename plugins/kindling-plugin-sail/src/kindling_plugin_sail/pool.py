"""The way to one engine: its only channel, and sessions on it that wait for their next task.

No pyspark here: the engine is made ready while pyspark is imported.
"""

from __future__ import annotations

import threading
import uuid
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import grpc

from kindling.errors import EngineLostError
from kindling_plugin_sail.engine import START_S, Engine
from kindling_plugin_sail.settings import ALWAYS

MESSAGE_BYTES = 128 * 1024 * 1024
OPTIONS = (
    ("grpc.max_send_message_length", MESSAGE_BYTES),
    ("grpc.max_receive_message_length", MESSAGE_BYTES),
)
"""What pyspark's own channels have. Source: pyspark 4.2, `ChannelBuilder.GRPC_DEFAULT_OPTIONS`."""

CONFIG = "/spark.connect.SparkConnectService/Config"


@dataclass(frozen=True, slots=True)
class Idle:
    """A session of the engine that has no task.

    Attributes:
        id: Its id on the engine, a UUID.
        settings: The settings that it was given.
    """

    id: str
    settings: Mapping[str, str]


class Line:
    """One engine's channel and idle sessions. Not locked: the platform calls it under its own lock.

    A new session costs the engine 6 to 11 ms, so a task takes over an idle one that has its settings.
    """

    def __init__(self, engine: Engine) -> None:
        self._engine = engine
        self._idle: list[Idle] = []
        self._lock = threading.Lock()
        self._opened: Any = None
        self._warming: threading.Thread | None = None
        self._fault: EngineLostError | None = None

    @property
    def host(self) -> str:
        """The engine's host."""
        return self._address().partition(":")[0]

    @property
    def channel(self) -> Any:  # noqa: ANN401  # grpc is untyped
        """The channel; waits until the engine serves."""
        with self._lock:
            if self._opened is None:
                self._opened = grpc.insecure_channel(self._address(), options=OPTIONS)
            return self._opened

    def warm(self, user: str | None) -> None:
        """Begin to make a first session, in a thread: it takes a new engine 0.2 s and more.

        Args:
            user: The user's name that clients will send; it is a part of a session's identity.
        """
        self._warming = threading.Thread(target=self._warm, args=(user,), daemon=True)
        self._warming.start()

    def taken(self, settings: Mapping[str, str]) -> Idle | None:
        """Take the idle session that was used last of those that fit; None if there is none.

        Raises:
            EngineLostError: KDL-INFRA-102, the engine did not start.
        """
        if self._warming is not None:
            self._warming.join(START_S)
            self._warming = None
        if self._fault is not None:
            raise self._fault
        for place in range(len(self._idle) - 1, -1, -1):
            if self._idle[place].settings == settings:
                return self._idle.pop(place)
        return None

    @property
    def has_room(self) -> bool:
        """Whether another session may be kept: never more than had a task at once."""
        return len(self._idle) < self._engine.most

    def keep(self, idle: Idle) -> None:
        """Keep a session for later."""
        self._idle.append(idle)

    def close(self) -> None:
        """Close the channel. Idempotent."""
        self._idle.clear()
        if self._opened is not None:
            self._opened.close()

    def _address(self) -> str:
        return self._engine.url.removeprefix("sc://")

    def _warm(self, user: str | None) -> None:
        name = str(uuid.uuid4())
        try:
            ask = self.channel.unary_unary(CONFIG)
            ask(config_request(name, user, ALWAYS), timeout=START_S)
        except EngineLostError as error:
            self._fault = error
        except (grpc.RpcError, ValueError, OSError):
            return  # all was closed meanwhile; what else is wrong, the next request tells
        else:
            self._idle.append(Idle(name, ALWAYS))


def config_request(session: str, user: str | None, settings: Mapping[str, str]) -> bytes:
    """Return a `ConfigRequest` that sets settings: session_id=1, user_context=2, operation=3.

    Source: pyspark 4.2, `spark/connect/base.proto`.
    """
    context = _field(1, user.encode()) if user else b""
    pairs = (_field(1, key.encode()) + _field(2, value.encode()) for key, value in settings.items())
    return (
        _field(1, session.encode())
        + (_field(2, context) if context else b"")
        + _field(3, _field(1, b"".join(_field(1, pair) for pair in pairs)))
    )


def _field(number: int, content: bytes) -> bytes:
    """Return a length-delimited protobuf field."""
    size, length = len(content), bytearray()
    while size > 0x7F:  # noqa: PLR2004  # seven bits a byte
        length.append(size & 0x7F | 0x80)
        size >>= 7
    return bytes([number << 3 | 2, *length, size]) + content
