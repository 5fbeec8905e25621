"""What pyspark's client asks for when it is made: a channel. Imports pyspark."""

from __future__ import annotations

import uuid
from typing import Any

import grpc
from pyspark.sql.connect.client import ChannelBuilder

from kindling_plugin_sail.channel import Wire
from kindling_plugin_sail.pool import Line


class Builder(ChannelBuilder):
    """Gives a client the line's channel behind an interceptor of its own.

    Args:
        line: The way to the engine.
        wire: The client's interceptor.
        session_id: An idle session's id, "" for a new one.
    """

    def __init__(self, line: Line, wire: Wire, session_id: str = "") -> None:
        super().__init__(params={ChannelBuilder.PARAM_SESSION_ID: session_id or str(uuid.uuid4())})
        self._line = line
        self._wire = wire

    @property
    def host(self) -> str:
        """The engine's host."""
        return self._line.host

    def toChannel(self) -> Any:  # noqa: ANN401, N802  # pyspark's name, grpc's type
        """Return the channel; closing it, which pipe code may do as well, closes it for nobody else."""
        channel = grpc.intercept_channel(self._line.channel, self._wire)
        channel.close = lambda: None
        return channel
