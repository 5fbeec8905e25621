"""A keyed mask that any engine can compute. For tests: its key is small, so it can be found by trying."""

from __future__ import annotations

import hashlib
from collections.abc import Mapping

from kindling.errors import ConfigError
from kindling.hooks.masking import MaskRequest, Secret

TYPES = ("string", "bigint")
SHORTEST_KEY = 16
_PRIME = 99991


class MemoryMask:
    """Multiplies a number, or the length of a text, by the key."""

    def keys(self, secret: Secret) -> Mapping[str, bytes]:
        """Return one key column: eight digits.

        Raises:
            ConfigError: KDL-GOV-102, the secret is too short.
        """
        raw = secret.reveal().encode()
        if len(raw) < SHORTEST_KEY:
            raise ConfigError(
                "KDL-GOV-102",
                "the key of the mask 'memory' is too short",
                hint=f"store one of {SHORTEST_KEY} letters or more",
            )
        number = int.from_bytes(hashlib.sha256(raw).digest()[:8], "big") % 90_000_000 + 10_000_000
        return {"factor": str(number).encode()}

    def expression(self, request: MaskRequest) -> str:
        """Return the product's remainder.

        Raises:
            ConfigError: KDL-GOV-100, it is neither text nor bigint; KDL-GOV-101, there are no options.
        """
        if request.options:
            names = ", ".join(sorted(request.options))
            raise ConfigError("KDL-GOV-101", f"the mask 'memory' has no options, not {names}")
        if request.type not in TYPES:
            raise ConfigError("KDL-GOV-100", f"the mask 'memory' cannot mask the type {request.type!r}")
        factor = f"CAST(CAST({request.keys['factor']} AS STRING) AS BIGINT)"
        if request.type == "bigint":
            return f"({request.column} % {_PRIME}) * {factor} % {_PRIME}"
        made = f"CAST((length({request.column}) + 2) * {factor} % {_PRIME} AS STRING)"
        return f"CASE WHEN {request.column} IS NOT NULL THEN concat('m', {made}) END"
