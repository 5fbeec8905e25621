"""Small masks: they show what the kernel hands to a masking plugin."""

from __future__ import annotations

from collections.abc import Mapping

from kindling.errors import ConfigError
from kindling.hooks.masking import MaskRequest
from kindling.secret import Secret


class Blank:
    """The option `text`, or null."""

    def expression(self, request: MaskRequest) -> str:
        text = request.options.get("text")
        return f"CAST(NULL AS {request.type})" if text is None else f"'{text}'"


class Stamp:
    """Says whether the key was there, and how long the value is: nothing of either."""

    def keys(self, secret: Secret) -> Mapping[str, bytes]:
        return {"pad": secret.reveal().encode()}

    def expression(self, request: MaskRequest) -> str:
        return f"CASE WHEN {request.keys['pad']} IS NULL THEN NULL ELSE length({request.column}) END"


class Picky:
    """Masks no column."""

    def expression(self, request: MaskRequest) -> str:
        raise ConfigError("KDL-GOV-100", f"the type {request.type!r} cannot be masked")


class Broken:
    """Fails while it is computed, and cites the value."""

    def expression(self, request: MaskRequest) -> str:
        return f"CAST({request.column} AS bigint)"
