"""The mask `partial`: some first and last letters of a text."""

from __future__ import annotations

from kindling.hooks.masking import MaskRequest
from kindling_plugin_masking.kinds import TEXT, accept
from kindling_plugin_masking.literals import text_literal
from kindling_plugin_masking.options import Options

NAME = "partial"
LAST, MOST, LONGEST = 4, 32, 16
FEWEST_HIDDEN = 4


class Partial:
    """Keeps letters at both ends; short texts are hidden whole.

    At least half of a text stays hidden, and at least four letters. What stands between the ends has one
    length, so that the length of a text is not told.
    """

    def expression(self, request: MaskRequest) -> str:
        """Return the ends of the text.

        Raises:
            ConfigError: KDL-GOV-100, the column is no text; KDL-GOV-101, the options are wrong.
        """
        options = Options(NAME, request.options, ("first", "last", "with"))
        first = options.whole("first", 0, 0, MOST)
        last = options.whole("last", 0 if options.has("first") else LAST, 0, MOST)
        filler = text_literal(options.text("with", "***", LONGEST))
        if options.is_sound and not first + last:
            options.add("'first' and 'last' are 0: use the mask 'redact'")
        options.done()
        accept(NAME, request, (TEXT,))
        column, shown = request.column, first + last
        ends = [f"left({column}, {first})"] * bool(first) + [filler]
        ends += [f"right({column}, {last})"] * bool(last)
        enough = max(2 * shown, shown + FEWEST_HIDDEN)
        return (
            f"CASE WHEN length({column}) >= {enough} THEN concat({', '.join(ends)})"
            f" WHEN {column} IS NOT NULL THEN {filler} END"
        )
