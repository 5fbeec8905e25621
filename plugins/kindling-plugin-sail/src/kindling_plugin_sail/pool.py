"""The way to one engine: its only channel, and sessions on it that wait for their next task."""

from __future__ import annotations

import uuid
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import grpc
from pyspark.sql.connect.client import ChannelBuilder

from kindling_plugin_sail.channel import Wire
from kindling_plugin_sail.engine import Engine


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

    Args:
        engine: The engine; waited for here.
    """

    def __init__(self, engine: Engine) -> None:
        self._engine = engine
        self._address = engine.url.removeprefix("sc://")
        self._channel = grpc.insecure_channel(self._address, options=ChannelBuilder.GRPC_DEFAULT_OPTIONS)
        self._idle: list[Idle] = []

    def taken(self, settings: Mapping[str, str]) -> Idle | None:
        """Take the idle session that was used last of those with these settings; None if there is none."""
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

    def builder(self, wire: Wire, session_id: str = "") -> Builder:
        """Return what a client needs to speak through `wire`, in a new session or an idle one's."""
        return Builder(self._channel, self._address, wire, session_id or str(uuid.uuid4()))

    def close(self) -> None:
        """Close the channel. Idempotent."""
        self._idle.clear()
        self._channel.close()


class Builder(ChannelBuilder):
    """Gives a client the shared channel behind an interceptor of its own."""

    def __init__(self, channel: Any, address: str, wire: Wire, session_id: str) -> None:  # noqa: ANN401  # grpc's
        super().__init__(params={ChannelBuilder.PARAM_SESSION_ID: session_id})
        self._shared = channel
        self._address = address
        self._wire = wire

    @property
    def host(self) -> str:
        """The engine's host."""
        return self._address.partition(":")[0]

    def toChannel(self) -> Any:  # noqa: ANN401, N802  # pyspark's name, grpc's type
        """Return the channel; closing it, which pipe code may do as well, closes it for nobody else."""
        channel = grpc.intercept_channel(self._shared, self._wire)
        channel.close = lambda: None
        return channel
