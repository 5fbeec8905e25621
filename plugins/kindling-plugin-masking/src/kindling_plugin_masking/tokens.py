"""The mask `token`: a short name for a value, that people can read and tell from others."""

from __future__ import annotations

from collections.abc import Mapping

from kindling.hooks.masking import MaskRequest, Secret
from kindling_plugin_masking import keyed
from kindling_plugin_masking.kinds import EXACT, accept
from kindling_plugin_masking.literals import text_literal
from kindling_plugin_masking.options import Options

NAME = "token"
PURPOSE = "kindling.masking.token/1"
LENGTH, SHORTEST, LONGEST, LONGEST_PREFIX = 16, 8, 64, 32


class Token:
    """`tok_` and some hexadecimal letters of an HMAC; not those of `keyed_hash` with the same key."""

    def keys(self, secret: Secret) -> Mapping[str, bytes]:
        """Return the pads of the key of this purpose.

        Raises:
            ConfigError: KDL-GOV-102, the secret is too short.
        """
        return keyed.pads(NAME, secret, PURPOSE)

    def expression(self, request: MaskRequest) -> str:
        """Return the token.

        Raises:
            ConfigError: KDL-GOV-100, the column's values have no single text; KDL-GOV-101, the options are
                wrong.
        """
        options = Options(NAME, request.options, ("prefix", "length"))
        prefix = text_literal(options.text("prefix", "tok_", LONGEST_PREFIX))
        length = options.whole("length", LENGTH, SHORTEST, LONGEST)
        options.done()
        accept(NAME, request, EXACT)
        made = keyed.digest(request.column, request.type, request.keys)
        return f"concat({prefix}, left({made}, {length}))"
