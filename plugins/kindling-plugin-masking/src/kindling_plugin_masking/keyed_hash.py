"""The mask `keyed_hash`: HMAC-SHA256, so that nobody without the key can try values."""

from __future__ import annotations

from collections.abc import Mapping

from kindling.hooks.masking import MaskRequest, Secret
from kindling_plugin_masking import keyed
from kindling_plugin_masking.kinds import EXACT, accept
from kindling_plugin_masking.options import Options

NAME = "keyed_hash"
SHORTEST = 16
LENGTHS = {"hex": 64, "base64": 44}


class KeyedHash:
    """The HMAC of a value, as text: `encoding` and, cut, `length`."""

    def keys(self, secret: Secret) -> Mapping[str, bytes]:
        """Return the pads of the key.

        Raises:
            ConfigError: KDL-GOV-102, the secret is too short.
        """
        return keyed.pads(NAME, secret)

    def expression(self, request: MaskRequest) -> str:
        """Return the HMAC.

        Raises:
            ConfigError: KDL-GOV-100, the column's values have no single text; KDL-GOV-101, the options are
                wrong.
        """
        options = Options(NAME, request.options, ("length", "encoding"))
        encoding = options.choice("encoding", "hex", LENGTHS)
        longest = LENGTHS[encoding]
        length = options.whole("length", longest, SHORTEST, longest)
        options.done()
        accept(NAME, request, EXACT)
        made = keyed.digest(request.column, request.type, request.keys)
        if encoding == "base64":
            made = f"base64(unhex({made}))"
        return made if length == longest else f"left({made}, {length})"
