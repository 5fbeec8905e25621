"""The mask `date_shift`: days are moved, and the time between two of one person stays."""

from __future__ import annotations

from collections.abc import Mapping

from kindling.hooks.masking import MaskRequest, Secret
from kindling.names import did_you_mean
from kindling_plugin_masking import keyed
from kindling_plugin_masking.kinds import DATE, EXACT, TIMESTAMP, accept, kind_of
from kindling_plugin_masking.options import Options

NAME = "date_shift"
PURPOSE = "kindling.masking.date_shift/1"
DAYS, MOST_DAYS, LONGEST_NAME = 365, 3660, 256
_DIGITS = 15
"""Decimal digits of a digest that the shift is made of; a bigint holds 18."""
EDGES = {
    "date": ("DATE '0001-01-01'", "DATE '9999-12-31'"),
    "timestamp": ("TIMESTAMP '0001-01-01 00:00:00'", "TIMESTAMP '9999-12-31 23:59:59.999999'"),
    "timestamp_ntz": (
        "CAST('0001-01-01 00:00:00' AS TIMESTAMP_NTZ)",
        "CAST('9999-12-31 23:59:59.999999' AS TIMESTAMP_NTZ)",
    ),
}
"""Days that no engine and no reader can show beyond; a shifted value stops there."""


class DateShift:
    """Moves by 1 to `days` days, forth or back: by the key and by the value of another column, `by`."""

    def keys(self, secret: Secret) -> Mapping[str, bytes]:
        """Return the pads of the key of this purpose.

        Raises:
            ConfigError: KDL-GOV-102, the secret is too short.
        """
        return keyed.pads(NAME, secret, PURPOSE)

    def expression(self, request: MaskRequest) -> str:
        """Return the moved value; null where the other column is null.

        Raises:
            ConfigError: KDL-GOV-100, the column is neither date nor timestamp; KDL-GOV-101, the options are
                wrong, or the other column cannot be used.
        """
        options = Options(NAME, request.options, ("by", "days"))
        days = options.whole("days", DAYS, 1, MOST_DAYS)
        by = _other(request, options)
        options.done()
        accept(NAME, request, (DATE, TIMESTAMP))
        person = request.columns[by]
        shift = _shift(keyed.digest(person, request.types.get(by, "string"), request.keys), days)
        moved = (
            f"date_add({request.column}, {shift})"
            if request.type == "date"
            else f"{request.column} + {shift} * INTERVAL '1' DAY"
        )
        first, last = EDGES[request.type]
        return (
            f"CASE WHEN {request.column} IS NOT NULL AND {person} IS NOT NULL"
            f" THEN least(greatest({moved}, {first}), {last}) END"
        )


def _other(request: MaskRequest, options: Options) -> str:
    """Return the name of the column that decides, as the input has it."""
    if not options.has("by"):
        options.add("'by' is missing: name the column that says whose date it is")
        return ""
    wanted = options.text("by", "", LONGEST_NAME)
    if not wanted:
        return ""
    found = next((name for name in request.columns if name.lower() == wanted.lower()), "")
    if not found:
        options.add(f"'by' names no column: {did_you_mean(wanted, request.columns)}")
    elif request.columns[found] == request.column:
        options.add("'by' names the masked column itself")
    elif kind_of(request.types.get(found, "string")) not in EXACT:
        options.add(f"'by' names a column of the type {request.types[found]!r}, which has no single text")
    return found


def _shift(digest: str, days: int) -> str:
    """Return a number from -days to days that is not 0, all equally likely.

    Letters are taken out of the digest: the digits that are left are equally likely. Half numbers are
    rounded away from zero, which leaves the zero out.
    """
    number = f"CAST(concat('0', left(translate({digest}, 'abcdef', ''), {_DIGITS})) AS BIGINT)"
    place = f"CAST(pmod({number}, CAST({2 * days} AS BIGINT)) AS DOUBLE)"
    return f"CAST(round({place} - CAST('{days - 0.5}' AS DOUBLE)) AS INT)"
