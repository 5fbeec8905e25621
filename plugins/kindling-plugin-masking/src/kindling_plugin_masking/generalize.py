"""The mask `generalize`: a coarser value of the same type."""

from __future__ import annotations

from decimal import Decimal, localcontext

from kindling.hooks.masking import MaskRequest
from kindling_plugin_masking.kinds import (
    DATE,
    DECIMAL,
    FRACTION,
    TEXT,
    TIMESTAMP,
    WHOLE,
    WHOLE_BITS,
    accept,
)
from kindling_plugin_masking.literals import typed
from kindling_plugin_masking.options import Options

NAME = "generalize"
KINDS = (TEXT, WHOLE, DECIMAL, FRACTION, DATE, TIMESTAMP)
MONTHS = {"month": "month({})", "quarter": "quarter({}) * 3 - 2", "year": "1"}
MOST_LETTERS = 256
MOST_BUCKETS = "1e15"
"""Numbers further from zero than so many widths become null: doubles do not tell buckets apart there."""
_MOST_DIGITS, _KEPT_SCALE = 38, 6
_EXACT_DIGITS = 4 * _MOST_DIGITS


class Generalize:
    """Numbers become the start of their bucket, dates the first day of their month, texts a prefix.

    A rule may have the options of several types; each column takes the one of its own.
    """

    def expression(self, request: MaskRequest) -> str:
        """Return the coarser value.

        Raises:
            ConfigError: KDL-GOV-100, the type has no coarser values; KDL-GOV-101, the options are wrong, or
                the one that the type needs is missing.
        """
        options = Options(NAME, request.options, ("width", "unit", "keep"))
        width = options.width("width")
        unit = options.choice("unit", "month", MONTHS)
        keep = options.whole("keep", 1, 1, MOST_LETTERS)
        options.done()
        kind = accept(NAME, request, KINDS)
        needed = {TEXT: "keep", DATE: "unit", TIMESTAMP: "unit"}.get(kind, "width")
        if not options.has(needed) or (needed == "width" and width is None):
            options.add(f"a column of the type {request.type!r} needs the option {needed!r}")
        elif needed == "width" and width is not None and (fault := width_fault(width, request.type)):
            options.add(fault)
        options.done()
        if needed == "keep":
            return _prefix(request.column, keep)
        if needed == "unit":
            return _period(request.column, request.type, unit)
        return _bucket(request.column, request.type, width or Decimal(1))


def bounds(type_: str) -> tuple[Decimal, Decimal]:
    """Return the smallest number of a type, and the smallest difference of two numbers; both exact."""
    if type_ in WHOLE_BITS:
        return Decimal(-(2 ** (WHOLE_BITS[type_] - 1))), Decimal(1)
    precision, scale = digits(type_)
    step = Decimal((0, (1,), -scale))
    return Decimal((1, (9,) * precision, -scale)), step


def digits(type_: str) -> tuple[int, int]:
    """Return precision and scale of a decimal type."""
    precision, _, scale = type_.removeprefix("decimal(").removesuffix(")").partition(",")
    return int(precision), int(scale)


def width_fault(width: Decimal, type_: str) -> str:
    """Return why numbers of a type have no buckets of that width, or ""."""
    if type_ in ("float", "double"):
        return ""
    with localcontext(prec=_EXACT_DIGITS):
        return _misfit(width, type_)


def _misfit(width: Decimal, type_: str) -> str:
    low, step = bounds(type_)
    if type_ not in WHOLE_BITS:
        precision, scale = digits(type_)
        if precision == _MOST_DIGITS and scale > _KEPT_SCALE:
            step *= 10  # Spark computes differences of such decimals with a digit less
    if width % step or width <= step:
        least = f"{step.normalize():f}"
        return f"'width' must be a multiple of {least} for the type {type_!r}, and greater than that"
    return "" if width <= -low - step else f"'width' is greater than all numbers of the type {type_!r}"


def _bucket(column: str, type_: str, width: Decimal) -> str:
    if type_ in ("float", "double"):
        made = f"CAST({column} AS DOUBLE)" if type_ == "float" else column
        wide = typed(width, "DOUBLE")
        most = typed(width * Decimal(MOST_BUCKETS), "DOUBLE")
        # An integer times the width: what is left of a subtraction would tell numbers of a bucket apart.
        start = f"CAST(floor({made} / {wide}) AS DOUBLE) * {wide}"
        start = f"CAST({start} AS FLOAT)" if type_ == "float" else start
        return f"CASE WHEN abs({made}) < {most} THEN {start} END"
    low = bounds(type_)[0]
    with localcontext(prec=_EXACT_DIGITS):
        first = -(-low // width) * width
    wider, exact = ("BIGINT", f"CAST({column} AS BIGINT)") if type_ in WHOLE_BITS else (type_, column)
    # Spark computes the difference of the longest decimals with a digit less: the branches would differ.
    start = f"CAST({exact} - pmod({exact}, {typed(f'{width:f}', wider)}) AS {wider})"
    # The bucket of the smallest numbers begins where the type has none: they keep the smallest one.
    edge = (
        f"CASE WHEN {exact} < {typed(f'{first:f}', wider)} THEN {typed(f'{low:f}', wider)} ELSE {start} END"
    )
    return f"CAST({edge} AS {type_})"


def _period(column: str, type_: str, unit: str) -> str:
    # Not date_trunc: Sail computes it in nanoseconds, which end in 2262.
    made = f"make_date(year({column}), {MONTHS[unit].format(column)}, 1)"
    return made if type_ == "date" else f"CAST({made} AS {type_})"


def _prefix(column: str, keep: int) -> str:
    """Return the first letters; a text that has no more than these is hidden whole."""
    start = f"WHEN length({column}) > {keep} THEN left({column}, {keep})"
    return f"CASE {start} WHEN {column} IS NOT NULL THEN '' END"
