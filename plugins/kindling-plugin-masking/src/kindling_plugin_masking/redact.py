"""The mask `redact`: nothing of the value is left."""

from __future__ import annotations

from kindling.hooks.masking import MaskRequest
from kindling_plugin_masking.kinds import (
    BINARY,
    BOOLEAN,
    DATE,
    DECIMAL,
    EXACT,
    FRACTION,
    NESTED,
    TEXT,
    TIMESTAMP,
    WHOLE,
    accept,
    kind_of,
)
from kindling_plugin_masking.literals import text_literal
from kindling_plugin_masking.options import Options

NAME = "redact"
LONGEST = 64
BLANKS = {
    TEXT: "''",
    WHOLE: "0",
    DECIMAL: "0",
    FRACTION: "0",
    BOOLEAN: "false",
    BINARY: "''",
    DATE: "'1970-01-01'",
    TIMESTAMP: "'1970-01-01 00:00:00'",
}


class Redact:
    """Null; or, where a value stood, a fixed text (option `with`) or the type's blank (option `blank`)."""

    def expression(self, request: MaskRequest) -> str:
        """Return what stands in the place of the value.

        Raises:
            ConfigError: KDL-GOV-100, only text can be replaced by a text, and nested values have no blank;
                KDL-GOV-101, the options are wrong.
        """
        options = Options(NAME, request.options, ("with", "blank"))
        text = options.text("with", "", LONGEST)
        is_blank = options.flag("blank", default=False)
        if options.has("with") and is_blank:
            options.add("'with' and 'blank' exclude one another")
        options.done()
        if options.has("with"):
            accept(NAME, request, (TEXT,))
            return f"CASE WHEN {request.column} IS NOT NULL THEN {text_literal(text)} END"
        if is_blank:
            blank = BLANKS[accept(NAME, request, (*EXACT, FRACTION))]
            return f"CAST(CASE WHEN {request.column} IS NOT NULL THEN {blank} END AS {request.type})"
        if kind_of(request.type) == NESTED:  # not each engine reads a nested type in a cast
            return f"CASE WHEN 1 = 0 THEN {request.column} END"
        return f"CAST(NULL AS {request.type})"
