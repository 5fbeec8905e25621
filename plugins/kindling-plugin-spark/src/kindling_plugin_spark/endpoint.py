"""The address of a Spark Connect server. What opens it (token, headers) is never shown."""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from urllib.parse import unquote

from kindling.errors import ConfigError

PORT = 15002
"""The port where the URL names none. Source: Spark Connect, connection string."""
REFERENCE = "secret://"
_URL = re.compile(r"sc://(\[[0-9a-fA-F:.]+\]|[^/:;?#@\[\]\s]+)(?::([0-9]{1,5}))?/?(?:;(.*))?", re.DOTALL)
_NAME = re.compile(r"[A-Za-z0-9_.-]+")
_VALUE = re.compile(r"[\x21-\x7e]+")


@dataclass(frozen=True, slots=True)
class Endpoint:
    """Where a server is and what to send with each request.

    Attributes:
        host: Name or address; an IPv6 address in brackets.
        port: TCP port.
        parameters: `token`, `use_ssl`, `user_id`, `user_agent` and headers; hidden from `repr`.
    """

    host: str
    port: int
    parameters: Mapping[str, str] = field(default_factory=dict, repr=False)

    def __str__(self) -> str:
        """Return the address without its parameters."""
        return f"sc://{self.host}:{self.port}"


def resolved(text: str, secret: Callable[[str], str] | None) -> str:
    """Return the value of a `secret://` reference; another text as it is.

    Raises:
        ConfigError: KDL-INFRA-320, nothing resolves references here.
    """
    if not text.startswith(REFERENCE):
        return text
    if secret is None:
        raise _malformed("nothing resolves secret:// references here")
    return secret(text)


def endpoint_of(url: str, token: str = "") -> Endpoint:
    """Parse `sc://host:port/;name=value;...`.

    Args:
        url: The connection string.
        token: A token from elsewhere; the one in the URL comes first.

    Raises:
        ConfigError: KDL-INFRA-320; its text never contains what stands behind the port.
    """
    match = _URL.fullmatch(url.strip())
    if match is None:
        raise _malformed("expected sc://host:port or sc://host:port/;name=value;name=value")
    parameters: dict[str, str] = {"token": token} if token else {}
    for place, part in enumerate((match[3] or "").split(";"), 1):
        name, sign, value = part.partition("=")
        if not part:
            continue
        value = unquote(value)
        # A value with a line break would be shown by grpc's own error.
        if not sign or not _NAME.fullmatch(name) or not _VALUE.fullmatch(value):
            raise _malformed(f"the parameter number {place} is not of the form name=value")
        if name == "session_id":
            raise _malformed("a session_id cannot be given: each task has a session of its own")
        parameters[name] = value
    if token and not _VALUE.fullmatch(token):
        raise _malformed("the token has a character that no HTTP header may have")
    port = int(match[2] or PORT)
    if not 0 < port < 65536:  # noqa: PLR2004  # the range of TCP ports
        raise _malformed(f"there is no port {port}")
    return Endpoint(match[1], port, parameters)


def _malformed(why: str) -> ConfigError:
    return ConfigError(
        "KDL-INFRA-320",
        "the url of the platform 'spark' cannot be used",
        why=why,
        hint='for example url = "sc://spark.example:15002/;use_ssl=true" and token = "secret://env/SPARK_TOKEN"',
    )
